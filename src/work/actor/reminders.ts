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
  /** Whether the request replaces an existing reminder. Otherwise the request is refused. */
  readonly overwrites: boolean
  /** Omitted: three more tries. */
  readonly policy?: FailurePolicy | undefined
}

/** A reminder with this name exists, and must not be overwritten. */
export class ReminderExists extends Error {}

interface Fired extends Delivered {
  /** The planned time, of the latest firing if several were missed. */
  readonly due: number
  /** The actor asks that the reminder ends. */
  readonly isCancelled: boolean
}

/** Reminders of actors, kept in the file and fired by its clock. */
export class Reminders {
  readonly #options: SeriesOptions
  readonly #run: Actors['run']
  readonly #store: ReminderStore
  readonly #series: FiringSeries<Reminder, Fired>
  /** End the waits of firings for their turns, by the keys of the reminders. */
  readonly #waiting = new Map<number, () => void>()

  constructor(options: SeriesOptions, run: Actors['run']) {
    // logs as `Series` does
    this.#options = {...options, log: (...said) => options.file.afterCommit(() => options.log(...said))}
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

  /** How far the times in the file are ahead of the clock, in ms. */
  get aheadMs(): number {
    return this.#options.wakeUps.ahead
  }

  /** Sets a reminder; resolves once it is kept. Rejects with a FiringFault or ReminderExists. */
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

  /** Reminders in the order of their next firing. */
  async list(type?: string, id?: string): Promise<readonly Reminder[]> {
    await this.#options.file.settled()
    return this.#store.list(type, id)
  }

  /** Deletes a reminder. Settles once the file has the deletion. Resolves with false for an unknown one. */
  async delete(name: FiringName): Promise<boolean> {
    return this.#options.file.change(() => this.#series.remove(this.#store.find(name)))
  }

  /** Deletes all reminders of a type, or of one actor. */
  async deleteAll(type: string, id?: string): Promise<void> {
    await this.#options.file.change(() => {
      for (const each of this.#store.list(type, id)) this.#series.remove(each)
    })
  }

  /** Fires a reminder now, besides its plan and counts. Undefined for an unknown one. */
  async fire(name: FiringName): Promise<ActorAnswer | undefined> {
    const found = await this.get(name)
    return found && this.#run(requestOf(found), {})
  }

  close(): void {
    this.#series.isClosed = true
  }

  async #fire(key: number): Promise<void> {
    // a result that cannot be kept as the run ends is delivered again by the next run
    const isTaken = await this.#series.deliver(key).catch(() => true)
    if (!isTaken) this.#series.release(key)
  }

  /** Waits for the actor's turn; a reminder that is deleted meanwhile is not delivered. */
  async #deliver(reminder: Reminder): Promise<Fired> {
    const {catchesUp = false, wakeUps} = this.#options
    const {key, due, step, attempts, expires = Infinity} = reminder
    let isMissed = wakeUps.date() - due > LATE_MS
    let planned = due
    const options: TurnOptions = {
      isPatient: true,
      isWanted: () => !this.#series.isClosed && this.#store.at(key)?.isDue === true,
      onBegin: wasHeld => {
        this.#waiting.delete(key) // the app has received the firing
        isMissed ||= wasHeld
        if (isMissed && attempts === 0 && !catchesUp && step !== undefined)
          planned = latest(due, {months: 0, days: 0, ms: step}, Math.max(due, Math.min(wakeUps.date(), expires))).at
      }
    }
    try {
      const answer = await this.#run({...requestOf(reminder), onStop: end => void this.#waiting.set(key, end)}, options)
      return {...outcomeOf(answer), due: planned}
    } catch (error) {
      // with too many calls in the queue already, the firing is tried again
      const kind = error instanceof ActorError && error.refusal === 'gone' ? 'undeliverable' : 'failed'
      return {kind, answer: messageOf(error), due: planned, isCancelled: false}
    }
  }

  /** Logs how many firings were missed before the latest. */
  #passOver({app, step = 1, due: before, ...name}: Reminder, {due}: Fired): void {
    const passed = Math.round((due - before) / step)
    const words = passed === 1 ? '1 firing was' : `${passed} firings were`
    if (passed > 0) this.#options.log(app, 'warn', `reminder ${fullName(name)}: ${words} missed and passed over`)
  }

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
