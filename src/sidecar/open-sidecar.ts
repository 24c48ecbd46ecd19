import type {TopicBacklog} from '../model/activity.ts'
import type {CallObserver} from '../model/call.ts'
import {type Plan, writesAt} from '../model/plan.ts'
import {apiLogEntry} from '../telemetry/api-log.ts'
import {openGrpcPort} from './grpc-port.ts'
import {factsOf} from './facts.ts'
import type {Facts} from './http/metadata.ts'
import {SidecarMetering} from './metering.ts'
import {openMetricsPort} from './metrics-port.ts'
import type {ResiliencyReporterOptions} from './report-resiliency.ts'
import {ResourceEffects} from './resource-effects.ts'
import {withBuiltInRetries} from '../gateway/built-in-retries.ts'
import type {ResiliencyEvent} from '../model/resiliency-event.ts'
import {builtInRetry} from '../resources/defaults.ts'
import type {RetryPolicy} from '../resources/resiliency/policies.ts'
import {postTo} from './post-to-app.ts'
import {openSidecar, type SidecarOptions} from './sidecar.ts'
import {SidecarBindings} from './sidecar-bindings.ts'
import {SidecarBlocks, type SidecarBlocksOptions} from './sidecar-blocks.ts'
import {SidecarSubscriptions} from './sidecar-subscriptions.ts'
import {SidecarTracing} from './tracing.ts'
import type {BreakerView} from '../gateway/interceptors/resiliency/interceptor.ts'
import {followConfiguration} from './app-configuration.ts'
import type {DaprdComponents} from '../components/daprd/daprd-access.ts'
import type {AppResources, ResourceSnapshot} from '../resources/app-resources.ts'
import {isForDaprd, isUnbuilt} from '../resources/component-support.ts'
import type {ComponentResource} from '../resources/components.ts'
import {namespaceOf} from '../resources/namespace.ts'
import {hostGuard} from '../gateway/guards.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {Admit} from '../gateway/admission.ts'
import {ExternalEndpoints} from '../gateway/external-endpoints.ts'

/** The three ports of one app's sidecar. */
export interface OpenSidecar {
  /** Aborted when other runs should search for another sidecar. */
  readonly closing: AbortSignal
  /** The circuit breakers that calls of the app have used. */
  readonly breakers: readonly BreakerView[]
  /** The topics that the app reads. */
  readonly backlogs: readonly TopicBacklog[]
  /** Opens the components of the app. If one cannot be opened, the app is not started. */
  openComponents(): Promise<void>
  /** Ends the real daprd next to the app, if there is one. */
  endDaprd(): Promise<void>
  /** Tells other runs to search for another sidecar; requests are still served. */
  announceEnd(): void
  /** Accepts no more calls; those in flight may finish until `cut` is aborted. Settles when all connections are closed. */
  close(cut: AbortSignal): Promise<void>
}

export interface OpenSidecarOptions {
  readonly runtime: AppRuntime
  readonly plan: Plan
  /** The environment that we were started in. */
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly resources: AppResources
  /** Admits the app's calls to apps. */
  readonly apps: Admit
  /** Lets the user's other runs call on behalf of their apps. */
  readonly key: string
  /** `isForced`: at once, which counts as a failure. */
  readonly requestShutdown: (isForced: boolean) => void
  /** Tells the person at the terminal what a policy has decided. */
  readonly show: (text: string) => void
  /** Loads the components of the run. */
  readonly components: SidecarBlocksOptions['components']
  readonly daprd: FindDaprd
  /** The `appProtocol` of an app of the run; '' = there is none. */
  readonly protocolOf: (id: string) => string
  /** Told of every call; undefined: nobody is. */
  readonly observer: CallObserver | undefined
  readonly faults: SidecarOptions['faults']
  /** The manager's routes, if the run has Daeploy services. */
  readonly mounted: SidecarOptions['mounted']
  readonly copierOf: SidecarOptions['copierOf']
}

/** The real daprds of a run. */
export interface FindDaprd {
  /** Why there is none; '' = there is, or nobody has looked for one. */
  readonly whyNone: string
  /** One for an app; undefined: there is none. */
  open(needs: DaprdNeeds): Promise<DaprdComponents | undefined>
}

/** What a daprd next to an app is started with. */
export interface DaprdNeeds {
  readonly runtime: AppRuntime
  /** All that the files of the app have. */
  readonly resources: readonly ComponentResource[]
  /** What Dapr's CLI sets in its metadata. */
  readonly metadata: () => Readonly<Record<string, string>>
}

/** Opens the ports of an app's sidecar; they are bound already. */
export async function openAppSidecar({
  runtime,
  plan,
  shell,
  resources,
  apps,
  key,
  requestShutdown,
  show,
  components,
  daprd,
  protocolOf,
  observer,
  faults,
  mounted,
  copierOf
}: OpenSidecarOptions): Promise<OpenSidecar> {
  const settings = runtime.plan.sidecar
  const {http, grpc, metrics} = runtime.ports
  const log = runtime.logs.sidecar
  const metered = new SidecarMetering(runtime.id, namespaceOf(shell), resources)
  const tracing = new SidecarTracing({
    appId: runtime.id,
    httpPort: runtime.ports.httpPort,
    resources,
    env: shell,
    log: entry => log.log(entry)
  })
  runtime.counters = {
    recorded: record => {
      metered.answered(record, runtime.plan.channel.protocol.startsWith('grpc'))
      // the span of the callee is that of the last attempt
      if (record.isFollowed !== true) tracing.answered(record)
    },
    decided: (decision, caller) => metered.decided(decision, caller),
    probed: (status, elapsedMs) => metered.probed(status, elapsedMs),
    invoked: invocation => metered.invoked(invocation)
  }
  const decisions: ResiliencyReporterOptions = {
    appId: runtime.id,
    log: (message, level) => log.log({level, message, scope: 'dapr.runtime.resiliency'}),
    recorded: event => metered.acted(event),
    show: settings.logLevel === 'debug' ? show : undefined
  }
  const retryFor = (callee: string): RetryPolicy | undefined => {
    const {resiliency} = resources.snapshot
    return resiliency.targets.apps.has(callee) ? undefined : builtInRetry(resiliency)
  }
  const external = new ExternalEndpoints({
    resources,
    apps: withBuiltInRetries({admit: apps, retryFor, emit: event => void reportRetry(decisions, event)}),
    env: shell,
    recorded: record => metered.sent(record),
    secretOf: async (store, name) => blocks.secretOf(store, name)
  })
  const isApiLogged = settings.apiLogging && writesAt(settings.logLevel, 'info')
  const warn = (text: string): void => log.write(`${text}\n`, 'warn')
  const shutdown = (isForced: boolean): void => {
    log.log({level: 'info', message: 'Shutdown requested via API', scope: 'dapr.runtime'})
    requestShutdown(isForced)
  }
  const effects = await ResourceEffects.open({
    runtime,
    resources,
    namespace: shell['NAMESPACE'] || 'default',
    tracing,
    external,
    decisions,
    warn
  })
  const facts = (): Facts => factsOf(runtime, plan, resources.snapshot, blocks, subscriptions.view)
  const blocks = new SidecarBlocks({
    appId: runtime.id,
    folder: runtime.plan.folder,
    env: shell,
    resources,
    components,
    whyMissing: name => whyMissing(resources.snapshot, name, daprd.whyNone),
    daprd: async all => daprd.open({runtime, resources: all, metadata: () => facts().extended}),
    postToApp: runtime.appPort === 0 ? undefined : postTo(runtime, () => sidecar, warn),
    policies: () => effects.componentPolicies,
    counted: event => metered.used(event),
    startSpan: (name, traceparent, attributes) => tracing.startCallback(name, traceparent, attributes),
    isDebug: writesAt(settings.logLevel, 'debug'),
    log: (level, message) => log.log({level, message, scope: 'dapr.runtime.processor'})
  })
  const sidecar = openSidecar({
    appId: runtime.id,
    servers: http,
    admit: external.admit,
    key,
    apiAccess: () => resources.snapshot.configuration.apiAccess.http,
    facts,
    isReady: () => runtime.isReady,
    blocks: () => blocks.load(),
    requestShutdown: () => shutdown(false),
    hasHttp2: !isTruthy(shell['DAPR_HTTP_DISABLE_H2C'] ?? ''),
    observer,
    faults,
    mounted,
    copierOf,
    whyMissing: name => whyMissing(resources.snapshot, name, daprd.whyNone),
    tracing,
    rules: effects.rules,
    recorded: record => {
      metered.served(record)
      tracing.served(record)
      const {apiLogging} = resources.snapshot.configuration
      const entry = isApiLogged ? apiLogEntry(record, apiLogging) : undefined
      if (entry !== undefined) log.log(entry)
    },
    limits: {maxBodyBytes: settings.maxBodyBytes, readBufferBytes: settings.readBufferBytes},
    allowedHosts: settings.listenAddresses,
    tokens: {api: shell['DAPR_API_TOKEN'] ?? '', app: runtime.token},
    warn
  })
  const guards = {
    isAllowedHost: hostGuard(settings.listenAddresses),
    apiToken: shell['DAPR_API_TOKEN'] ?? '',
    tracing
  }
  const grpcPort = openGrpcPort(grpc, {
    sidecar,
    guards,
    socketGuards: {...guards, isAllowedHost: () => true},
    maxHeadBytes: settings.readBufferBytes,
    contextFor: delegation => sidecar.contextFor(delegation),
    protocolOf: callee => (external.has(callee) ? 'http' : protocolOf(callee)),
    own: {
      appId: runtime.id,
      blocks: async () => blocks.load(),
      facts,
      customMetadata: sidecar.customMetadata,
      requestShutdown: shutdown
    },
    apiAccess: () => resources.snapshot.configuration.apiAccess.grpc
  })
  const stopListening = runtime.onMove(() => {
    stopListening() // the log has its first lines now
    const {resiliency} = resources.snapshot
    for (const {name} of resiliency.resources)
      log.log({level: 'info', message: `Loading Resiliency configuration: ${name}`, scope: 'dapr.runtime.resiliency'})
    const message = `Dapr trace sampler initialized: ${tracing.description}`
    if (tracing.description !== '') log.log({level: 'info', message, scope: 'dapr.runtime'})
  })
  const stopEnding = runtime.onMove(() => blocks.endedBefore(runtime.livingSince))
  const stopAsking = followConfiguration({
    runtime,
    context: sidecar,
    log: (level, message) => log.log({level, message, scope: 'dapr.runtime'})
  })
  const subscriptions = new SidecarSubscriptions({
    runtime,
    resources,
    blocks,
    context: sidecar,
    log: (level, message) => log.log({level, message, scope: 'dapr.runtime.processor.subscription'})
  })
  const bindings = new SidecarBindings({
    runtime,
    resources,
    blocks,
    context: sidecar,
    log: (level, message) => log.log({level, message, scope: 'dapr.runtime.processor.binding'})
  })
  const metricsPort = openMetricsPort(metrics, async () => metered.text())
  const closing = new AbortController()
  return {
    closing: closing.signal,
    get breakers() {
      return effects.breakers
    },
    get backlogs() {
      return blocks.backlogs
    },
    openComponents: async () => {
      runtime.fault ||= await blocks.open()
      await external.open()
    },
    endDaprd: async () => blocks.endDaprd(),
    announceEnd: () => closing.abort(),
    close: async cut => {
      closing.abort()
      stopAsking()
      stopEnding()
      metricsPort.close()
      await Promise.all([grpcPort.close(cut), sidecar.close(cut), subscriptions.close(cut), bindings.close(cut)])
      await blocks.close()
      effects.close()
      metered.close()
      await tracing.close()
      external.close()
      resources.close()
    }
  }
}

async function reportRetry(decisions: ResiliencyReporterOptions, event: ResiliencyEvent): Promise<void> {
  const {reportResiliency} = await import('./report-resiliency.ts')
  reportResiliency(decisions)(event)
}

/** Why a Component is missing although a file defines it, for the error of a call that uses it. */
function whyMissing({components}: ResourceSnapshot, name: string, whyNoDaprd: string): string {
  const found = components.find(component => component.name === name && isUnbuilt(component))
  if (found === undefined) return ''
  const {file, line} = found.place
  const place = `${file}:${line.toString()} names it`
  return isForDaprd(found, 'needed') && whyNoDaprd !== ''
    ? ` (${place}, but its type ${found.type} needs a real daprd: ${whyNoDaprd})`
    : ` (${place}, but its type ${found.type} is not supported yet)`
}

/** Dapr's values for true (utils.IsTruthy). */
const isTruthy = (word: string): boolean => /^(y|yes|true|t|on|1)$/i.test(word)
