import type {DatabaseSync} from 'node:sqlite'
import {column, Table, type RowOf} from '../rows.ts'
import type {FailurePolicy} from '../series/series.ts'
import type {Job} from './job.ts'

const {blob, flag, json, number, optional, text} = column

const COLUMNS = {
  app: text,
  name: text,
  schedule: optional(text),
  dueTime: optional(text),
  ttl: optional(text),
  repeats: optional(number),
  dataType: optional(text),
  data: optional(blob),
  policy: json<FailurePolicy>(),
  begin: number,
  planned: optional(number),
  expires: optional(number),
  count: number,
  last: optional(number),
  attempts: number,
  isDue: flag,
  isPaused: flag,
  answer: text
}

/** The columns that change after a job was created. */
export type JobChange = Partial<Pick<Job, 'planned' | 'count' | 'last' | 'attempts' | 'isDue' | 'isPaused' | 'answer'>>

export interface JobsQuery {
  /** Omitted: jobs of all apps. */
  readonly app?: string | undefined
  /** Only jobs with a higher key; 0: all. */
  readonly after: number
  readonly limit: number
}

const COUNT = {app: text, count: number, overdue: number}

/** How many jobs an app has, and how many of them are overdue. */
export type JobCount = RowOf<typeof COUNT>

/** The table of jobs. Call writing methods within a change of the file. */
export class JobStore {
  readonly #table: Table<typeof COLUMNS>

  constructor(database: DatabaseSync) {
    this.#table = new Table(database, 'jobs', COLUMNS)
  }

  insert({data, ...job}: Omit<Job, 'key'>): number {
    const {schedule, dueTime, ttl, repeats} = job
    return this.#table.insert({...job, schedule, dueTime, ttl, repeats, dataType: data?.typeUrl, data: data?.value})
  }

  update(key: number, change: JobChange): void {
    this.#table.update(key, change)
  }

  delete(key: number): void {
    this.#table.delete(key)
  }

  at(key: number): Job | undefined {
    return this.#all('WHERE key = ?', key)[0]
  }

  find(app: string, name: string): Job | undefined {
    return this.#all('WHERE app = ? AND name = ?', app, name)[0]
  }

  of(app: string): readonly Job[] {
    return this.#all('WHERE app = ? ORDER BY name', app)
  }

  /** Returns a page of jobs, in the order in which they were scheduled. */
  some({app, after, limit}: JobsQuery): readonly Job[] {
    return this.#all('WHERE key > ?1 AND (?2 IS NULL OR app = ?2) ORDER BY key LIMIT ?3', after, app ?? null, limit)
  }

  /** Returns the jobs of this name, ordered by app; `app`: '': of any app. */
  named(name: string, app: string): readonly Job[] {
    return this.#all("WHERE name = ?1 AND (?2 = '' OR app = ?2) ORDER BY app", name, app)
  }

  due(): readonly Job[] {
    return this.#all('WHERE isDue = 1 ORDER BY planned, key')
  }

  /** Counts the jobs of each app, and those whose tick is due. `now`: by the clock of the machine. */
  counts(now: number): readonly JobCount[] {
    const sql = `SELECT app, count(*) AS count, sum(isDue = 1 OR (isPaused = 0 AND coalesce(planned <= ? + coalesce((SELECT ahead FROM clock), 0), 0)))
       AS overdue FROM jobs GROUP BY app ORDER BY app`
    return this.#table.statements.all(COUNT, sql, now)
  }

  #all(...given: Parameters<Table<typeof COLUMNS>['all']>): readonly Job[] {
    return this.#table.all(...given).map(({dataType, data, ...job}) => ({
      ...job,
      data: dataType === undefined || data === undefined ? undefined : {typeUrl: dataType, value: data}
    }))
  }
}
