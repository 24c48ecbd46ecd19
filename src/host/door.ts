import {hostname} from 'node:os'
import type {AppPlan, Plan} from '../plan.ts'
import {apiLine} from '../sidecar/api-log.ts'
import {openGrpcPort} from '../sidecar/grpc-port.ts'
import type {Facts} from '../sidecar/metadata.ts'
import {openMetricsPort} from '../sidecar/metrics-port.ts'
import {openSidecar, type SidecarOptions} from '../sidecar/sidecar.ts'
import {tracesNothing} from '../template/configuration.ts'
import {RUNTIME_VERSION} from '../version.ts'
import type {Member} from './member.ts'
import type {Outside} from './calls/outside.ts'

/** The three ports of one app's sidecar. */
export interface Door {
  /** Settles when it begins to close. */
  readonly closing: Promise<void>
  /** Takes no more calls; settles when those under way are over. */
  close(): Promise<void>
}

export interface DoorOptions {
  readonly member: Member
  readonly plan: Plan
  /** The environment that we were started in. */
  readonly shell: Readonly<Record<string, string | undefined>>
  /** The way of every call of the app. */
  readonly outside: Outside
  /** Lets the user's other runs speak for their apps. */
  readonly key: string
  readonly requestShutdown: () => void
  /** The manager's routes, where the run has Daeploy services. */
  readonly lodger: SidecarOptions['lodger']
  readonly copierOf: SidecarOptions['copierOf']
}

/** Opens what an app's sidecar answers; the ports are bound already. */
export function openDoor({member, plan, shell, outside, key, requestShutdown, lodger, copierOf}: DoorOptions): Door {
  const {door} = member.plan
  const {http, grpc, metrics} = member.ports
  const parts = [
    openSidecar({
      appId: member.id,
      servers: http,
      admit: outside.admit,
      key,
      facts: () => factsOf(member, plan, outside),
      isReady: () => member.isReady,
      requestShutdown,
      hasHttp2: !isTruthy(shell['DAPR_HTTP_DISABLE_H2C'] ?? ''),
      lodger,
      copierOf,
      isTracing: !tracesNothing(member.plan.resources.configFile),
      apiLog: door.apiLogging ? apiLog(member) : undefined,
      limits: {maxBodyBytes: door.maxBodyBytes, readBufferBytes: door.readBufferBytes},
      allowedHosts: door.listenAddresses,
      tokens: {api: shell['DAPR_API_TOKEN'] ?? '', app: member.token},
      warn: text => member.logs.sidecar.write(`${text}\n`)
    }),
    openGrpcPort(grpc),
    openMetricsPort(metrics)
  ]
  const closing = Promise.withResolvers<void>()
  return {
    closing: closing.promise,
    close: async () => {
      closing.resolve()
      await Promise.all(parts.map(async part => part.close()))
      outside.close()
    }
  }
}

/** Writes each call into the log of the app's sidecar. */
function apiLog({id, logs}: Member): NonNullable<SidecarOptions['apiLog']> {
  const teller = {appId: id, instance: hostname(), version: RUNTIME_VERSION}
  return call => logs.sidecar.write(`${apiLine(call, teller, new Date())}\n`)
}

/** Dapr's words for yes (utils.IsTruthy). */
const isTruthy = (word: string): boolean => /^(y|yes|true|t|on|1)$/i.test(word)

/** What Dapr's CLI writes into its sidecar's metadata, and how the app is reached. */
function factsOf(member: Member, plan: Plan, outside: Outside): Facts {
  const app = member.listing()
  return {
    runtimeVersion: RUNTIME_VERSION,
    enabledFeatures: [],
    components: [],
    extended: {
      ...(app.command !== '' && {appCommand: app.command}),
      ...(app.appPid > 0 && {appPID: app.appPid.toString()}),
      cliPID: process.pid.toString(),
      ...(plan.file !== '' && {
        runTemplatePath: plan.file,
        runTemplateName: plan.name,
        appLogPath: app.appLogPath,
        daprdLogPath: app.daprdLogPath
      })
    },
    httpEndpoints: outside.names,
    resiliencies: [],
    connection: connectionOf(member.plan, member.appPort)
  }
}

function connectionOf({channel, health}: AppPlan, port: number): Facts['connection'] {
  return {
    port,
    protocol: channel.protocol,
    channelAddress: channel.address === '' ? '127.0.0.1' : channel.address,
    maxConcurrency: channel.maxConcurrency,
    health: health.enabled
      ? {
          path: health.path,
          interval: inGo(health.intervalMs),
          timeout: inGo(health.timeoutMs),
          threshold: health.threshold
        }
      : undefined
  }
}

/** A duration as Go writes it: `5s`, `500ms`. */
const inGo = (ms: number): string => (ms % 1000 === 0 ? `${(ms / 1000).toString()}s` : `${ms.toString()}ms`)
