import type {LogLevel} from '../../model/plan.ts'
import type {Clock} from '../../platform/clock.ts'
import {keep} from '../keep.ts'
import {Quiet} from '../quiet.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {WorkFile} from '../work-file.ts'

/** What follows a firing that has failed (Dapr: JobFailurePolicy). */
export type FailurePolicy =
  | {readonly kind: 'drop'}
  /** `intervalMs` between two tries; `maxRetries`: undefined: without end. */
  | {readonly kind: 'constant'; readonly intervalMs: number; readonly maxRetries?: number | undefined}

/** Three more tries, a second apart (Dapr: pkg/actors/internal/reminders, pkg/api/universal/jobs.go). */
export const DEFAULT_POLICY: FailurePolicy = {kind: 'constant', intervalMs: 1000, maxRetries: 3}

/** What jobs and reminders have in common: a row, until its last firing is done. */
export interface Planned {
  readonly key: number
  readonly app: string
  readonly policy: FailurePolicy
  /** Failed tries of the firing that is due. */
  readonly attempts: number
  /** Its time has come, and it is not done: no wake-up waits for it. */
  readonly isDue: boolean
  readonly isPaused?: boolean
}

/** What became of a firing. `undeliverable`: the app has not got it, and will later. */
export interface Delivered {
  readonly kind: 'done' | 'failed' | 'undeliverable'
  readonly answer: string
}

/** The table of a series. */
export interface PlannedRows<R extends Planned> {
  readonly at: (key: number) => R | undefined
  /** `change`: of what each series has. */
  readonly update: (key: number, change: {readonly attempts?: number; readonly isDue?: boolean}) => void
  readonly delete: (key: number) => void
  /** Those that are due, in their order. */
  readonly due: () => readonly R[]
}

export interface SeriesOptions {
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  readonly clock: Clock
  /** All firings come that were missed, not only the latest. */
  readonly catchesUp?: boolean
  /** Writes to the log of an app's sidecar. */
  readonly log: (app: string, level: LogLevel, text: string) => void
}

interface SeriesKind<R extends Planned, D extends Delivered> extends SeriesOptions {
  readonly kind: string
  /** What logs call one of its firings. */
  readonly unit: string
  readonly rows: PlannedRows<R>
  /** What `skip` reports of a firing. */
  readonly nameOf: (row: R) => object
  /** As logs name it. */
  readonly title: (row: R) => string
  /** Called when it has become due, and that is kept; once until it is released. */
  readonly onDue: (row: R) => void
  readonly deliver: (row: R) => Promise<D>
  /** Writes what follows a firing that is done or given up; returns when the next one comes, undefined: none does. */
  readonly advance: (row: R, delivered: D) => number | undefined
  /** Writes what a failed try leaves. */
  readonly onRetry: (row: R, delivered: D) => void
}

/**
 * Fires what is planned, from a table of the file (Dapr: its scheduler, diagridio/go-etcd-cron). A firing is marked as due with the change that
 * removes its wake-up, and stays so until its app has answered and what became of it is kept: the next run delivers it again.
 */
export class FiringSeries<R extends Planned, D extends Delivered = Delivered> {
  readonly #options: SeriesKind<R, D>
  readonly #quiet: Quiet
  /** Keys of those that were announced as due, until they are done. True: and once more since. */
  readonly #announced = new Map<number, boolean>()
  #delivering = 0
  isClosed = false

  constructor(options: SeriesKind<R, D>) {
    this.#options = options
    const {kind, file, wakeUps, clock, rows} = options
    this.#quiet = new Quiet(clock, () => this.#delivering > 0)
    wakeUps.serve(kind, ({owner}) => this.#fallDue(owner), {isSeries: true})
    wakeUps.onSettle(async maxMs => this.quiet(maxMs))
    const left = rows.due()
    setImmediate(() => left.forEach(row => this.#announce(row)))
    // one that seemed to be gone is due all the same
    file.onUndone(() => rows.due().forEach(row => this.#announce(row)))
  }

  #announce(row: R): void {
    const isKnown = this.#announced.has(row.key)
    this.#announced.set(row.key, isKnown)
    if (!isKnown && !this.isClosed) this.#options.onDue(row)
  }

  /** It is done, or not due as far as is known. */
  release(key: number): void {
    const isAgain = this.#announced.get(key) === true
    this.#announced.delete(key)
    const row = isAgain ? this.#options.rows.at(key) : undefined
    if (row?.isDue === true) this.#announce(row)
  }

  /** Resolves once nothing is being delivered: with true, or with false after that time. */
  async quiet(maxMs: number): Promise<boolean> {
    return this.#quiet.within(maxMs)
  }

  /** Plans the next firing. To be called within a change of the file, as are those below. */
  wake(row: R, due: number | undefined): void {
    if (due === undefined) return
    const {kind, wakeUps, nameOf} = this.#options
    wakeUps.addAt(kind, {due, owner: row.key, name: JSON.stringify(nameOf(row)), data: new Uint8Array(0)})
  }

  /** No firing comes until it is planned again. */
  unplan({key}: R): void {
    this.#options.wakeUps.removeOf(this.#options.kind, key)
  }

  /** False: there was none. */
  remove(row: R | undefined): boolean {
    if (row === undefined) return false
    this.#options.rows.delete(row.key)
    this.unplan(row)
    return true
  }

  #fallDue(key: number): void {
    const {rows, file} = this.#options
    const row = rows.at(key)
    if (row === undefined || row.isPaused === true) return
    rows.update(key, {isDue: true})
    file.afterCommit(() => this.#announce(row))
  }

  /** Delivers one that is due, and keeps what became of it; false: the app could not take it. One that was paused while its app had it is left. */
  async deliver(key: number): Promise<boolean> {
    const {rows, deliver} = this.#options
    const row = rows.at(key)
    if (row?.isDue !== true) {
      this.release(key)
      return true
    }
    if (row.isPaused === true) {
      await keep(this.#options, () => rows.at(key)?.isPaused === true && rows.update(key, {isDue: false}))
      return this.deliver(key)
    }
    return this.track(async () => {
      const delivered = await deliver(row)
      if (this.isClosed || delivered.kind === 'undeliverable') return false
      await keep(this.#options, () => this.#settle(key, delivered))
      this.release(key)
      return true
    })
  }

  /** `skip` waits for it. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    this.#delivering++
    try {
      return await work()
    } finally {
      this.#delivering--
      this.#quiet.changed()
    }
  }

  /** It is done, or tried again; then the plan goes on, if the row is still there. */
  #settle(key: number, delivered: D): void {
    const {rows, advance, onRetry, wakeUps, unit} = this.#options
    const row = rows.at(key)
    if (row === undefined || this.isClosed) return
    const {policy, attempts, app, isPaused} = row
    const {kind, answer} = delivered
    if (kind === 'failed') {
      const title = `${this.#options.title(row)} failed: ${answer}`
      if (policy.kind === 'constant' && attempts < (policy.maxRetries ?? Infinity)) {
        this.#options.log(app, 'warn', `${title}; it is tried again`)
        onRetry(row, delivered)
        rows.update(key, {attempts: attempts + 1, isDue: false})
        return this.wake(row, wakeUps.date() + policy.intervalMs)
      }
      this.#options.log(app, 'error', `${title}; this ${unit} is given up`)
    }
    const next = advance(row, delivered)
    if (next === undefined) return void this.remove(row)
    rows.update(key, {attempts: 0, isDue: false})
    if (isPaused !== true) this.wake(row, next)
  }
}
