import type {DatabaseSync, StatementSync} from 'node:sqlite'
import type {FiringName} from './timers.ts'

/** The kind of their wake-ups. */
export const REMINDER = 'reminder'

/** What follows a firing that has failed. */
export interface FailurePolicy {
  /** Between two tries, in ms. */
  readonly intervalMs: number
  /** After the first one; undefined: for ever. */
  readonly retries: number | undefined
}

/** A reminder as it is kept. Times are those of the file: ahead of the clock by what was skipped. */
export interface Reminder extends FiringName {
  readonly key: number
  /** The app that has set it. */
  readonly app: string
  readonly due: number
  /** In ms; null: it fires once. */
  readonly step: number | null
  /** How often it fires, this time too; null: without end. */
  readonly remaining: number | null
  readonly expires: number | null
  readonly dueTime: string
  readonly period: string
  readonly ttl: string
  /** JSON. */
  readonly data: string | null
  readonly policy: FailurePolicy
}

const COLUMNS = 'app, type, id, name, due, step, remaining, expires, dueTime, period, ttl, data, policy'

const reminderOf = (row: Readonly<Record<string, unknown>>): Reminder => ({
  ...(row as unknown as Reminder),
  policy: JSON.parse(String(row['policy'])) as FailurePolicy
})

/** The reminders in the file. Writes are to be called within a change of it. */
export class ReminderStore {
  readonly #insert: StatementSync
  readonly #delete: StatementSync
  readonly #move: StatementSync
  readonly #byName: StatementSync
  readonly #byKey: StatementSync
  readonly #all: StatementSync
  readonly #idle: StatementSync

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      `INSERT INTO reminders (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key`
    )
    this.#delete = database.prepare('DELETE FROM reminders WHERE key = ?')
    this.#move = database.prepare('UPDATE reminders SET due = ?, remaining = ? WHERE key = ?')
    this.#byName = database.prepare(`SELECT key, ${COLUMNS} FROM reminders WHERE type = ? AND id = ? AND name = ?`)
    this.#byKey = database.prepare(`SELECT key, ${COLUMNS} FROM reminders WHERE key = ?`)
    this.#all = database.prepare(
      `SELECT key, ${COLUMNS} FROM reminders WHERE (?1 IS NULL OR type = ?1) AND (?2 IS NULL OR id = ?2) ORDER BY due, key`
    )
    this.#idle = database.prepare(
      `SELECT key, due FROM reminders WHERE key NOT IN (SELECT owner FROM wake_ups WHERE kind = '${REMINDER}')`
    )
  }

  find({type, id, name}: FiringName): Reminder | undefined {
    const row = this.#byName.get(type, id, name)
    return row && reminderOf(row)
  }

  get(key: number): Reminder | undefined {
    const row = this.#byKey.get(key)
    return row && reminderOf(row)
  }

  /** The next one first. Left out: of any type, of any id. */
  list(type?: string, id?: string): readonly Reminder[] {
    return this.#all.all(type ?? null, id ?? null).map(reminderOf)
  }

  /** Those whose firing an earlier run has begun and not ended. */
  begun(): readonly Pick<Reminder, 'key' | 'due'>[] {
    return this.#idle.all() as unknown as readonly Pick<Reminder, 'key' | 'due'>[]
  }

  /** Returns its key. */
  add(each: Omit<Reminder, 'key'>): number {
    const {app, type, id, name, due, step, remaining, expires, dueTime, period, ttl, data, policy} = each
    const times = [due, step, remaining, expires, dueTime, period, ttl] as const
    const row = this.#insert.get(app, type, id, name, ...times, data, JSON.stringify(policy))
    return Number(row?.['key'])
  }

  /** Its next firing. */
  move(key: number, due: number, remaining: number | null): void {
    this.#move.run(due, remaining, key)
  }

  delete(key: number): void {
    this.#delete.run(key)
  }
}
