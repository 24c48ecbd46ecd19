import type {LogLevel} from '../../model/plan.ts'
import type {Clock} from '../../platform/clock.ts'
import {keep} from '../keep.ts'
import {Quiet} from '../quiet.ts'
import type {WakeUps} from '../wake-ups.ts'
import type {WorkFile} from '../work-file.ts'

/** Reaction to a failed firing (Dapr: JobFailurePolicy). */
export type FailurePolicy =
  | {readonly kind: 'drop'}
  /** `intervalMs`: pause before each retry. `maxRetries`: undefined: no limit. */
  | {readonly kind: 'constant'; readonly intervalMs: number; readonly maxRetries?: number | undefined}

/** Dapr's default: three retries, a second apart (Dapr: pkg/actors/internal/reminders, pkg/api/universal/jobs.go). */
export const DEFAULT_POLICY: FailurePolicy = {kind: 'constant', intervalMs: 1000, maxRetries: 3}

/** A row of a job or a reminder: the columns that both have. The row is removed after its last firing. */
export interface Planned {
  readonly key: number
  readonly app: string
  readonly policy: FailurePolicy
  /** Failed tries of the current firing. */
  readonly attempts: number
  /** Whether a firing is due and has no result yet. Such a row has no wake-up. */
  readonly isDue: boolean
  readonly isPaused?: boolean
}

/** The result of a delivery. `undeliverable`: the app could not accept it, so that it is delivered later. */
export interface Delivered {
  readonly kind: 'done' | 'failed' | 'undeliverable'
  readonly answer: string
}

interface PlannedRows<R extends Planned> {
  readonly at: (key: number) => R | undefined
  readonly update: (key: number, change: {readonly attempts?: number; readonly isDue?: boolean}) => void
  readonly delete: (key: number) => void
  readonly due: () => readonly R[]
}

export interface SeriesOptions {
  readonly file: WorkFile
  readonly wakeUps: WakeUps
  readonly clock: Clock
  /** Whether missed firings are all delivered; otherwise only the latest is. */
  readonly catchesUp?: boolean
  /** Writes to the log of an app's sidecar. */
  readonly log: (app: string, level: LogLevel, text: string) => void
}

interface SeriesKind<R extends Planned, D extends Delivered> extends SeriesOptions {
  readonly kind: string
  /** Word for one firing in logs, for example `tick`. */
  readonly unit: string
  readonly rows: PlannedRows<R>
  /** Names a row in the report of a skip. */
  readonly nameOf: (row: R) => object
  /** Names a row in logs. */
  readonly title: (row: R) => string
  /** Called when a firing is due, after the commit; not again until `release`. */
  readonly onDue: (row: R) => void
  readonly deliver: (row: R) => Promise<D>
  /** Called after the commit of a removal. */
  readonly onRemoved?: (row: R) => void
  /** Writes the changes of a finished or abandoned firing. Returns the time of the next firing, if any. */
  readonly advance: (row: R, delivered: D) => number | undefined
  /** Writes the changes of a failed try. */
  readonly onRetry: (row: R, delivered: D) => void
}

/**
 * Fires the rows of one table, of jobs or reminders, as Dapr's scheduler does (diagridio/go-etcd-cron). The change that removes the wake-up
 * of a row marks it as due, until the app's answer is stored. So if this run crashes before, the next run delivers the firing again.
 */
export class FiringSeries<R extends Planned, D extends Delivered = Delivered> {
  readonly #options: SeriesKind<R, D>
  readonly #quiet: Quiet
  /** Keys of rows that `onDue` was called for, until `release`. The value is true if the row was found due again meanwhile. */
  readonly #announced = new Map<number, boolean>()
  #delivering = 0
  isClosed = false

  constructor(options: SeriesKind<R, D>) {
    const {kind, file, wakeUps, clock, rows} = options
    // logs after the commit: while the file cannot be written, `keep` repeats a change each second
    this.#options = {...options, log: (...line) => file.afterCommit(() => options.log(...line))}
    this.#quiet = new Quiet(clock, () => this.#delivering > 0)
    wakeUps.serve(kind, ({owner}) => this.#fallDue(owner), {isSeries: true})
    wakeUps.onSettle(async maxMs => this.#quiet.within(maxMs))
    const dueOfEarlierRun = rows.due()
    setImmediate(() => dueOfEarlierRun.forEach(row => this.#announce(row)))
    // a row whose removal was undone is still due
    file.onUndone(() => rows.due().forEach(row => this.#announce(row)))
  }

  #announce(row: R): void {
    const isKnown = this.#announced.has(row.key)
    this.#announced.set(row.key, isKnown)
    if (!isKnown && !this.isClosed) this.#options.onDue(row)
  }

  /** Lets a row be announced again, and announces it at once if it has become due meanwhile. */
  release(key: number): void {
    const isAgain = this.#announced.get(key) === true
    this.#announced.delete(key)
    const row = isAgain ? this.#options.rows.at(key) : undefined
    if (row?.isDue === true) this.#announce(row)
  }

  /** Plans the next firing, if any. Call it and `remove` within a change of the file. */
  wake(row: R, due: number | undefined): void {
    if (due === undefined) return
    const {kind, wakeUps, nameOf} = this.#options
    wakeUps.addAt(kind, {due, owner: row.key, name: JSON.stringify(nameOf(row)), data: new Uint8Array(0)})
  }

  /** Removes a row and its planned firing. Returns false if there is no row. */
  remove(row: R | undefined): boolean {
    if (row === undefined) return false
    this.#options.rows.delete(row.key)
    this.#options.wakeUps.removeOf(this.#options.kind, row.key)
    this.#options.file.afterCommit(() => this.#options.onRemoved?.(row))
    return true
  }

  #fallDue(key: number): void {
    const {rows, file} = this.#options
    const row = rows.at(key)
    if (row === undefined || row.isPaused === true) return
    rows.update(key, {isDue: true})
    file.afterCommit(() => this.#announce(row))
  }

  /**
   * Delivers a due firing and stores its result. A firing of a paused row is dropped. Resolves with false if the app could not accept the
   * firing, or the run ends: then the row stays due.
   */
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

  /** Runs `work`; `skip` waits until it has settled. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    this.#delivering++
    try {
      return await work()
    } finally {
      this.#delivering--
      this.#quiet.changed()
    }
  }

  /** Writes the result of a delivery, and plans another try or the next firing, if the row still exists. */
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
