import type {Clock} from '../platform/clock.ts'
import {column, Statements, type RowOf} from './rows.ts'
import {WriteFault, type WorkFile} from './work-file.ts'

const {blob, number, text} = column

const COLUMNS = {id: number, due: number, kind: text, owner: number, name: text, data: blob}

/** Work at a time, in ms since 1970. `owner`: key of a row in the table of its kind. */
export type WakeUp = RowOf<typeof COLUMNS>

type NewWakeUp = Omit<WakeUp, 'id' | 'kind'>

/** Handles a wake-up, within the change that removes it. */
type Fire = (wakeUp: WakeUp) => void

/** `fault`: the error of its change, which is not kept. */
interface Tried {
  readonly wakeUp: WakeUp
  readonly fault?: unknown
}

/** Whether a wake-up itself has failed, not the file. */
const hasFailed = ({fault}: Tried): boolean => fault !== undefined && !(fault instanceof WriteFault)

/** Interval of looks at the clock, in ms: the machine may have slept, or its clock was set. */
const LOOK_MS = 10_000
/** Condition for known kinds. Others are left for a later version. */
const SERVED = 'kind IN (SELECT value FROM json_each(?))'
const UNHELD = "(kind || ' ' || owner) NOT IN (SELECT value FROM json_each(?))"
const INSERT = 'INSERT INTO wake_ups (due, kind, owner, name, data) VALUES (?, ?, ?, ?, ?)'
const DELETE = 'DELETE FROM wake_ups WHERE id = ?'
const LATER = 'UPDATE wake_ups SET due = ? WHERE id = ?'
const FIRST = `SELECT due FROM wake_ups WHERE ${SERVED} AND ${UNHELD} ORDER BY due LIMIT 1`
/** Latest time that a Date can hold, and negative the earliest: SQLite returns no number beyond 2^53. */
const MAX_DUE = 8.64e15
/** Maximum number of wake-ups in one transaction: in between, other work runs and first answers arrive. */
const BATCH = 50
const DUE = `SELECT * FROM wake_ups WHERE ${SERVED} AND ${UNHELD} AND due <= ? ORDER BY due, id LIMIT ${BATCH}`

/** Wake-ups, all stored as rows of the file, so that they outlive the run. Only the first due one is known in memory. */
export class WakeUps {
  readonly #file: WorkFile
  readonly #clock: Clock
  readonly #kinds = new Map<string, Fire>()
  readonly #series = new Set<string>()
  /** Owners (`kind owner`) whose wake-ups a skip holds back, as a JSON list. */
  #held = '[]'
  readonly #settles: ((maxMs: number) => Promise<boolean>)[] = []
  readonly #sql: Statements
  /** The kinds, as a list in JSON. */
  #served = '[]'
  /** Lead of the file's clock, in ms: all skips so far. Times in the file include it. */
  #ahead: number
  #stop: (() => void) | undefined
  #next = Infinity
  /** The file was searched, and has no wake-up. */
  #isIdle = false
  /** The file is not searched before this time, by the clock's `now`. */
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
      this.#disarm() // an undone change may alter the next time
      this.#arm()
    })
  }

  /** Registers the handler of a kind; `isSeries`: one owner has one wake-up after the other. Wake-ups that are due already fire at once. */
  serve(kind: string, fire: Fire, {isSeries = false} = {}): void {
    this.#kinds.set(kind, fire)
    if (isSeries) this.#series.add(kind)
    this.#served = JSON.stringify([...this.#kinds.keys()])
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

  /** Adds a wake-up at a time of the machine's clock. Call it within a change of the file, as `addAt`, `fireNow` and the removals. */
  add(kind: string, {due, owner, name, data}: NewWakeUp): void {
    const at = Math.max(-MAX_DUE, Math.min(due + this.#ahead, MAX_DUE))
    this.#sql.run(INSERT, at, kind, owner, name, data)
    if (at < this.#next) this.#disarm()
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
    this.#kinds.get(wakeUp.kind)?.(wakeUp)
  }

  /** Returns the time until the first wake-up in ms, 0 if it is due; undefined without one. */
  firstIn(): number | undefined {
    const due = this.#first()
    return due === undefined ? undefined : Math.max(0, due - this.date())
  }

  /** Moves all wake-ups nearer by `ms`, permanently, and fires the first due ones. Resolves with them once the change is stored. */
  async skip(ms: number): Promise<readonly WakeUp[]> {
    const skipped = this.#file.change(() => {
      this.#ahead += ms
      this.#file.database.exec(`DELETE FROM clock; INSERT INTO clock VALUES (${this.#ahead})`)
      this.#disarm()
    })
    const fired = this.#fire(this.#due())
    await skipped
    return fired
  }

  /** Whether wake-ups of this kind are series, which may be held back. */
  isSeries(kind: string): boolean {
    return this.#series.has(kind)
  }

  /** Holds back the wake-ups of these owners (`kind owner`) until the next call; empty: none. */
  hold(owners: ReadonlySet<string>): void {
    this.#held = JSON.stringify([...owners])
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
    this.#stop?.()
    this.#stop = undefined
    this.#next = Infinity
    this.#isIdle = false
  }

  #arm(): void {
    if (this.#stop !== undefined || this.#isIdle || this.#isClosed) return
    const due = this.#first()
    this.#isIdle = due === undefined
    if (due === undefined) return
    this.#next = due
    const waitMs = Math.max(0, due - this.date(), this.#notBefore - this.#clock.now())
    this.#stop = this.#clock.after(Math.min(LOOK_MS, waitMs), () => this.#look())
  }

  #look(): void {
    this.#disarm()
    const rows = this.#due()
    if (rows.length === 0) return this.#arm()
    void this.#fire(rows)
  }

  /** Fires wake-ups in one change. If that fails, fires each in its own change: a failing one is postponed, and delays no other. */
  async #fire(rows: readonly WakeUp[]): Promise<readonly WakeUp[]> {
    // a failed change is not repeated before this time; other changes of the file report the error
    this.#notBefore = this.#clock.now() + LOOK_MS
    const together = await this.#tryInOneChange(rows)
    // some may have been removed meanwhile
    const isOneFailing = together.length > 1 && together.some(hasFailed)
    const tried = isOneFailing
      ? (await Promise.all(this.#due().map(async row => this.#tryInOneChange([row])))).flat()
      : together
    const postponed = tried.filter(hasFailed)
    const again = this.date() + LOOK_MS
    const postpone = (): void => postponed.forEach(({wakeUp: {id}}) => this.#sql.run(LATER, again, id))
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

  /** The time of the first wake-up, by the clock of the file. */
  #first(): number | undefined {
    return this.#sql.get({due: number}, FIRST, this.#served, this.#held)?.due
  }

  #due(): readonly WakeUp[] {
    return this.#sql.all(COLUMNS, DUE, this.#served, this.#held, this.date())
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
