import type {Clock} from '../platform/clock.ts'
import {column, Statements, type RowOf} from './rows.ts'
import {WriteFault, type WorkFile} from './work-file.ts'

const {blob, number, text} = column

const COLUMNS = {id: number, due: number, kind: text, owner: number, name: text, data: blob}

/** Work that is due at a time, in ms since 1970. `owner`: key of a row in the table of its kind, for example of a job. */
export type WakeUp = RowOf<typeof COLUMNS>

type NewWakeUp = Omit<WakeUp, 'id' | 'kind'>

/** Handles a wake-up, within the change that removes it. */
type Fire = (wakeUp: WakeUp) => void

/** A wake-up that was fired. `fault`: the error for which its change was undone. */
interface Tried {
  readonly wakeUp: WakeUp
  readonly fault?: unknown
}

/** Whether the handler of a wake-up has failed; false also if the file could not be written. */
const hasFailed = ({fault}: Tried): boolean => fault !== undefined && !(fault instanceof WriteFault)

/** Maximum time between two checks of the clock, in ms: the machine may have slept, or its clock was set. */
const CHECK_MS = 10_000
/** Pause before a failed wake-up fires again, in ms. */
const RETRY_MS = 10_000
/** Condition for kinds with a handler. Wake-ups of a newer version's kinds stay in the file. */
const SERVED = 'kind IN (SELECT value FROM json_each(?))'
const UNHELD = "(kind || ' ' || owner) NOT IN (SELECT value FROM json_each(?))"
const INSERT = 'INSERT INTO wake_ups (due, kind, owner, name, data) VALUES (?, ?, ?, ?, ?)'
const DELETE = 'DELETE FROM wake_ups WHERE id = ?'
const POSTPONE = 'UPDATE wake_ups SET due = ? WHERE id = ?'
const FIRST = `SELECT due FROM wake_ups WHERE ${SERVED} AND ${UNHELD} ORDER BY due LIMIT 1`
/** Latest time that a Date can hold, and negative the earliest. Later ones are limited: node:sqlite reads no number beyond 2^53. */
const MAX_DUE = 8.64e15
/** Maximum number of wake-ups in one transaction. Between two of them the event loop does other work. */
const BATCH = 50
const DUE = `SELECT * FROM wake_ups WHERE ${SERVED} AND ${UNHELD} AND due <= ? ORDER BY due, id LIMIT ${BATCH}`

/**
 * The timers of workflows, jobs and reminders, stored as rows, so that they outlive the run. A single timer of the process waits for the
 * first row. Times in the file are by the file's clock, which skips advance; callers use the machine's clock.
 */
export class WakeUps {
  readonly #file: WorkFile
  readonly #clock: Clock
  readonly #sql: Statements
  readonly #handlers = new Map<string, Fire>()
  /** The kinds with a handler, as a JSON list. */
  #servedKinds = '[]'
  readonly #seriesKinds = new Set<string>()
  /** Owners (`kind owner`) whose wake-ups a skip holds back, as a JSON list. */
  #heldOwners = '[]'
  readonly #settles: ((maxMs: number) => Promise<boolean>)[] = []
  /** How far skips have advanced the file's clock, in ms. */
  #ahead: number
  #cancelTimer: (() => void) | undefined
  /** The time for which the timer runs, by the file's clock; Infinity: none runs. */
  #nextDue = Infinity
  /** Whether the file has no wake-up, so that no timer is needed. */
  #isIdle = false
  /** Time before which no wake-up fires again after a failure, by the clock's `now`; 0: no failure. */
  #notBefore = 0
  #isClosed = false

  constructor(file: WorkFile, clock: Clock) {
    this.#file = file
    this.#clock = clock
    this.#sql = new Statements(file.database)
    this.#ahead = this.#readAhead()
    file.onCommit(() => {
      if (this.#notBefore > 0) this.#disarm()
      this.#notBefore = 0
      this.#arm()
    })
    file.onUndone(() => {
      this.#ahead = this.#readAhead()
      this.#disarm() // the undone change may have added the first wake-up
      this.#arm()
    })
  }

  /** Registers the handler of a kind, which gets overdue wake-ups soon. `isSeries`: each wake-up of an owner plans its next one. */
  serve(kind: string, fire: Fire, {isSeries = false} = {}): void {
    this.#handlers.set(kind, fire)
    if (isSeries) this.#seriesKinds.add(kind)
    this.#servedKinds = JSON.stringify([...this.#handlers.keys()])
    this.#disarm()
    this.#arm()
  }

  /** Registers a function that waits for the work of wake-ups, and resolves with true when that is done, with false after `maxMs`. */
  onSettle(settle: (maxMs: number) => Promise<boolean>): void {
    this.#settles.push(settle)
  }

  /** Resolves with true when the work that wake-ups have started is done, or with false after `maxMs`. */
  async settled(maxMs: number): Promise<boolean> {
    return (await Promise.all(this.#settles.map(async settle => settle(maxMs)))).every(Boolean)
  }

  /** How far the times in the file are ahead of the clock, in ms. */
  get ahead(): number {
    return this.#ahead
  }

  /** Adds a wake-up at a time of the machine's clock. Call it, `addAt`, `fireNow` and the removals within a change of the file. */
  add(kind: string, {due, owner, name, data}: NewWakeUp): void {
    const at = Math.max(-MAX_DUE, Math.min(due + this.#ahead, MAX_DUE))
    this.#sql.run(INSERT, at, kind, owner, name, data)
    if (at < this.#nextDue) this.#disarm() // the commit arms the timer again
  }

  /** Adds a wake-up at a time of the file's clock. */
  addAt(kind: string, wakeUp: NewWakeUp): void {
    this.add(kind, {...wakeUp, due: wakeUp.due - this.#ahead})
  }

  of(kind: string, owner: number): readonly WakeUp[] {
    const sql = 'SELECT * FROM wake_ups WHERE owner = ? AND kind = ?'
    return this.#sql.all(COLUMNS, sql, owner, kind).map(row => this.#wakeUpOf(row))
  }

  /** Fires a wake-up now, within the change that calls this. */
  fireNow(wakeUp: WakeUp): void {
    this.#sql.run(DELETE, wakeUp.id)
    this.#handlers.get(wakeUp.kind)?.(wakeUp)
  }

  /** Returns the time until the first wake-up in ms, 0 if it is due; undefined without one. */
  firstIn(): number | undefined {
    const due = this.#firstDue()
    return due === undefined ? undefined : Math.max(0, due - this.date())
  }

  /** Advances the file's clock by `ms`, permanently, and fires up to `BATCH` due wake-ups. Resolves with them after the commit. */
  async skip(ms: number): Promise<readonly WakeUp[]> {
    const skipped = this.#file.change(() => {
      this.#ahead += ms
      this.#file.database.exec(`DELETE FROM clock; INSERT INTO clock VALUES (${this.#ahead})`)
      this.#disarm()
    })
    const fired = this.#fire(this.#dueRows())
    await skipped
    return fired
  }

  isSeries(kind: string): boolean {
    return this.#seriesKinds.has(kind)
  }

  /** Holds back the wake-ups of these owners (`kind owner`) until the next call; empty: none. */
  hold(owners: ReadonlySet<string>): void {
    this.#heldOwners = JSON.stringify([...owners])
    this.#disarm()
    this.#arm()
  }

  /** Removes a wake-up. Returns false if it is gone. */
  remove(id: number): boolean {
    return this.#sql.run(DELETE, id) > 0
  }

  removeOf(kind: string, owner: number): void {
    this.#sql.run('DELETE FROM wake_ups WHERE owner = ? AND kind = ?', owner, kind)
  }

  close(): void {
    this.#isClosed = true
    this.#disarm()
  }

  #disarm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#nextDue = Infinity
    this.#isIdle = false
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined || this.#isIdle || this.#isClosed) return
    const due = this.#firstDue()
    this.#isIdle = due === undefined
    if (due === undefined) return
    this.#nextDue = due
    const waitMs = Math.max(0, due - this.date(), this.#notBefore - this.#clock.now())
    this.#cancelTimer = this.#clock.after(Math.min(CHECK_MS, waitMs), () => this.#fireDue())
  }

  #fireDue(): void {
    this.#disarm()
    const rows = this.#dueRows()
    if (rows.length === 0) return this.#arm()
    void this.#fire(rows)
  }

  /** Fires wake-ups in one change. If that fails, fires each in its own change, and postpones those that fail. Returns the others. */
  async #fire(rows: readonly WakeUp[]): Promise<readonly WakeUp[]> {
    // until the commit, which resets this: if the file cannot be written, other changes report the error
    this.#notBefore = this.#clock.now() + RETRY_MS
    const together = await this.#tryInOneChange(rows)
    const isOneFailing = together.length > 1 && together.some(hasFailed)
    // reads the rows again: some may have been removed meanwhile
    const tried = isOneFailing
      ? (await Promise.all(this.#dueRows().map(async row => this.#tryInOneChange([row])))).flat()
      : together
    const postponed = tried.filter(hasFailed)
    const again = this.date() + RETRY_MS
    const postpone = (): void => postponed.forEach(({wakeUp: {id}}) => this.#sql.run(POSTPONE, again, id))
    if (postponed.length > 0) await this.#file.change(postpone).catch(() => undefined)
    this.#disarm()
    this.#arm()
    return tried.filter(({fault}) => fault === undefined).map(({wakeUp}) => wakeUp)
  }

  async #tryInOneChange(rows: readonly WakeUp[]): Promise<readonly Tried[]> {
    const wakeUps = rows.map(row => this.#wakeUpOf(row))
    try {
      await this.#file.change(() => wakeUps.forEach(each => this.fireNow(each)))
      return wakeUps.map(wakeUp => ({wakeUp}))
    } catch (fault) {
      return wakeUps.map(wakeUp => ({wakeUp, fault}))
    }
  }

  /** The time of the first wake-up, by the clock of the file; undefined: none is stored. */
  #firstDue(): number | undefined {
    return this.#sql.get({due: number}, FIRST, this.#servedKinds, this.#heldOwners)?.due
  }

  #dueRows(): readonly WakeUp[] {
    return this.#sql.all(COLUMNS, DUE, this.#servedKinds, this.#heldOwners, this.date())
  }

  /** Returns the current time of the file, skips included, in ms since 1970. */
  date(): number {
    return this.#clock.date() + this.#ahead
  }

  #wakeUpOf(row: WakeUp): WakeUp {
    return {...row, due: row.due - this.#ahead}
  }

  #readAhead(): number {
    return this.#sql.get({ahead: number}, 'SELECT ahead FROM clock')?.ahead ?? 0
  }
}
