import type {LogEntry} from '../../model/log-entry.ts'
import {type LogLevel, writesAt} from '../../model/plan.ts'
import type {GivenFlags} from './given-flags.ts'

/** Flags whose effect one of its lines reports; Dapr's own tests wait for these. */
const FOR_ONE: readonly (readonly [flag: string, line: RegExp])[] = [
  ['resources-path', /^Component loaded: /],
  ['components-path', /^Component loaded: /],
  ['dapr-internal-grpc-port', /^Internal gRPC server is running on /]
]

/** Scopes of the API log, which exists only where a flag or a Configuration asks for it. */
const API_LOG = ['dapr.runtime.http-info', 'dapr.runtime.grpc.api-info']

/**
 * Chooses the sidecar's lines that a single app's run prints: all from the level on if a flag asks for its log, or for programs that read
 * lines of JSON. Otherwise warnings and errors, the API log, and lines about settings of flags.
 */
export function shownLines(flags: GivenFlags, least: LogLevel, asJson: boolean): (entry: LogEntry) => boolean {
  const {names} = flags
  if (asJson || flags.isSet('enable-api-logging') || names.includes('log-level'))
    return ({level}) => writesAt(least, level)
  const lines = FOR_ONE.flatMap(([flag, line]) => (names.includes(flag) ? line : []))
  return ({level, scope, message}) =>
    writesAt('warn', level) || API_LOG.includes(scope) || lines.some(line => line.test(message))
}
