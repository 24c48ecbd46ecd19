import {messageOf} from '../../model/errors.ts'
import {DEFAULT_POLICY, FiringSeries, type Delivered, type FailurePolicy, type SeriesOptions} from '../series/series.ts'
import {latest} from '../times.ts'
import {ActorError, type ActorAnswer, type ActorRequest} from './actor-host.ts'
import type {TurnOptions} from './actor.ts'
import type {Actors} from './actors.ts'
import {timesOf, type FiringRequest} from './firing-spec.ts'
import {REMINDER, ReminderStore, type Reminder} from './reminder-store.ts'
import {fullName, LATE_MS, type FiringName} from './timers.ts'

export interface ReminderRequest extends FiringRequest {
  /** Whether the request replaces an existing reminder. Otherwise it is refused. */
  readonly overwrites: boolean
  /** Omitted: `DEFAULT_POLICY`. */
  readonly policy?: FailurePolicy | undefined
}

/** The error of a request that must not overwrite the existing reminder of its name. */
export class ReminderExists extends Error {}

interface Fired extends Delivered {
  /** Planned time of the delivered firing; if several were missed, of the latest. */
  readonly due: number
  /** Whether the actor asks that the reminder ends. */
  readonly isCancelled: boolean
}

/** The reminders of actors, stored in the work file and fired by its clock, which skips advance. */
export class Reminders {
  readonly #options: SeriesOptions
  readonly #run: Actors['run']
  readonly #store: ReminderStore
  readonly #series: FiringSeries<Reminder, Fired>
  /** Functions that cancel firings before their turn, by the keys of the reminders. */
  readonly #waiting = new Map<number, () => void>()

  constructor(options: SeriesOptions, run: Actors['run']) {
    // logs after the commit: while the file cannot be written, changes are repeated each second
    this.#options = {...options, log: (...line) => options.file.afterCommit(() => options.log(...line))}
    this.#run = run
    const store = (this.#store = new ReminderStore(options.file.database))
    this.#series = new FiringSeries<Reminder, Fired>({
      ...options,
      kind: REMINDER,
      unit: 'firing',
      rows: store,
      nameOf: ({app, type, id, name}) => ({app, type, id, name}),
      title: reminder => `reminder ${fullName(reminder)}`,
      onDue: ({key}) => void this.#fire(key),
      deliver: async reminder => this.#deliver(reminder).finally(() => this.#waiting.delete(reminder.key)),
      onRemoved: ({key}) => this.#waiting.get(key)?.(),
      advance: (reminder, fired) => this.#advance(reminder, fired),
      onRetry: (reminder, fired) => {
        this.#passOver(reminder, fired)
        store.update(reminder.key, {due: fired.due})
      }
    })
  }

  /** How far skips have advanced the clock of reminders, in ms. */
  get aheadMs(): number {
    return this.#options.wakeUps.ahead
  }

  /** Sets a reminder; resolves after the commit. Rejects with a FiringFault or ReminderExists. */
  async set(app: string, name: FiringName, request: ReminderRequest): Promise<void> {
    const {file, clock, wakeUps} = this.#options
    const {overwrites, policy = DEFAULT_POLICY, dueTime, period, ttl, data} = request
    const times = timesOf(REMINDER, fullName(name), request, clock.date())
    const due = times.due + wakeUps.ahead
    const expires = times.expires && times.expires + wakeUps.ahead
    const plan = {due, step: times.step?.ms, remaining: times.repeats, expires, dueTime, period, ttl}
    await file.change(() => {
      const existing = this.#store.find(name)
      if (existing !== undefined && !overwrites) throw new ReminderExists(name.name)
      this.#series.remove(existing)
      if (due > (expires ?? Infinity))
        return this.#options.log(app, 'warn', `reminder ${fullName(name)}: its ttl ends before it fires`)
      const row = {app, ...name, ...plan, data, policy, attempts: 0, isDue: false}
      this.#series.wake({...row, key: this.#store.insert(row)}, due)
    })
  }

  async get(name: FiringName): Promise<Reminder | undefined> {
    await this.#options.file.settled()
    return this.#store.find(name)
  }

  /** Returns reminders in the order of their next firing. Without `type` or `id`: of any type, of any id. */
  async list(type?: string, id?: string): Promise<readonly Reminder[]> {
    await this.#options.file.settled()
    return this.#store.list(type, id)
  }

  /** Deletes a reminder. Resolves after the commit; with false if it does not exist. */
  async delete(name: FiringName): Promise<boolean> {
    return this.#options.file.change(() => this.#series.remove(this.#store.find(name)))
  }

  /** Deletes all reminders of a type, or of one actor. */
  async deleteAll(type: string, id?: string): Promise<void> {
    await this.#options.file.change(() => {
      for (const each of this.#store.list(type, id)) this.#series.remove(each)
    })
  }

  /** Fires a reminder now. Its counts and next firing do not change. Resolves with undefined if it does not exist. */
  async fire(name: FiringName): Promise<ActorAnswer | undefined> {
    const found = await this.get(name)
    return found && this.#run(requestOf(found), {})
  }

  close(): void {
    this.#series.isClosed = true
  }

  async #fire(key: number): Promise<void> {
    // rejects if the run ends before the result is stored: then the next run delivers the firing again
    const isTaken = await this.#series.deliver(key).catch(() => true)
    if (!isTaken) this.#series.release(key)
  }

  /** Waits for the actor's turn, and delivers the firing unless the reminder was deleted meanwhile. */
  async #deliver(reminder: Reminder): Promise<Fired> {
    const {catchesUp = false, wakeUps} = this.#options
    const {key, due, step, attempts, expires = Infinity} = reminder
    let isMissed = wakeUps.date() - due > LATE_MS
    let planned = due
    const options: TurnOptions = {
      isPatient: true,
      isWanted: () => !this.#series.isClosed && this.#store.at(key)?.isDue === true,
      onBegin: wasHeld => {
        this.#waiting.delete(key) // a later deletion does not cancel the running call
        isMissed ||= wasHeld
        if (isMissed && attempts === 0 && !catchesUp && step !== undefined)
          planned = latest(due, {months: 0, days: 0, ms: step}, Math.max(due, Math.min(wakeUps.date(), expires))).at
      }
    }
    try {
      const answer = await this.#run({...requestOf(reminder), onStop: end => void this.#waiting.set(key, end)}, options)
      return {...outcomeOf(answer), due: planned}
    } catch (error) {
      // `full`: the queue of the actor has no room, so that the policy of the reminder decides about a retry
      const kind = error instanceof ActorError && error.refusal === 'gone' ? 'undeliverable' : 'failed'
      return {kind, answer: messageOf(error), due: planned, isCancelled: false}
    }
  }

  /** Logs how many missed firings were dropped before the delivered one. */
  #passOver({app, step = 1, due: before, ...name}: Reminder, {due}: Fired): void {
    const passed = Math.round((due - before) / step)
    const words = passed === 1 ? '1 firing was' : `${passed} firings were`
    if (passed > 0) this.#options.log(app, 'warn', `reminder ${fullName(name)}: ${words} missed and passed over`)
  }

  /** Stores a finished firing. Returns the time of the next one; undefined: it was the last. */
  #advance(reminder: Reminder, fired: Fired): number | undefined {
    const {key, step, remaining, expires} = reminder
    if (fired.isCancelled || step === undefined || remaining === 1) return undefined
    this.#passOver(reminder, fired)
    const due = fired.due + step
    if (expires !== undefined && due > expires) return undefined
    this.#store.update(key, {due, remaining: remaining === undefined ? undefined : remaining - 1})
    return due
  }
}

function outcomeOf(answer: ActorAnswer): Omit<Fired, 'due'> {
  if (answer.kind === 'unknown') return {kind: 'failed', answer: 'its app does not know it', isCancelled: false}
  if (answer.kind === 'lost') return {kind: 'failed', answer: answer.why, isCancelled: false}
  if (answer.kind === 'failed')
    return {kind: 'failed', answer: `${answer.status > 0 ? `${answer.status} ` : ''}${answer.text}`, isCancelled: false}
  const {isError, isCancelled, body} = answer
  return {kind: isError && !isCancelled ? 'failed' : 'done', answer: body.toString(), isCancelled}
}

const requestOf = ({type, id, name, dueTime, period, data}: Reminder): ActorRequest => ({
  type,
  id,
  work: {kind: REMINDER, name, callback: '', dueTime, period, data},
  caller: undefined,
  reentrancyId: '',
  onStop: () => undefined
})
