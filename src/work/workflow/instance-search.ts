import type {DatabaseSync, SQLInputValue} from 'node:sqlite'
import type {Instance} from './instance.ts'
import {APPS, instanceOf} from './workflow-store.ts'

/** Which instances are meant; what is left out does not matter. Times are milliseconds since 1970. */
export interface Wanted {
  readonly app?: string | undefined
  readonly name?: string | undefined
  readonly statuses?: readonly number[] | undefined
  readonly createdFrom?: number | undefined
  readonly createdBefore?: number | undefined
  /** Those of this trace: 32 digits. */
  readonly trace?: string | undefined
  /** Only rows before this one. */
  readonly before?: number | undefined
}

/** All but input and output, which may have megabytes. */
const COLUMNS = `key, app, id, execution, name, version, status, created, started, updated, NULL AS input, NULL AS output,
  customStatus, failure, stall, parentApp, parentId, parentExecution, parentTask, trace, turns, rounds, NULL AS received`

/** The latest `limit` instances that are meant, without their payloads, the latest first. */
export function searchInstances(database: DatabaseSync, wanted: Wanted, limit: number): readonly Instance[] {
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
  // a traceparent begins with its version and the trace
  if (trace !== undefined) add('trace >= ? AND trace < ?', `00-${trace}-`, `00-${trace}.`)
  if (before !== undefined) add('key < ?', before)
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const rows = database
    .prepare(`SELECT ${COLUMNS} FROM instances ${where} ORDER BY key DESC LIMIT ?`)
    .all(...values, limit)
  return rows.map(instanceOf)
}

/** The apps that have an instance of this id. */
export function appsWithInstance(database: DatabaseSync, id: string): readonly string[] {
  const rows = database
    .prepare(`${APPS} SELECT instances.app FROM apps JOIN instances ON instances.app = apps.app AND instances.id = ?`)
    .all(id)
  return rows.map(row => String(row['app']))
}
