import {LOG_LEVELS, type LogLevel} from '../../model/plan.ts'
import type {LogEntry} from '../../model/log-entry.ts'

/** Fields of a line that say of all lines the same. */
const COMMON = new Set(['app_id', 'instance', 'level', 'msg', 'scope', 'time', 'type', 'ver'])

const levelOf = (word: unknown): LogLevel =>
  LOG_LEVELS.find(each => each === word) ?? (word === 'warning' ? 'warn' : 'info')

/** Converts a line of daprd's log (`--log-as-json`) for the log of the app's sidecar, with daprd's version. Other lines, such as stack traces, count as errors. */
export function entryOf(line: string, daprd: string): LogEntry {
  let fields: Readonly<Record<string, unknown>>
  try {
    fields = JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch {
    return {level: 'error', message: line, scope: 'daprd', fields: {daprd}}
  }
  const {level, msg, scope} = fields
  const others = Object.entries(fields).flatMap(([name, value]) =>
    COMMON.has(name) ? [] : [[name, typeof value === 'number' ? value : String(value)] as const]
  )
  return {
    level: levelOf(level),
    message: typeof msg === 'string' ? msg : line,
    scope: typeof scope === 'string' ? scope : 'daprd',
    fields: {...Object.fromEntries(others), daprd}
  }
}
