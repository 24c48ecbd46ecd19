import type {CallRecord} from '../model/call.ts'

const PLAIN = /^[A-Za-z0-9\-._/@^+]+$/
const fieldOf = (name: string, value: string): string => `${name}=${PLAIN.test(value) ? value : JSON.stringify(value)}`

/** The sidecar that writes the log. */
export interface LogSource {
  readonly appId: string
  readonly instance: string
  readonly version: string
}

const userAgentIn = (lines: string): string => /^user-agent: (.*)\r$/im.exec(lines)?.[1] ?? ''

/** A call as Dapr's sidecar logs it (`HTTP API Called`, pkg/api/http/server.go), in the logrus format. */
export const apiLine = (
  {request, status, responseBytes, startedAt, endedAt}: CallRecord,
  {appId, instance, version}: LogSource,
  at: Date
): string =>
  [
    fieldOf('time', at.toISOString()),
    'level=info',
    fieldOf('msg', 'HTTP API Called'),
    fieldOf('app_id', appId),
    fieldOf('code', status.toString()),
    fieldOf('duration', Math.round(endedAt - startedAt).toString()),
    fieldOf('instance', instance),
    fieldOf('method', `${request.method} ${request.path}`),
    'scope=dapr.runtime.http-info',
    fieldOf('size', responseBytes.toString()),
    'type=log',
    fieldOf('useragent', userAgentIn(request.lines)),
    fieldOf('ver', version)
  ].join(' ')
