import type {LogEntry} from '../model/log-entry.ts'
import type {AppPlan} from '../model/plan.ts'
import {RUNTIME_VERSION, VERSION} from '../model/version.ts'

/** Ports that appear in the log lines. */
export type ShownPorts = Readonly<Record<'httpPort' | 'grpcPort' | 'internalGrpcPort' | 'metricsPort', number>>

const say = (message: string, scope = 'dapr.runtime'): LogEntry => ({level: 'info', message, scope})

/** Returns the lines that Dapr's sidecar logs at its start (pkg/runtime/runtime.go). Tests and scripts wait for them. */
export const startingLines = (
  {id, sidecar, channel}: AppPlan,
  appPort: number,
  ports: ShownPorts
): readonly LogEntry[] => [
  say(`Starting Dapr Runtime -- version ${RUNTIME_VERSION} -- commit pillion-${VERSION}`),
  say(`Log level set to: ${sidecar.logLevel}`),
  say(`metrics server started on :${ports.metricsPort}/`, 'dapr.metrics'),
  say('standalone mode configured'),
  say(`app id: ${id}`),
  say('Waiting for all outstanding components to be processed…', 'dapr.runtime.processor'),
  say('All outstanding components processed', 'dapr.runtime.processor'),
  say(`API gRPC server is running on port ${ports.grpcPort}`),
  say(`The request body size parameter is: ${sidecar.maxBodyBytes} bytes`),
  say(`HTTP server is running on port ${ports.httpPort}`),
  say(`Internal gRPC server is running on :${ports.internalGrpcPort}`),
  ...(appPort === 0
    ? []
    : [
        say(
          `application protocol: ${channel.protocol}. waiting on port ${appPort}.  This will block until the app is listening on that port.`
        )
      ])
]

/** Returns the lines that Dapr's sidecar logs when the app is ready. */
export const initializedLines = (appPort: number, elapsedMs: number): readonly LogEntry[] => [
  ...(appPort === 0 ? [] : [say(`application discovered on port ${appPort}`)]),
  say(`dapr initialized. Status: Running. Init Elapsed ${Math.round(elapsedMs)}ms`)
]

/** Last line that Dapr's sidecar logs. */
export const shutDownLine = say('Daprd shutdown gracefully', 'dapr.runtime')

/** Returns the API log lines of the calls by which Dapr's CLI sets the metadata of a sidecar. */
export const metadataCalls = (keys: readonly string[], obfuscatesUrls: boolean): readonly LogEntry[] =>
  keys.map(key => ({
    level: 'info',
    message: 'HTTP API Called',
    scope: 'dapr.runtime.http-info',
    fields: {
      code: 204,
      duration: 0,
      method: obfuscatesUrls ? 'PutMetadata' : `PUT /v1.0/metadata/${key}`,
      size: 0,
      useragent: 'Go-http-client/1.1'
    }
  }))
