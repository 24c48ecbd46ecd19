import {exitText} from '../../model/exit-text.ts'
import type {Exit} from '../../model/app-state.ts'
import {asBytes} from '../../model/bytes.ts'
import type {LogEntry} from '../../model/log-entry.ts'

/** The signs of Dapr's status lines (`pkg/print/print.go`). */
const SIGNS = {success: '✅', failure: '❌', warning: '⚠', info: 'ℹ️'} as const

/** A status line about an app or its sidecar; the texts are Dapr's (`cmd/run.go`). */
export interface StatusLine {
  readonly sign: keyof typeof SIGNS
  readonly text: string
}

/** Returns the line without a sign, for files and for texts that Dapr writes through its own writer. */
export const plainly = ({text}: StatusLine): string => asBytes(`${text}\n`)

/** Returns the line with sign and two spaces, as Dapr writes to the console directly. */
export const withSign = ({sign, text}: StatusLine): string => asBytes(`${SIGNS[sign]}  ${text}\n`)

/** Returns the line for the log of an app that has exited or was stopped. */
export const appEnded = (exit: Exit): StatusLine =>
  exit.kind === 'code' && exit.code === 0
    ? {sign: 'success', text: 'Exited App successfully'}
    : {sign: 'failure', text: `The App process exited with error code: ${exitText(exit)}`}

/** Line for the logs of app and sidecar while the run is stopping, after an empty line. */
export const shuttingDown: StatusLine = {sign: 'info', text: '\ntermination signal received: shutting down'}

/** Returns the line in the log of an app that had failed before the end of the run. */
export const errorExitingApp = (exit: Exit): StatusLine => ({
  sign: 'failure',
  text: `Error exiting App: ${exitText(exit)}`
})

/** Line for the sidecar's log after the app was stopped with the run. */
export const exitedApp: StatusLine = {sign: 'success', text: 'Exited App successfully'}

/** Line for the sidecar's log after the sidecar was closed with the run. */
export const exitedDapr: StatusLine = {sign: 'success', text: 'Exited Dapr successfully'}

/** Returns the first line of a sidecar's log. */
export const startingDapr = (id: string, httpPort: number, grpcPort: number): StatusLine => ({
  sign: 'info',
  text: `Starting Dapr with id ${id}. HTTP Port: ${httpPort}. gRPC Port: ${grpcPort}`
})

/** Returns the lines in a sidecar's log before its app, which has no port, starts. */
export const checkingSidecar = (httpPort: number, grpcPort: number): readonly StatusLine[] => [
  {sign: 'info', text: `Checking if Dapr sidecar is listening on HTTP port ${httpPort}`},
  {sign: 'info', text: `Checking if Dapr sidecar is listening on GRPC port ${grpcPort}`},
  {sign: 'info', text: 'Dapr sidecar is up and running.'}
]

/** Line for the sidecar's log if the template gives the app no command. */
export const noCommand: StatusLine = {sign: 'info', text: 'No application command present'}

/** Returns lines about the metadata that the sidecar receives at the start: Pillion's pid, the app's command (as in the template) and pid. */
export function updatingMetadata(cliPid: number, command = '', appPid?: number): readonly StatusLine[] {
  const lines = [`cliPID: ${cliPid}`]
  if (command !== '') lines.push(`app command: ${command}`)
  if (appPid !== undefined) lines.push(`appPID: ${appPid}`)
  return lines.map(line => ({sign: 'info', text: `Updating metadata for ${line}`}))
}

/** The last line of the start in a sidecar's log; an empty line follows. */
export const upAndRunning: StatusLine = {sign: 'success', text: "You're up and running! Dapr logs will appear here.\n"}

/** The sidecar that writes a log line. */
export interface LineSource {
  readonly appId: string
  readonly instance: string
  /** Version of Dapr's runtime. */
  readonly version: string
  /** Whether lines are JSON objects instead of `key=value` (`--log-as-json`). */
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
