import type {LogEntry} from '../model/log-entry.ts'
import type {CallRecord} from '../model/call.ts'
import type {ApiLogging} from '../resources/api-logging.ts'

/** Text from a request's bytes, which are kept as latin1. */
const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString()

const userAgentIn = (lines: string): string => textOf(/^user-agent: (.*)\r$/im.exec(lines)?.[1] ?? '')

/** Dapr's names of its APIs by the method and the part of the path behind the version (pkg/api/http). */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^GET healthz\/outbound$/, 'HealthzOutbound'],
  [/^GET healthz$/, 'Healthz'],
  [/^GET metadata$/, 'GetMetadata'],
  [/^PUT metadata\//, 'PutMetadata'],
  [/^\w+ shutdown$/, 'Shutdown'],
  [/^GET state\//, 'GetState'],
  [/^DELETE state\//, 'DeleteState'],
  [/^\w+ state\/[^/]+\/bulk$/, 'GetBulkState'],
  [/^\w+ state\/[^/]+\/transaction$/, 'ExecuteStateTransaction'],
  [/^\w+ state\//, 'SaveState'],
  [/^\w+ publish\/bulk\//, 'BulkPublishEvent'],
  [/^\w+ publish\//, 'PublishEvent'],
  [/^\w+ bindings\//, 'InvokeBinding'],
  [/^\w+ secrets\/[^/]+\/bulk$/, 'GetBulkSecret'],
  [/^\w+ secrets\//, 'GetSecret'],
  [/^\w+ configuration\//, 'GetConfiguration'],
  [/^\w+ lock\//, 'TryLock'],
  [/^\w+ unlock\//, 'Unlock']
]

function nameOf({call, request: {method, path}}: CallRecord): string {
  if (call.callee !== '') return `InvokeService/${call.callee}`
  const [, rest = ''] = /^\/v1\.0(?:-\w+)?\/(.*)$/.exec(path) ?? []
  return NAMES.find(([pattern]) => pattern.test(`${method} ${rest}`))?.[1] ?? 'InvokeService'
}

const isHealthCheck = (path: string): boolean => /^\/v1\.0\/healthz(?:\/outbound)?\/?$/.test(path)

/**
 * A call as an entry of its sidecar's log (`HTTP API Called`, pkg/api/http/server.go; `gRPC API Called`,
 * pkg/api/grpc/server.go); undefined: it is not logged.
 */
export function apiLogEntry(record: CallRecord, {obfuscatesUrls, omitsHealthChecks}: ApiLogging): LogEntry | undefined {
  if (record.grpcStatus !== undefined) return grpcEntry(record, record.grpcStatus)
  if (omitsHealthChecks && isHealthCheck(record.request.path)) return undefined
  const {method, path} = record.request
  return httpEntry(record, obfuscatesUrls ? nameOf(record) : `${method} ${textOf(path)}`)
}

const grpcEntry = ({request, startedAt, endedAt}: CallRecord, code: number): LogEntry => ({
  level: 'info',
  message: 'gRPC API Called',
  scope: 'dapr.runtime.grpc.api-info',
  fields: {
    code,
    duration: Math.round(endedAt - startedAt),
    method: textOf(request.path),
    useragent: userAgentIn(request.lines)
  }
})

const httpEntry = ({request, status, responseBytes, startedAt, endedAt}: CallRecord, method: string): LogEntry => ({
  level: 'info',
  message: 'HTTP API Called',
  scope: 'dapr.runtime.http-info',
  fields: {
    code: status,
    duration: Math.round(endedAt - startedAt),
    method,
    size: responseBytes,
    useragent: userAgentIn(request.lines)
  }
})
