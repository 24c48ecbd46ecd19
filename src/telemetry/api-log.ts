import type {LogEntry} from '../model/log-entry.ts'
import type {CallRecord} from '../model/call.ts'

/** Text from a request's bytes, which are kept as latin1. */
const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString()

const userAgentIn = (lines: string): string => textOf(/^user-agent: (.*)\r$/im.exec(lines)?.[1] ?? '')

/** A call as an entry of its sidecar's log (`HTTP API Called`, pkg/api/http/server.go; `gRPC API Called`, pkg/api/grpc/server.go). */
export const apiLogEntry = (record: CallRecord): LogEntry =>
  record.grpcStatus === undefined ? httpEntry(record) : grpcEntry(record, record.grpcStatus)

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

const httpEntry = ({request, status, responseBytes, startedAt, endedAt}: CallRecord): LogEntry => ({
  level: 'info',
  message: 'HTTP API Called',
  scope: 'dapr.runtime.http-info',
  fields: {
    code: status,
    duration: Math.round(endedAt - startedAt),
    method: `${request.method} ${textOf(request.path)}`,
    size: responseBytes,
    useragent: userAgentIn(request.lines)
  }
})
