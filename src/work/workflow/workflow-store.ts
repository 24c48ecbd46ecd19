import type {DatabaseSync, SQLInputValue} from 'node:sqlite'
import {column, Statements, Table, type SqlColumn, type RowOf} from '../rows.ts'
import type {Instance, InboxEntry, InboxKind, NewInstance} from './instance.ts'
import {joinEvents, withInput} from './messages.ts'
import {COMPLETED, PENDING, TERMINATED} from './status.ts'

const {blob, number, optional, text} = column

/** An activity without a result. `app`: runs it. `taskExecution`: the SDK's id that all tries share. `request`: an ActivityRequest. */
const ACTIVITY = {instance: number, task: number, app: text, taskExecution: text, request: blob}

export type OpenActivity = RowOf<typeof ACTIVITY>
export type TaskKey = Pick<OpenActivity, 'instance' | 'task'>

const INSTANCE = {
  app: text,
  id: text,
  execution: text,
  name: text,
  version: optional(text),
  status: number,
  created: number,
  started: optional(number),
  updated: number,
  input: optional(text),
  output: optional(text),
  customStatus: optional(text),
  failure: optional(blob),
  parentApp: optional(text),
  parentId: optional(text),
  parentExecution: optional(text),
  parentTask: optional(number),
  turns: number,
  rounds: number,
  stall: optional(blob),
  trace: optional(text),
  received: optional(blob)
}

const CHANGING = Object.keys(INSTANCE).filter(name => !/^(?:app|id|name|parent.*|received)$/.test(name))

const ENTRY = {id: number, kind: text as SqlColumn<InboxKind>, name: text, event: blob}

/** The kind of the wake-ups of timers. */
export const TIMER = 'workflow-timer'
/** The kind of the wake-ups of starts at a later time. */
export const START = 'workflow-start'

/** Size in bytes above which a start is stored without its input, which the row of its instance has already. */
const LARGE_START = 64 * 1024
const INPUT_ELSEWHERE = 'input'

/** Converts a start event to its stored form: a large one has no input. */
export const keptStart = (event: Uint8Array): {readonly name: string; readonly data: Uint8Array} =>
  event.length > LARGE_START ? {name: INPUT_ELSEWHERE, data: withInput(event, undefined)} : {name: '', data: event}

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

/** An inbox entry in the file; `bytes`: its approximate size in memory. */
const WAITING_ENTRY = {id: number, instance: number, bytes: number}

/** A waiting activity in the file; `bytes`: size of its request, computed by SQL. */
const WAITING_ACTIVITY = {instance: number, task: number, bytes: number}

/** SQL for the size of an entry, including an input stored elsewhere, without reading the values. */
const ENTRY_BYTES = `octet_length(event) + iif(kind = 'start', coalesce(octet_length(input), 0), 0)`

/** Counts of one app. `overdue`: timers that should have fired. */
const ACTIVE = {app: text, count: number, overdue: number}

export type ActiveInstances = RowOf<typeof ACTIVE>

/** Selects instances. An omitted criterion matches all. Times are ms since 1970. `before`: only lower keys. */
export interface Wanted {
  readonly app?: string | undefined
  readonly name?: string | undefined
  readonly statuses?: readonly number[] | undefined
  readonly createdFrom?: number | undefined
  readonly createdBefore?: number | undefined
  /** The trace of the instances: 32 digits. */
  readonly trace?: string | undefined
  readonly before?: number | undefined
}

/** All columns but input, output and received, which may have megabytes. */
const BRIEF = ['key', ...Object.keys(INSTANCE)]
  .map(name => (/^(?:input|output|received)$/.test(name) ? `NULL AS ${name}` : name))
  .join(', ')

/** Columns. `id`: of the wake-up. `name`: `timer-7`, `start-7`. `due`: in ms since 1970, by the file's clock, which skips advance. */
const WAITING_TIMER = {id: number, app: text, instance: text, name: text, due: number}

/** A timer of an instance, or its planned start. */
export type WaitingTimer = RowOf<typeof WAITING_TIMER>

const WAITING_TIMERS = `SELECT wake_ups.id, instances.app, instances.id AS instance, due,
  iif(kind = '${TIMER}', 'timer-', 'start-') || wake_ups.id AS name
  FROM wake_ups JOIN instances ON wake_ups.owner = instances.key WHERE kind IN ('${TIMER}', '${START}') ORDER BY due, wake_ups.id`

/** Lists the apps that have instances, by one search of the index for each app. */
const APPS = `WITH RECURSIVE apps (app) AS (
  SELECT min(app) FROM instances
  UNION ALL SELECT (SELECT min(app) FROM instances WHERE app > apps.app) FROM apps WHERE app IS NOT NULL
)`

/** The tables of workflows. `CROSS JOIN` fixes the order of a join: otherwise SQLite would begin with all finished instances. */
export class WorkflowStore {
  readonly #instances: Table<typeof INSTANCE>
  readonly #sql: Statements

  constructor(database: DatabaseSync) {
    this.#instances = new Table(database, 'instances', INSTANCE)
    this.#sql = this.#instances.statements
  }

  find(app: string, id: string): Instance | undefined {
    return this.#some('WHERE app = ? AND id = ?', app, id)[0]
  }

  keyOf(app: string, id: string): number | undefined {
    return this.#sql.get({key: number}, 'SELECT key FROM instances WHERE app = ? AND id = ?', app, id)?.key
  }

  at(key: number): Instance | undefined {
    return this.#some('WHERE key = ?', key)[0]
  }

  insert(fresh: NewInstance): Instance {
    const instance = {...BEGINNING, ...fresh, updated: fresh.created}
    const {app, id, execution, task} = fresh.parent ?? {}
    const parent = {parentApp: app, parentId: id, parentExecution: execution, parentTask: task}
    return {...instance, key: this.#instances.insert({...instance, ...parent})}
  }

  update(instance: Instance): void {
    this.#instances.update(instance.key, instance, CHANGING)
  }

  /** Replaces the history that an instance has received from its parent. */
  receive(key: number, history: Uint8Array): void {
    this.#instances.update(key, {received: history})
  }

  history(key: number): Uint8Array[] {
    const rows = this.#sql.all({events: blob}, 'SELECT events FROM turns WHERE instance = ? ORDER BY turn', key)
    return rows.map(({events}) => events)
  }

  /** Adds the events of a turn; returns them joined. */
  addTurn({key, turns}: Instance, events: readonly Uint8Array[]): Uint8Array {
    const joined = joinEvents(events)
    this.#sql.run('INSERT INTO turns VALUES (?, ?, ?)', key, turns, joined)
    return joined
  }

  clearHistory(key: number): void {
    this.#sql.run('DELETE FROM turns WHERE instance = ?', key)
    this.#sql.run('DELETE FROM activities WHERE instance = ?', key)
  }

  inbox(key: number): InboxEntry[] {
    const rows = this.#sql.all(ENTRY, 'SELECT id, kind, name, event FROM inbox WHERE instance = ? ORDER BY id', key)
    return rows.map(entry =>
      entry.kind === 'start' ? {...entry, name: '', event: this.wholeStart(key, entry.name, entry.event)} : entry
    )
  }

  /** Restores a start event from its stored form. */
  wholeStart(key: number, name: string, data: Uint8Array): Uint8Array {
    return name === INPUT_ELSEWHERE ? withInput(data, this.at(key)?.input) : data
  }

  post(key: number, {kind, name, event}: Omit<InboxEntry, 'id'>): number {
    const kept = kind === 'start' ? keptStart(event) : {name, data: event}
    const sql = 'INSERT INTO inbox (instance, kind, name, event) VALUES (?, ?, ?, ?)'
    return this.#sql.insert(sql, key, kind, kept.name, kept.data)
  }

  /** Whether a suspension, resumption or termination is in the inbox of an instance. */
  hasCommand(key: number): boolean {
    const sql = "SELECT 1 FROM inbox WHERE instance = ? AND kind IN ('suspend', 'resume', 'terminate')"
    return this.#sql.get({}, sql, key) !== undefined
  }

  /** Removes entries from the inbox. */
  take(entries: readonly InboxEntry[]): void {
    for (const {id} of entries) this.#sql.run('DELETE FROM inbox WHERE id = ?', id)
  }

  /** Returns the inbox entries of an app's instances whose id is higher than `after`, in order. */
  waitingEntries(app: string, after: number, count: number): readonly RowOf<typeof WAITING_ENTRY>[] {
    return this.#sql.all(
      WAITING_ENTRY,
      `SELECT inbox.id, instance, ${ENTRY_BYTES} AS bytes FROM inbox CROSS JOIN instances ON key = instance
       WHERE app = ? AND inbox.id > ? ORDER BY inbox.id LIMIT ?`,
      app,
      after,
      count
    )
  }

  /** Returns up to two rows per app: of its instances with inbox entries, and of its open activities. `count`, `bytes`: of these. */
  waiting(): readonly {readonly app: string; readonly count: number; readonly bytes: number}[] {
    return this.#sql.all(
      {app: text, count: number, bytes: number},
      `SELECT app, count(DISTINCT instance) AS count, sum(${ENTRY_BYTES}) AS bytes FROM inbox CROSS JOIN instances ON key = instance GROUP BY app
       UNION ALL SELECT app, count(*), sum(octet_length(request)) FROM activities GROUP BY app`
    )
  }

  addActivity({instance, task, app, taskExecution, request}: OpenActivity): void {
    const sql = 'INSERT OR REPLACE INTO activities VALUES (?, ?, ?, ?, ?)'
    this.#sql.run(sql, instance, task, app, taskExecution, request)
  }

  /** Whether this activity is open. Compares the request, too: after a continue-as-new, a task may have the same number. */
  isOpen({instance, task, request}: OpenActivity): boolean {
    const sql = 'SELECT 1 FROM activities WHERE instance = ? AND task = ? AND request = ?'
    return this.#sql.get({}, sql, instance, task, request) !== undefined
  }

  /** Removes an activity. Returns whether this one was open (`isOpen`). */
  endActivity({instance, task, request}: OpenActivity): boolean {
    const sql = 'DELETE FROM activities WHERE instance = ? AND task = ? AND request = ?'
    return this.#sql.run(sql, instance, task, request) > 0
  }

  endActivities(instance: number): void {
    this.#sql.run('DELETE FROM activities WHERE instance = ?', instance)
  }

  /** Returns the open activities of an app after a given one, in order, without their requests. */
  waitingActivities(app: string, {instance, task}: TaskKey, count: number): readonly RowOf<typeof WAITING_ACTIVITY>[] {
    return this.#sql.all(
      WAITING_ACTIVITY,
      `SELECT instance, task, octet_length(request) AS bytes FROM activities
       WHERE app = ? AND (instance, task) > (?, ?) ORDER BY instance, task LIMIT ?`,
      app,
      instance,
      task,
      count
    )
  }

  activityAt({instance, task}: TaskKey): OpenActivity | undefined {
    return this.#sql.get(ACTIVITY, 'SELECT * FROM activities WHERE instance = ? AND task = ?', instance, task)
  }

  activitySizes(instance: number): readonly {readonly app: string; readonly bytes: number}[] {
    const sql = 'SELECT app, octet_length(request) AS bytes FROM activities WHERE instance = ?'
    return this.#sql.all({app: text, bytes: number}, sql, instance)
  }

  activity(app: string, id: string, task: number): OpenActivity | undefined {
    const sql = `${APPS} SELECT activities.* FROM apps CROSS JOIN instances ON instances.app = apps.app AND id = ?
      CROSS JOIN activities ON instance = key AND task = ? AND activities.app = ?`
    return this.#sql.get(ACTIVITY, sql, id, task, app)
  }

  /** Returns the children of this execution of an instance. */
  children({app, id, execution}: Instance): readonly Instance[] {
    return this.#some('WHERE parentApp = ? AND parentId = ? AND parentExecution = ?', app, id, execution)
  }

  /** Returns an instance and its descendants, children before their parents. */
  family(instance: Instance): readonly Instance[] {
    const all = [instance]
    for (const each of all) for (const child of this.children(each)) all.push(child)
    return all.toReversed()
  }

  /** Counts for each app the instances that have not ended, and their timers that are due. */
  active(now: number): readonly ActiveInstances[] {
    return this.#sql.all(
      ACTIVE,
      `SELECT app, count(*) AS count, sum((SELECT count(*) FROM wake_ups WHERE owner = key AND kind = '${TIMER}' AND due <= ? + coalesce((SELECT ahead FROM clock), 0)))
       AS overdue FROM instances WHERE status IN (0, 2, 6, 7, 8) GROUP BY app`,
      now
    )
  }

  waitingTimers(): readonly WaitingTimer[] {
    return this.#sql.all(WAITING_TIMER, WAITING_TIMERS)
  }

  unfinished(count: number): readonly Instance[] {
    return this.#some(`WHERE status NOT IN (${COMPLETED}, ${TERMINATED}) ORDER BY key LIMIT ?`, count)
  }

  /** Returns ids and keys of an app's instances whose key is higher than `after`. */
  list(app: string, after: number, count: number): readonly {readonly key: number; readonly id: string}[] {
    return this.#sql.all(
      {key: number, id: text},
      'SELECT key, id FROM instances WHERE app = ? AND key > ? ORDER BY key LIMIT ?',
      app,
      after,
      count
    )
  }

  /** Returns the latest `limit` selected instances, without their payloads, the latest first. */
  search(wanted: Wanted, limit: number): readonly Instance[] {
    const conditions: string[] = []
    const values: SQLInputValue[] = []
    const add = (condition: string, ...given: readonly SQLInputValue[]): void => {
      conditions.push(condition)
      values.push(...given)
    }
    const {app, name, statuses, createdFrom, createdBefore, trace, before} = wanted
    if (app !== undefined) add('app = ?', app)
    if (name !== undefined) add('name = ?', name)
    if (statuses !== undefined) add(`status IN (${statuses.map(() => '?').join(', ')})`, ...statuses)
    if (createdFrom !== undefined) add('created >= ?', createdFrom)
    if (createdBefore !== undefined) add('created < ?', createdBefore)
    // a traceparent is `00-<trace>-…`: the next character after `-` ends the range
    if (trace !== undefined) add('trace >= ? AND trace < ?', `00-${trace}-`, `00-${trace}.`)
    if (before !== undefined) add('key < ?', before)
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const sql = `SELECT ${BRIEF} FROM instances ${where} ORDER BY key DESC LIMIT ?`
    return this.#sql.all({key: number, ...INSTANCE}, sql, ...values, limit).map(withParent)
  }

  appsWith(id: string): readonly string[] {
    const sql = `${APPS} SELECT instances.app FROM apps JOIN instances ON instances.app = apps.app AND instances.id = ?`
    return this.#sql.all({app: text}, sql, id).map(({app}) => app)
  }

  remove(key: number): void {
    this.clearHistory(key)
    this.#sql.run('DELETE FROM inbox WHERE instance = ?', key)
    this.#instances.delete(key)
  }

  #some(...given: Parameters<Table<typeof INSTANCE>['all']>): readonly Instance[] {
    return this.#instances.all(...given).map(withParent)
  }
}

function withParent(row: RowOf<typeof INSTANCE> & {readonly key: number}): Instance {
  const {parentApp: app, parentId: id, parentExecution: execution, parentTask: task, ...rest} = row
  const isChild = app !== undefined && id !== undefined && execution !== undefined && task !== undefined
  return {...rest, parent: isChild ? {app, id, execution, task} : undefined}
}
