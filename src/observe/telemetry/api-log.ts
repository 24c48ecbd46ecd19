import {operationAt} from '../../model/dapr/api/routes.ts'
import {decoded} from '../../model/bytes.ts'
import type {LogEntry} from '../../model/log-entry.ts'
import type {CallRecord} from '../../model/call.ts'
import type {ApiLogging} from '../../files/resources/api-logging.ts'

const userAgentIn = (lines: string): string => decoded(/^user-agent:[ \t]*(.*)\r$/im.exec(lines)?.[1] ?? '')

/** Returns Dapr's name of the API that a request used. */
function nameOf({call, request: {method, path}}: CallRecord, hasIds: boolean): string {
  if (call.callee !== '') return `InvokeService/${call.callee}`
  const name = operationAt(method, path)?.operation.log ?? 'InvokeService'
  const [, , , type = '', id = ''] = name === 'InvokeActor' ? path.split('/') : []
  return type === '' ? name : decoded(hasIds ? `${name}/${type}.${id}` : `${name}/${type}`)
}

const isHealthCheck = (path: string): boolean => /^\/v1\.0\/healthz(?:\/outbound)?\/?$/.test(path)

/**
 * Returns the entry of a call for its sidecar's log (`HTTP API Called`, pkg/api/http/server.go; `gRPC API Called`,
 * pkg/api/grpc/server.go), if it is logged. `hasIds`: logs the ids of actors although URLs are hidden.
 */
export function apiLogEntry(
  record: CallRecord,
  {obfuscatesUrls, omitsHealthChecks}: ApiLogging,
  hasIds = true
): LogEntry | undefined {
  if (record.grpcStatus !== undefined) return grpcEntry(record, record.grpcStatus)
  if (omitsHealthChecks && isHealthCheck(record.request.path)) return undefined
  const {method, path} = record.request
  return httpEntry(record, obfuscatesUrls ? nameOf(record, hasIds) : `${method} ${decoded(path)}`)
}

const grpcEntry = ({request, startedAt, endedAt}: CallRecord, code: number): LogEntry => ({
  level: 'info',
  message: 'gRPC API Called',
  scope: 'dapr.runtime.grpc.api-info',
  fields: {
    code,
    duration: Math.round(endedAt - startedAt),
    method: decoded(request.path),
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
