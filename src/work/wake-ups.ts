import type {Clock} from '../platform/clock.ts'
import {column, Statements, type RowOf} from './rows.ts'
import type {WorkFile} from './work-file.ts'

const {blob, number, text} = column

const COLUMNS = {id: number, due: number, kind: text, owner: number, name: text, data: blob}

/** Something that has to be done at a time, in ms since 1970. `owner`: a row of a table of its kind. */
export type WakeUp = RowOf<typeof COLUMNS>

type NewWakeUp = Omit<WakeUp, 'id' | 'kind'>

/** Does it, within the change that removes it. */
type Fire = (wakeUp: WakeUp) => void

/** A laptop that slept, or whose clock was set, finds out so late at most. */
const LOOK_MS = 10_000
/** Others are left as they are: a later run may know them. */
const SERVED = 'kind IN (SELECT value FROM json_each(?))'
const UNHELD = "(kind || ' ' || owner) NOT IN (SELECT value FROM json_each(?))"
const INSERT = 'INSERT INTO wake_ups (due, kind, owner, name, data) VALUES (?, ?, ?, ?, ?)'
const DELETE = 'DELETE FROM wake_ups WHERE id = ?'
const FIRST = `SELECT due FROM wake_ups WHERE ${SERVED} AND ${UNHELD} ORDER BY due LIMIT 1`
/** So many fire in one transaction: then others have their turn, and answers of the first ones come in. */
const BATCH = 50
const DUE = `SELECT * FROM wake_ups WHERE ${SERVED} AND ${UNHELD} AND due <= ? ORDER BY due, id LIMIT ${BATCH}`

/** All that waits for a time, in the file: it survives the run, and the first one due is found there. */
export class WakeUps {
  readonly #file: WorkFile
  readonly #clock: Clock
  readonly #kinds = new Map<string, Fire>()
  readonly #series = new Set<string>()
  /** While time is let pass: what has fired often enough is left until it ends, as a list in JSON; `kind owner` each. */
  #held = '[]'
  readonly #settles: ((maxMs: number) => Promise<boolean>)[] = []
  readonly #sql: Statements
  /** The kinds, as a list in JSON. */
  #served = '[]'
  /** How far what waits is ahead of the clock, in ms: what was skipped so far. Times in the file are ahead by that. */
  #ahead: number
  #stop: (() => void) | undefined
  #next = Infinity
  /** It was looked, and nothing waits. */
  #isIdle = false
  /** It does not look earlier, by the clock's `now`. */
  #notBefore = 0
  #isClosed = false

  constructor(file: WorkFile, clock: Clock) {
    this.#file = file
    this.#clock = clock
    this.#sql = new Statements(file.database)
    this.#ahead = this.#readAhead()
    file.onCommit(() => this.#arm())
    file.onUndone(() => {
      this.#ahead = this.#readAhead()
      this.#disarm() // what is undone may be another look than the last one saw
      this.#arm()
    })
  }

  /** Who does what is of a kind; `isSeries`: one owner has one after the other. What is due already is done at once. */
  serve(kind: string, fire: Fire, {isSeries = false} = {}): void {
    this.#kinds.set(kind, fire)
    if (isSeries) this.#series.add(kind)
    this.#served = JSON.stringify([...this.#kinds.keys()])
    this.#disarm()
    this.#arm()
  }

  /** What fires sets off work that who lets time pass waits for: settles when it is done, with false after so many ms. */
  onSettle(settle: (maxMs: number) => Promise<boolean>): void {
    this.#settles.push(settle)
  }

  /** Settles when what has fired is done; false: some of it is not, after so many ms. */
  async settled(maxMs: number): Promise<boolean> {
    return (await Promise.all(this.#settles.map(async settle => settle(maxMs)))).every(Boolean)
  }

  /** How far the times in the file are ahead of the clock, in ms. */
  get ahead(): number {
    return this.#ahead
  }

  /** To be called within a change of the file, as are those below. */
  add(kind: string, {due, owner, name, data}: NewWakeUp): void {
    this.#sql.run(INSERT, due + this.#ahead, kind, owner, name, data)
    if (due + this.#ahead < this.#next) this.#disarm()
  }

  /** The same at a time of the clock of what waits. */
  addAt(kind: string, wakeUp: NewWakeUp): void {
    this.add(kind, {...wakeUp, due: wakeUp.due - this.#ahead})
  }

  of(kind: string, owner: number): readonly WakeUp[] {
    const sql = 'SELECT * FROM wake_ups WHERE owner = ? AND kind = ?'
    return this.#sql.all(COLUMNS, sql, owner, kind).map(row => this.#wakeUpOf(row))
  }

  /** It fires now, within the change that calls this. */
  fireNow(wakeUp: WakeUp): void {
    this.#sql.run(DELETE, wakeUp.id)
    this.#kinds.get(wakeUp.kind)?.(wakeUp)
  }

  /** How many ms the first one is away (0: it is due); undefined: nothing waits. */
  firstIn(): number | undefined {
    const due = this.#first()
    return due === undefined ? undefined : Math.max(0, due - this.date())
  }

  /** Brings all that waits nearer by so many ms, for good, and fires what is due then; settles when that is kept. */
  async skip(ms: number): Promise<readonly WakeUp[]> {
    return this.#file.change(() => {
      this.#ahead += ms
      this.#file.database.exec(`DELETE FROM clock; INSERT INTO clock VALUES (${this.#ahead})`)
      this.#disarm()
      return this.#fireRows(this.#due())
    })
  }

  /** Whether it is one of a series, which may be held. */
  isSeries(kind: string): boolean {
    return this.#series.has(kind)
  }

  /** Leaves those of these owners (`kind owner`) as they are, until it is called with none. */
  hold(owners: ReadonlySet<string>): void {
    this.#held = JSON.stringify([...owners])
    this.#disarm()
    this.#arm()
  }

  remove(id: number): void {
    this.#sql.run(DELETE, id)
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
    // what cannot be done is tried again then; who else changes the file says that it cannot be written
    this.#notBefore = this.#clock.now() + LOOK_MS
    void this.#fire(rows)
  }

  async #fire(rows: readonly WakeUp[]): Promise<void> {
    try {
      await this.#file.change(() => this.#fireRows(rows))
      this.#notBefore = 0
      this.#disarm()
    } catch {
      // it is tried again
    }
    this.#arm()
  }

  /** When the first one is due, by the clock of the file. */
  #first(): number | undefined {
    return this.#sql.get({due: number}, FIRST, this.#served, this.#held)?.due
  }

  #due(): readonly WakeUp[] {
    return this.#sql.all(COLUMNS, DUE, this.#served, this.#held, this.date())
  }

  #fireRows(rows: readonly WakeUp[]): readonly WakeUp[] {
    return rows.map(row => {
      const wakeUp = this.#wakeUpOf(row)
      this.fireNow(wakeUp)
      return wakeUp
    })
  }

  /** The time of the clock of what waits: ahead by what was skipped. Milliseconds since 1970. */
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
