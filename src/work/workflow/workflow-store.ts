import type {DatabaseSync, SQLInputValue, StatementSync} from 'node:sqlite'
import type {Instance, Letter, NewInstance} from './instance.ts'
import {joinEvents, withInput} from './messages.ts'
import {COMPLETED, PENDING, TERMINATED} from './status.ts'

/** A task that has no answer yet. */
export interface OpenActivity {
  /** Of its instance. */
  readonly instance: number
  readonly task: number
  /** Whose workers do it. */
  readonly app: string
  /** What the SDK calls all tries of a task by. */
  readonly taskExecution: string
  /** 1: it is a child that an app of another run starts, no activity; else 0. */
  readonly isChild: number
  /** ActivityRequest; of a child CHILD_REQUEST. */
  readonly request: Uint8Array
}

/** The kind of the wake-ups of timers. */
export const TIMER = 'workflow-timer'
/** That of starts at a time. */
export const START = 'workflow-start'

/** A start with more bytes is kept without its input, which its instance has: it would be twice in the file. */
const LARGE_START = 64 * 1024
/** The name of such a letter. */
const INPUT_ELSEWHERE = 'input'

/** An instance to which nothing has happened yet. */
const BEGINNING = {
  version: undefined,
  status: PENDING,
  started: undefined,
  output: undefined,
  customStatus: undefined,
  failure: undefined,
  stall: undefined,
  turns: 0,
  rounds: 0
} as const

/** A letter in the file, and how many bytes it takes in memory, roughly. */
interface LetterRow {
  readonly id: number
  readonly instance: number
  readonly bytes: number
}

/** With its input, where that is elsewhere; sizes are known without reading the values. */
const LETTER_BYTES = `octet_length(event) + iif(kind = 'start', coalesce(octet_length(input), 0), 0)`

/** Of one app. */
export interface ActiveInstances {
  readonly app: string
  readonly count: number
  /** Timers that should have fired. */
  readonly overdue: number
}

/** Each app of the index once, without a look at all its rows. */
export const APPS = `WITH RECURSIVE apps (app) AS (
  SELECT min(app) FROM instances
  UNION ALL SELECT (SELECT min(app) FROM instances WHERE app > apps.app) FROM apps WHERE app IS NOT NULL
)`

/**
 * Instances with their histories, in the file. What changes it is called within a change of the file. `CROSS JOIN`: SQLite
 * keeps this order. It would begin with the instances, of which months of finished ones may be there.
 */
export class WorkflowStore {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  find(app: string, id: string): Instance | undefined {
    const row = this.#get('SELECT * FROM instances WHERE app = ? AND id = ?', app, id)
    return row && instanceOf(row)
  }

  keyOf(app: string, id: string): number | undefined {
    return this.#get('SELECT key FROM instances WHERE app = ? AND id = ?', app, id)?.['key'] as number | undefined
  }

  at(key: number): Instance | undefined {
    const row = this.#get('SELECT * FROM instances WHERE key = ?', key)
    return row && instanceOf(row)
  }

  insert(fresh: NewInstance): Instance {
    const {app, id, execution, name, created, input, parent, trace, received} = fresh
    const key = this.#insert(
      `INSERT INTO instances (app, id, execution, name, status, created, updated, input, parentApp, parentId, parentExecution,
       parentTask, trace, received, turns, rounds) VALUES (?, ?, ?, ?, ${PENDING}, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
      app,
      id,
      execution,
      name,
      created,
      created,
      orNull(input),
      orNull(parent?.app),
      orNull(parent?.id),
      orNull(parent?.execution),
      orNull(parent?.task),
      orNull(trace),
      orNull(received)
    )
    return {...BEGINNING, ...fresh, key, updated: created}
  }

  update(instance: Instance): void {
    const {key, execution, version, status, created, started, updated, input, output, customStatus, failure} = instance
    this.#run(
      `UPDATE instances SET execution = ?, version = ?, status = ?, created = ?, started = ?, updated = ?, input = ?, output = ?,
       customStatus = ?, failure = ?, stall = ?, trace = ?, turns = ?, rounds = ? WHERE key = ?`,
      execution,
      orNull(version),
      status,
      created,
      orNull(started),
      updated,
      orNull(input),
      orNull(output),
      orNull(customStatus),
      orNull(failure),
      orNull(instance.stall),
      orNull(instance.trace),
      instance.turns,
      instance.rounds,
      key
    )
  }

  /** What its parent has passed on to it is another one. */
  receive(key: number, history: Uint8Array): void {
    this.#run('UPDATE instances SET received = ? WHERE key = ?', history, key)
  }

  /** The events of all turns so far, joined. */
  history(key: number): Uint8Array[] {
    const rows = this.#all('SELECT events FROM turns WHERE instance = ? ORDER BY turn', key)
    return rows.map(({events}) => events as Uint8Array)
  }

  /** Adds the events of a turn; returns them joined. */
  addTurn({key, turns}: Instance, events: readonly Uint8Array[]): Uint8Array {
    const joined = joinEvents(events)
    this.#run('INSERT INTO turns VALUES (?, ?, ?)', key, turns, joined)
    return joined
  }

  clearHistory(key: number): void {
    this.#run('DELETE FROM turns WHERE instance = ?', key)
    this.#run('DELETE FROM activities WHERE instance = ?', key)
  }

  inbox(key: number): Letter[] {
    const rows = this.#all('SELECT id, kind, name, event FROM inbox WHERE instance = ? ORDER BY id', key)
    return rows.map(row => {
      const {id, kind, name, event} = row as unknown as Letter
      if (kind !== 'start' || name !== INPUT_ELSEWHERE) return {id: Number(id), kind, name, event}
      return {id: Number(id), kind, name: '', event: withInput(event, this.at(key)?.input)}
    })
  }

  post(key: number, {kind, name, event}: Omit<Letter, 'id'>): number {
    const isLarge = kind === 'start' && event.length > LARGE_START
    const [named, kept] = isLarge ? [INPUT_ELSEWHERE, withInput(event, undefined)] : [name, event]
    return this.#insert('INSERT INTO inbox (instance, kind, name, event) VALUES (?, ?, ?, ?)', key, kind, named, kept)
  }

  /** Removes letters of an instance: those up to an id. */
  take(key: number, upTo: number): void {
    this.#run('DELETE FROM inbox WHERE instance = ? AND id <= ?', key, upTo)
  }

  /** Letters of an app's instances behind an id, in the order in which they came. */
  letters(app: string, after: number, count: number): readonly LetterRow[] {
    return this.#all(
      `SELECT inbox.id, instance, ${LETTER_BYTES} AS bytes FROM inbox CROSS JOIN instances ON key = instance
       WHERE app = ? AND inbox.id > ? ORDER BY inbox.id LIMIT ?`,
      app,
      after,
      count
    ) as unknown as readonly LetterRow[]
  }

  /** How many instances with letters each app has, how many activities wait for it, and how many bytes they have. */
  waiting(): readonly {readonly app: string; readonly count: number; readonly bytes: number}[] {
    return this.#all(
      `SELECT app, count(DISTINCT instance) AS count, sum(${LETTER_BYTES}) AS bytes FROM inbox CROSS JOIN instances ON key = instance GROUP BY app
       UNION ALL SELECT app, count(*), sum(octet_length(request)) FROM activities GROUP BY app`
    ) as unknown as readonly {app: string; count: number; bytes: number}[]
  }

  addActivity({instance, task, app, taskExecution, request, isChild}: OpenActivity): void {
    const sql = 'INSERT OR REPLACE INTO activities VALUES (?, ?, ?, ?, ?, ?)'
    this.#run(sql, instance, task, app, taskExecution, request, isChild)
  }

  /** Children of an instance that apps of other runs start, or have started, and that are not over as far as is known. */
  farChildren(instance: number): readonly OpenActivity[] {
    const sql = 'SELECT * FROM activities WHERE instance = ? AND isChild = 1'
    return this.#all(sql, instance) as unknown as readonly OpenActivity[]
  }

  /** Whether it is as it was asked for: a later task may have its number. */
  isOpen({instance, task, request}: OpenActivity): boolean {
    return (
      this.#get('SELECT 1 FROM activities WHERE instance = ? AND task = ? AND request = ?', instance, task, request) !==
      undefined
    )
  }

  /** Whether it was open until now. */
  endActivity(instance: number, task: number): boolean {
    return this.#run('DELETE FROM activities WHERE instance = ? AND task = ?', instance, task) > 0
  }

  /** All of an instance, but for children that apps of other runs have: those are told of its end. */
  endActivities(instance: number): void {
    this.#run('DELETE FROM activities WHERE instance = ? AND isChild = 0', instance)
  }

  /** Those that wait for an app, behind one of them. */
  activities(
    app: string,
    {instance, task}: Pick<OpenActivity, 'instance' | 'task'>,
    count: number
  ): readonly OpenActivity[] {
    return this.#all(
      'SELECT * FROM activities WHERE app = ? AND (instance, task) > (?, ?) ORDER BY instance, task LIMIT ?',
      app,
      instance,
      task,
      count
    ) as unknown as readonly OpenActivity[]
  }

  /** One that waits for an app, by the id of its instance. */
  activity(app: string, id: string, task: number): OpenActivity | undefined {
    const sql = `${APPS} SELECT activities.* FROM apps CROSS JOIN instances ON instances.app = apps.app AND id = ?
      CROSS JOIN activities ON instance = key AND task = ? AND activities.app = ?`
    return this.#get(sql, id, task, app) as OpenActivity | undefined
  }

  /** Of this execution: another one of the same id has others. */
  children({app, id, execution}: Instance): readonly Instance[] {
    const sql = 'SELECT * FROM instances WHERE parentApp = ? AND parentId = ? AND parentExecution = ?'
    return this.#all(sql, app, id, execution).map(instanceOf)
  }

  /** An instance behind its children, theirs before them. */
  family(instance: Instance): readonly Instance[] {
    const all = [instance]
    for (const each of all) all.push(...this.children(each))
    return all.toReversed()
  }

  /** How many instances of each app are not over, and how many timers of them are due. */
  active(now: number): readonly ActiveInstances[] {
    return this.#all(
      `SELECT app, count(*) AS count, sum((SELECT count(*) FROM wake_ups WHERE owner = key AND kind = '${TIMER}' AND due <= ? + coalesce((SELECT ahead FROM clock), 0)))
       AS overdue FROM instances WHERE status IN (0, 2, 6, 7, 8) GROUP BY app`,
      now
    ) as unknown as readonly ActiveInstances[]
  }

  /** Those that are not over or have failed, up to a number. */
  unfinished(count: number): readonly Instance[] {
    const sql = `SELECT * FROM instances WHERE status NOT IN (${COMPLETED}, ${TERMINATED}) ORDER BY key LIMIT ?`
    return this.#all(sql, count).map(instanceOf)
  }

  /** Ids of an app's instances that are made after the row `after`, and these rows. */
  list(app: string, after: number, count: number): readonly {readonly key: number; readonly id: string}[] {
    return this.#all(
      'SELECT key, id FROM instances WHERE app = ? AND key > ? ORDER BY key LIMIT ?',
      app,
      after,
      count
    ) as unknown as readonly {key: number; id: string}[]
  }

  remove(key: number): void {
    this.clearHistory(key)
    this.#run('DELETE FROM inbox WHERE instance = ?', key)
    this.#run('DELETE FROM instances WHERE key = ?', key)
  }

  #get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.#prepare(sql).get(...values)
  }

  #all(sql: string, ...values: SQLInputValue[]): readonly SqlRow[] {
    return this.#prepare(sql).all(...values)
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  /** The new row. */
  #insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid)
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)))
    return statement
  }
}

export type SqlRow = Readonly<Record<string, unknown>>

const orNull = <T extends SQLInputValue>(value: T | undefined): T | null => value ?? null

type Nullable<T> = {readonly [K in keyof T]: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K]}

/** A row of `instances`. */
type InstanceRow = Nullable<Omit<Instance, 'parent'>> & {
  readonly parentApp: string
  readonly parentId: string | null
  readonly parentExecution: string
  readonly parentTask: number
}

export function instanceOf(row: SqlRow): Instance {
  const {
    parentApp: app,
    parentId: id,
    parentExecution: execution,
    parentTask: task,
    ...rest
  } = row as unknown as InstanceRow
  return {
    ...rest,
    version: rest.version ?? undefined,
    started: rest.started ?? undefined,
    input: rest.input ?? undefined,
    output: rest.output ?? undefined,
    customStatus: rest.customStatus ?? undefined,
    failure: rest.failure ?? undefined,
    stall: rest.stall ?? undefined,
    trace: rest.trace ?? undefined,
    received: rest.received ?? undefined,
    parent: id === null ? undefined : {app, id, execution, task}
  }
}
