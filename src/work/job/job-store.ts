import type {DatabaseSync, SQLInputValue, StatementSync} from 'node:sqlite'
import type {Job, JobPolicy} from './job.ts'

/** The columns that change with each tick. */
export type JobChange = Pick<Job, 'planned' | 'count' | 'last' | 'attempts' | 'isDue' | 'isPaused' | 'answer'>

/** Which jobs are asked for. */
export interface JobsQuery {
  /** Left out: of all apps. */
  readonly app?: string | undefined
  /** Those with a key behind it; 0: from the first one on. */
  readonly after: number
  readonly limit: number
}

/** How many jobs an app has, and how many of them are overdue. */
export interface JobCount {
  readonly app: string
  readonly count: number
  readonly overdue: number
}

const COLUMNS =
  'app, name, schedule, dueTime, ttl, repeats, dataType, data, policy, begin, planned, expires, count, last, attempts, isDue, isPaused, answer'

/** The rows of jobs. Writes belong into a change of the file. */
export class JobStore {
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #delete: StatementSync
  readonly #at: StatementSync
  readonly #find: StatementSync
  readonly #of: StatementSync
  readonly #some: StatementSync
  readonly #named: StatementSync
  readonly #counts: StatementSync
  readonly #due: StatementSync

  constructor(database: DatabaseSync) {
    const places = COLUMNS.split(', ').map(() => '?')
    this.#insert = database.prepare(`INSERT INTO jobs (${COLUMNS}) VALUES (${places.join(', ')})`)
    this.#update = database.prepare(
      'UPDATE jobs SET planned = ?, count = ?, last = ?, attempts = ?, isDue = ?, isPaused = ?, answer = ? WHERE key = ?'
    )
    this.#delete = database.prepare('DELETE FROM jobs WHERE key = ?')
    this.#at = database.prepare('SELECT * FROM jobs WHERE key = ?')
    this.#find = database.prepare('SELECT * FROM jobs WHERE app = ? AND name = ?')
    this.#of = database.prepare('SELECT * FROM jobs WHERE app = ? ORDER BY name')
    this.#some = database.prepare(
      'SELECT * FROM jobs WHERE key > ?1 AND (?2 IS NULL OR app = ?2) ORDER BY key LIMIT ?3'
    )
    this.#named = database.prepare("SELECT * FROM jobs WHERE name = ?1 AND (?2 = '' OR app = ?2) ORDER BY app")
    this.#counts = database.prepare(
      'SELECT app, count(*) AS count, sum(isDue = 1 OR planned <= ?) AS overdue FROM jobs GROUP BY app ORDER BY app'
    )
    this.#due = database.prepare('SELECT key, app FROM jobs WHERE isDue = 1 ORDER BY planned, key')
  }

  /** Its key. */
  insert(job: Omit<Job, 'key'>): number {
    const {schedule, dueTime, ttl, repeats, data, planned, expires, last} = job
    const optional: SQLInputValue[] = [schedule, dueTime, ttl, repeats, data?.typeUrl, data?.value].map(
      value => value ?? null
    )
    const {lastInsertRowid} = this.#insert.run(
      job.app,
      job.name,
      ...optional,
      JSON.stringify(job.policy),
      job.begin,
      planned ?? null,
      expires ?? null,
      job.count,
      last ?? null,
      job.attempts,
      Number(job.isDue),
      Number(job.isPaused),
      job.answer
    )
    return Number(lastInsertRowid)
  }

  update(key: number, {planned, count, last, attempts, isDue, isPaused, answer}: JobChange): void {
    const flags = [Number(isDue), Number(isPaused)]
    this.#update.run(planned ?? null, count, last ?? null, attempts, ...flags, answer, key)
  }

  delete(key: number): void {
    this.#delete.run(key)
  }

  at(key: number): Job | undefined {
    return jobIn(this.#at.get(key))
  }

  find(app: string, name: string): Job | undefined {
    return jobIn(this.#find.get(app, name))
  }

  /** Those of an app, by name. */
  of(app: string): readonly Job[] {
    return this.#of.all(app).flatMap(row => jobIn(row) ?? [])
  }

  /** In the order in which they were scheduled. */
  some({app, after, limit}: JobsQuery): readonly Job[] {
    return this.#some.all(after, app ?? null, limit).flatMap(row => jobIn(row) ?? [])
  }

  /** By app; `app`: '' = of any. */
  named(name: string, app: string): readonly Job[] {
    return this.#named.all(name, app).flatMap(row => jobIn(row) ?? [])
  }

  /** By app; `now`: by the clock of what waits. */
  counts(now: number): readonly JobCount[] {
    return this.#counts.all(now) as unknown as readonly JobCount[]
  }

  /** Those whose tick was under way. */
  due(): readonly Pick<Job, 'key' | 'app'>[] {
    return this.#due.all() as unknown as readonly Pick<Job, 'key' | 'app'>[]
  }
}

type Row = Readonly<Record<string, unknown>>

function jobIn(row: Row | undefined): Job | undefined {
  if (row === undefined) return undefined
  const {dataType, data, policy, isDue, isPaused, ...others} = row
  return {
    ...(Object.fromEntries(
      Object.entries(others).map(([name, value]) => [name, value ?? undefined])
    ) as unknown as Job),
    data: dataType === null ? undefined : {typeUrl: dataType as string, value: data as Uint8Array},
    policy: JSON.parse(String(policy)) as JobPolicy,
    isDue: isDue === 1,
    isPaused: isPaused === 1
  }
}
