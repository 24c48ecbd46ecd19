import type {Clock} from '../../platform/clock.ts'
import {keep} from '../keep.ts'
import {latest} from '../times.ts'
import {Quiet} from '../quiet.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {WorkFile} from '../work-file.ts'
import {ActorError} from './actor-error.ts'
import type {ActorAnswer, ActorRequest} from './actor-host.ts'
import type {TurnOptions} from './actor.ts'
import {timesOf, type FiringWish} from './firing-spec.ts'
import {REMINDER, ReminderStore, type FailurePolicy, type Reminder} from './reminder-store.ts'
import {fullName, LATE_MS, type FiringName} from './timers.ts'

const NOTHING = new Uint8Array(0)

/** Three more tries, a second apart (Dapr: pkg/actors/internal/reminders, default failure policy). */
const DEFAULT_POLICY: FailurePolicy = {intervalMs: 1000, retries: 3}

export interface ReminderWish extends FiringWish {
  /** False: one that is there stays. */
  readonly overwrites: boolean
  /** Left out: three more tries. */
  readonly policy?: FailurePolicy | undefined
}

export interface RemindersOptions {
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  readonly clock: Clock
  /** One turn of an actor. */
  readonly run: (request: ActorRequest, options: TurnOptions) => Promise<ActorAnswer>
  /** All firings of a series come that were missed, not only the latest. */
  readonly catchesUp?: boolean
  /** Writes to the log of the app's sidecar. */
  readonly log: (app: string, text: string) => void
}

/** There is a reminder of this name, which is not to be overwritten. */
export class ReminderExists extends Error {}

/** How a firing has ended. */
type Fired = 'done' | 'failed' | 'cancelled' | 'unwanted'

/**
 * Reminders of actors, in the file and by the clock of what outlives a run. A firing that has begun is over when the app has
 * answered: until then its row stands, and the next run fires it again.
 */
export class Reminders {
  readonly #options: RemindersOptions
  readonly #store: ReminderStore
  /** Firings under way, by key, each with whether it is still wanted. */
  readonly #underWay = new Map<number, {isWanted: boolean}>()
  readonly #quiet: Quiet
  #isClosed = false

  constructor(options: RemindersOptions) {
    this.#options = options
    const {file, wakeUps} = options
    this.#store = new ReminderStore(file.database)
    this.#quiet = new Quiet(options.clock, () => this.#underWay.size > 0)
    wakeUps.serve(REMINDER, ({owner}) => file.afterCommit(() => void this.#fire(owner)), {isSeries: true})
    wakeUps.onSettle(async maxMs => this.quiet(maxMs))
    const begun = this.#store.begun()
    if (begun.length > 0)
      void keep(options, () => {
        for (const {key, due} of begun) this.#wake(key, due)
      }).catch(() => undefined)
  }

  /** How far the times in the file are ahead of the clock, in ms. */
  get aheadMs(): number {
    return this.#options.wakeUps.ahead
  }

  /** Settles when it is kept. Rejects with a FiringFault or ReminderExists. */
  async set(app: string, name: FiringName, wish: ReminderWish): Promise<void> {
    const {file, clock, wakeUps} = this.#options
    const {overwrites, policy = DEFAULT_POLICY, dueTime, period, ttl, data = null} = wish
    const times = timesOf(REMINDER, fullName(name), wish, clock.date())
    const {ahead} = wakeUps
    await file.change(() => {
      const before = this.#store.find(name)
      if (before !== undefined && !overwrites) throw new ReminderExists(name.name)
      if (before !== undefined) this.#remove(before)
      const {type, id} = name
      const said = {app, type, id, name: name.name, dueTime, period, ttl, data, policy}
      const key = this.#store.add({
        ...said,
        due: times.due + ahead,
        step: times.step?.ms ?? null,
        remaining: times.repeats ?? null,
        expires: times.expires === undefined ? null : times.expires + ahead
      })
      this.#wake(key, times.due + ahead)
    })
  }

  /** Undefined: there is none. */
  async get(name: FiringName): Promise<Reminder | undefined> {
    await this.#options.file.settled()
    return this.#store.find(name)
  }

  /** The next one first. */
  async list(type?: string, id?: string): Promise<readonly Reminder[]> {
    await this.#options.file.settled()
    return this.#store.list(type, id)
  }

  /** Settles when it is gone; false: there was none. */
  async delete(name: FiringName): Promise<boolean> {
    return this.#options.file.change(() => {
      const found = this.#store.find(name)
      if (found !== undefined) this.#remove(found)
      return found !== undefined
    })
  }

  /** Deletes all of a type, or of one actor. */
  async deleteAll(type: string, id?: string): Promise<void> {
    await this.#options.file.change(() => {
      for (const each of this.#store.list(type, id)) this.#remove(each)
    })
  }

  /** Fires one now: that counts nothing. Undefined: there is none. */
  async fire(name: FiringName): Promise<ActorAnswer | undefined> {
    const found = await this.get(name)
    return found && this.#options.run(requestOf(found), {})
  }

  /** Settles when no firing is under way any more: with true, or with false after so many ms. */
  async quiet(maxMs: number): Promise<boolean> {
    return this.#quiet.within(maxMs)
  }

  close(): void {
    this.#isClosed = true
  }

  #remove({key}: Reminder): void {
    this.#store.delete(key)
    this.#options.wakeUps.removeOf(REMINDER, key)
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) underWay.isWanted = false
  }

  /** `due`: by the file. */
  #wake(key: number, due: number): void {
    const {wakeUps} = this.#options
    // who lets time pass is told whose it is
    const {app, type, id, name} = this.#store.get(key) ?? {}
    wakeUps.add(REMINDER, {
      due: due - wakeUps.ahead,
      owner: key,
      name: JSON.stringify({app, type, id, name}),
      data: NOTHING
    })
  }

  async #fire(key: number): Promise<void> {
    const reminder = this.#store.get(key)
    if (reminder === undefined || this.#isClosed) return
    const {catchesUp = false} = this.#options
    const state = {isWanted: true}
    this.#underWay.set(key, state)
    try {
      const {outcome, begun, isMissed} = await this.#attempts(reminder, state)
      await keep(this.#options, () => {
        if (state.isWanted && !this.#isClosed)
          this.#advance(reminder, outcome === 'cancelled', isMissed && !catchesUp ? begun : 0)
      })
    } catch (error) {
      this.#options.log(reminder.app, `reminder ${fullName(reminder)}: ${String(error)}`)
    } finally {
      this.#underWay.delete(key)
      this.#quiet.changed()
    }
  }

  /** Tries it as often as its policy says. `begun`: when its turn began first, by the file. */
  async #attempts(
    reminder: Reminder,
    state: {readonly isWanted: boolean}
  ): Promise<{readonly outcome: Fired; readonly begun: number; readonly isMissed: boolean}> {
    const {clock, log} = this.#options
    const {policy, due, app} = reminder
    let isMissed = this.#now - due > LATE_MS
    let begun = 0
    for (let tries = 0; ; tries++) {
      const options = {
        isPatient: true,
        isWanted: () => state.isWanted,
        begun: (wasHeld: boolean) => {
          isMissed ||= begun === 0 && wasHeld
          begun ||= this.#now
        }
      }
      const outcome = await this.#once(reminder, options)
      if (outcome !== 'failed' || tries >= (policy.retries ?? Infinity) || !state.isWanted || this.#isClosed) {
        if (outcome === 'failed') log(app, `reminder ${fullName(reminder)} has failed: no more tries`)
        return {outcome, begun, isMissed}
      }
      await new Promise<void>(resolve => void clock.after(policy.intervalMs, resolve))
    }
  }

  async #once(reminder: Reminder, options: TurnOptions): Promise<Fired> {
    try {
      const answer = await this.#options.run(requestOf(reminder), options)
      if (answer.kind !== 'done') return 'failed'
      if (answer.isCancelled) return 'cancelled'
      return answer.isError ? 'failed' : 'done'
    } catch (error) {
      // where too many wait already it is tried again
      if (error instanceof ActorError) return error.refusal === 'full' ? 'failed' : 'unwanted'
      throw error
    }
  }

  /** The next firing, if there is one; those up to `begun` were missed. */
  #advance({key, due, step, remaining, expires, ...reminder}: Reminder, isOver: boolean, begun: number): void {
    const left = remaining === null ? null : remaining - 1
    if (isOver || step === null || left === 0) return this.#store.delete(key)
    const {at, passed} = latest(due, {months: 0, days: 0, ms: step}, Math.max(due, begun))
    const next = at + step
    if (passed > 0) {
      const words = passed === 1 ? '1 firing was' : `${passed} firings were`
      this.#options.log(reminder.app, `reminder ${fullName(reminder)}: ${words} missed and passed over`)
    }
    if (expires !== null && next >= expires) return this.#store.delete(key)
    this.#store.move(key, next, left)
    this.#wake(key, next)
  }

  /** By the clock of the file. */
  get #now(): number {
    const {clock, wakeUps} = this.#options
    return clock.date() + wakeUps.ahead
  }
}

const requestOf = ({type, id, name, dueTime, period, data}: Reminder): ActorRequest => ({
  type,
  id,
  work: {kind: REMINDER, name, callback: '', dueTime, period, data: data ?? undefined},
  caller: undefined,
  reentrancyId: '',
  onStop: () => undefined
})
