import type {DatabaseSync} from 'node:sqlite'
import {column, Table, type RowOf} from '../rows.ts'
import type {FailurePolicy} from '../series/series.ts'
import type {FiringName} from './timers.ts'

const {flag, json, number, optional, text} = column

/** The kind of the wake-ups of reminders. */
export const REMINDER = 'reminder'

/** Columns. `data`: JSON; `due`: the next firing; `step`: ms between two firings; `remaining`: firings left, the next one included. */
const COLUMNS = {
  app: text,
  type: text,
  id: text,
  name: text,
  due: number,
  step: optional(number),
  remaining: optional(number),
  expires: optional(number),
  dueTime: text,
  period: text,
  ttl: text,
  data: optional(text),
  policy: json<FailurePolicy>(),
  attempts: number,
  isDue: flag
}

/** A row of the table. Times are by the file's clock, which skips advance. */
export type Reminder = RowOf<typeof COLUMNS> & {readonly key: number}

/** The table of reminders. Call writing methods within a change of the file. */
export class ReminderStore extends Table<typeof COLUMNS> {
  constructor(database: DatabaseSync) {
    super(database, 'reminders', COLUMNS)
  }

  find({type, id, name}: FiringName): Reminder | undefined {
    return this.all('WHERE type = ? AND id = ? AND name = ?', type, id, name)[0]
  }

  /** Returns reminders in the order of their next firing. Without `type` or `id`: of any type, of any id. */
  list(type?: string, id?: string): readonly Reminder[] {
    return this.all(
      'WHERE (?1 IS NULL OR type = ?1) AND (?2 IS NULL OR id = ?2) ORDER BY due, key',
      type ?? null,
      id ?? null
    )
  }

  due(): readonly Reminder[] {
    return this.all('WHERE isDue = 1 ORDER BY due, key')
  }
}
