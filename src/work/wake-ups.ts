import type {StatementSync} from 'node:sqlite'
import type {Clock} from '../platform/clock.ts'
import type {WorkFile} from './work-file.ts'

/** Something that has to be done at a time. */
export interface WakeUp {
  readonly id: number
  /** Milliseconds since 1970. */
  readonly due: number
  /** Whose it is: a row of a table of its kind. */
  readonly owner: number
  readonly name: string
  readonly data: Uint8Array
}

/** Does it, within the change that removes it. */
type Fire = (wakeUp: WakeUp) => void

/** A laptop that slept, or whose clock was set, finds out so late at most. */
const LOOK_MS = 10_000
/** Others are left as they are: a later run may know them. */
const SERVED = 'kind IN (SELECT value FROM json_each(?))'
/** So many fire in one transaction. */
const BATCH = 500

/** All that waits for a time, in the file: it survives the run, and the first one due is found there. */
export class WakeUps {
  readonly #file: WorkFile
  readonly #clock: Clock
  readonly #kinds = new Map<string, Fire>()
  readonly #insert: StatementSync
  readonly #delete: StatementSync
  readonly #deleteOf: StatementSync
  readonly #firstNamed: StatementSync
  readonly #first: StatementSync
  readonly #due: StatementSync
  /** The kinds, as a list in JSON. */
  #served = '[]'
  #stop: (() => void) | undefined
  /** When the armed timer looks; Infinity: never. */
  #next = Infinity
  /** It does not look earlier, by the clock's `now`. */
  #notBefore = 0
  #isClosed = false

  constructor(file: WorkFile, clock: Clock) {
    this.#file = file
    this.#clock = clock
    const {database} = file
    this.#insert = database.prepare('INSERT INTO wake_ups (due, kind, owner, name, data) VALUES (?, ?, ?, ?, ?)')
    this.#delete = database.prepare('DELETE FROM wake_ups WHERE id = ?')
    this.#deleteOf = database.prepare('DELETE FROM wake_ups WHERE owner = ? AND kind = ?')
    this.#firstNamed = database.prepare(
      'SELECT id FROM wake_ups WHERE owner = ? AND kind = ? AND name = ? ORDER BY id LIMIT 1'
    )
    this.#first = database.prepare(`SELECT due FROM wake_ups WHERE ${SERVED} ORDER BY due LIMIT 1`)
    this.#due = database.prepare(
      `SELECT id, due, kind, owner, name, data FROM wake_ups WHERE ${SERVED} AND due <= ? ORDER BY due, id LIMIT ${BATCH}`
    )
    file.onCommit(() => this.#arm())
    file.onUndone(() => this.#arm()) // the change that is undone may have disarmed it
  }

  /** Who does what is of a kind. What is due already is done at once. */
  serve(kind: string, fire: Fire): void {
    this.#kinds.set(kind, fire)
    this.#served = JSON.stringify([...this.#kinds.keys()])
    this.#disarm()
    this.#arm()
  }

  /** To be called within a change of the file, as are those below. */
  add(kind: string, {due, owner, name, data}: Omit<WakeUp, 'id'>): void {
    this.#insert.run(due, kind, owner, name, data)
    if (due < this.#next) this.#disarm()
  }

  /** Removes all of an owner. */
  removeOf(kind: string, owner: number): void {
    this.#deleteOf.run(owner, kind)
  }

  /** Removes the oldest of this name, if there is one. */
  removeFirst(kind: string, owner: number, name: string): void {
    const id = this.#firstNamed.get(owner, kind, name)?.['id']
    if (typeof id === 'number') this.#delete.run(id)
  }

  close(): void {
    this.#isClosed = true
    this.#disarm()
  }

  #disarm(): void {
    this.#stop?.()
    this.#stop = undefined
    this.#next = Infinity
  }

  #arm(): void {
    if (this.#stop !== undefined || this.#isClosed) return
    const due = this.#first.get(this.#served)?.['due']
    if (typeof due !== 'number') return
    this.#next = due
    const waitMs = Math.max(0, due - this.#clock.date(), this.#notBefore - this.#clock.now())
    this.#stop = this.#clock.after(Math.min(LOOK_MS, waitMs), () => this.#look())
  }

  #look(): void {
    this.#disarm()
    const rows = this.#due.all(this.#served, this.#clock.date())
    if (rows.length === 0) return this.#arm()
    // what cannot be done is tried again then; who else changes the file says that it cannot be written
    this.#notBefore = this.#clock.now() + LOOK_MS
    void this.#fire(rows)
  }

  async #fire(rows: readonly Record<string, unknown>[]): Promise<void> {
    try {
      await this.#file.change(() => {
        for (const row of rows) {
          this.#delete.run(Number(row['id']))
          this.#kinds.get(String(row['kind']))?.(row as unknown as WakeUp)
        }
      })
    } catch {
      return
    }
    this.#notBefore = 0
    this.#disarm()
    this.#arm()
  }
}
