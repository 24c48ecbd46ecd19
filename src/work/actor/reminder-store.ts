import type {DatabaseSync} from 'node:sqlite'
import {column, Table, type RowOf} from '../rows.ts'
import type {FailurePolicy} from '../series/series.ts'
import type {FiringName} from './timers.ts'

const {flag, json, number, optional, text} = column

/** The kind of their wake-ups. */
export const REMINDER = 'reminder'

/** `data` is JSON; `due`: the next firing; `step`: between two, in ms; `remaining`: firings, this one too. */
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

/** A reminder as it is kept. Times are those of the file: ahead of the clock by what was skipped. */
export type Reminder = RowOf<typeof COLUMNS> & {readonly key: number}

/** The reminders in the file. Writes are to be called within a change of it. */
export class ReminderStore extends Table<typeof COLUMNS> {
  constructor(database: DatabaseSync) {
    super(database, 'reminders', COLUMNS)
  }

  find({type, id, name}: FiringName): Reminder | undefined {
    return this.one('WHERE type = ? AND id = ? AND name = ?', type, id, name)
  }

  /** The next one first. Left out: of any type, of any id. */
  list(type?: string, id?: string): readonly Reminder[] {
    return this.all(
      'WHERE (?1 IS NULL OR type = ?1) AND (?2 IS NULL OR id = ?2) ORDER BY due, key',
      type ?? null,
      id ?? null
    )
  }

  /** Those whose firing is not done. */
  due(): readonly Reminder[] {
    return this.all('WHERE isDue = 1 ORDER BY due, key')
  }
}
