import type {LogEntry} from '../../model/log-entry.ts'

/** The sidecar that writes a log line. */
export interface LineSource {
  readonly appId: string
  /** Name of this machine. */
  readonly instance: string
  /** Version of Dapr's runtime. */
  readonly version: string
  /** Lines are JSON objects instead of `key=value` (`--log-as-json`). */
  readonly isJson: boolean
}

const PLAIN = /^[A-Za-z0-9\-._/@^+]+$/

const pair = (name: string, value: string | number): string => {
  const text = String(value)
  return `${name}=${PLAIN.test(text) ? text : JSON.stringify(text)}`
}

const sorted = (all: Record<string, string | number>): readonly [string, string | number][] =>
  Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1))

/** Formats a line like Dapr's sidecar, which uses logrus (github.com/dapr/kit, logger): time, level, message, other fields by name. */
export function sidecarLine({level, message, scope, fields}: LogEntry, source: LineSource, at: Date): string {
  const word = level === 'warn' ? 'warning' : level
  const {appId, instance, version} = source
  const time = at.toISOString()
  const others = {...fields, app_id: appId, instance, scope, type: 'log', ver: version}
  if (source.isJson) return JSON.stringify(Object.fromEntries(sorted({...others, level: word, msg: message, time})))
  // without other fields the names are in order already
  const pairs = fields === undefined ? Object.entries(others) : sorted(others)
  let line = `time="${time}" level=${word} ${pair('msg', message)}`
  for (const [name, value] of pairs) line += ` ${pair(name, value)}`
  return line
}
