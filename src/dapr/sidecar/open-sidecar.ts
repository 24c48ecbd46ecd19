import {hostGuard} from '../../proxy/gateway/guards.ts'
import {orAborted} from '../../platform/delay.ts'
import {PageGuard} from '../../proxy/gateway/page-guard.ts'
import type {BreakerView} from '../../proxy/gateway/interceptors/resiliency/policy-interceptor.ts'
import type {TopicBacklog} from '../../model/activity.ts'
import type {CallRecord} from '../../model/call.ts'
import {type LogLevel, writesAt} from '../../model/plan.ts'
import type {ApiLogging} from '../../files/resources/api-logging.ts'
import type {SecretOf} from '../../files/resources/http-endpoints.ts'
import type {Job} from '../../work/job/job.ts'
import type {JobOutcome} from '../../work/job/jobs.ts'
import {asBytes} from '../../model/bytes.ts'
import {apiLogEntry} from '../../observe/telemetry/api-log.ts'
import {takesQuestions, postTo} from './ask-app.ts'
import type {ActorState} from './blocks/actor-state.ts'
import type {Blocks} from './blocks/blocks.ts'
import {openCallPath, type CallPath} from './call-path.ts'
import {factsOf, whyMissing} from './facts.ts'
import {openGrpcPort, type OpenGrpcPort, openMetricsPort} from './ports.ts'
import type {Facts} from './http/metadata.ts'
import {Sidecar} from './sidecar.ts'
import {SidecarActors} from './sidecar-actors.ts'
import {release} from '../../proxy/net/claimed-server.ts'
import type {SidecarPorts} from '../../proxy/ports/claim.ts'
import type {Opening} from '../../supervisor/opening.ts'
import type {OpenSidecarOptions} from './sidecar-options.ts'
import {SidecarBindings} from './sidecar-bindings.ts'
import {SidecarBlocks, type SharedContext} from './sidecar-blocks.ts'
import {SidecarSubscriptions} from './sidecar-subscriptions.ts'
import {isTruthy} from '../../model/truthy.ts'

export type SidecarServers = Pick<SidecarPorts, 'http' | 'grpc' | 'metrics'>

/** An open sidecar, as the run sees it. */
export type OpenSidecar = Omit<AppSidecar, 'actors' | 'secretOf'> & {
  readonly actors: Pick<SidecarActors, 'mayHost' | 'hostWaitMs'>
}

/** Opens an app's sidecar at its ports, which are bound already. */
export async function openAppSidecar(options: OpenSidecarOptions): Promise<OpenSidecar> {
  const log = options.runtime.logs.sidecar
  const warn = (text: string): void => log.write(asBytes(`${text}\n`), 'warn')
  const path = await openCallPath(options, async (store, name) => sidecar.secretOf(store, name), warn)
  const sidecar = new AppSidecar(options, path, warn)
  return sidecar
}

/** Sidecar of one app: creates its parts and connects them, at the ports for HTTP, gRPC and metrics. */
class AppSidecar {
  readonly actors: SidecarActors
  readonly #options: OpenSidecarOptions
  readonly #opening: Opening
  readonly #path: CallPath
  readonly #warn: (text: string) => void
  readonly #blocks: SidecarBlocks
  readonly #pages: PageGuard
  readonly #http: Sidecar
  readonly #grpc: OpenGrpcPort
  readonly #metrics: ReturnType<typeof openMetricsPort>
  readonly #subscriptions: SidecarSubscriptions
  readonly #bindings: SidecarBindings
  readonly #closing = new AbortController()
  /** Whether the app was ready once, with its topics and bindings read (Dapr: rtHealthz.Ready() in pkg/runtime/runtime.go). */
  #wasReady = false
  readonly #stops: readonly (() => void)[]

  /** Lists the state of an actor that the app hosts. Rejects if its store cannot list keys. */
  readonly actorState: ActorState['list'] = async (...of) => (await this.#blocks.load()).actorState.list(...of)

  constructor(options: OpenSidecarOptions, path: CallPath, warn: (text: string) => void) {
    const {runtime, resources} = options
    this.#options = options
    this.#opening = runtime.opening
    this.#path = path
    this.#warn = warn
    this.#pages = new PageGuard(options.plan.allowedOrigins ?? [], () => runtime.appPort)
    this.#blocks = this.#createBlocks()
    this.#http = this.#openHttp()
    this.#grpc = this.#openGrpc()
    const {context} = this.#http
    const stopLogging = runtime.onMove(() => {
      stopLogging() // once: after the first lines of the log
      this.#logResources()
    })
    this.#stops = [
      stopLogging,
      runtime.onMove(() => this.#blocks.followProcesses()),
      runtime.queue.onOpen(() => options.work.appReady(runtime)),
      runtime.onMove(() => options.work.appReady(runtime)),
      this.#blocks.onComponents(() => void path.external.open())
    ]
    this.actors = new SidecarActors({
      runtime,
      context,
      actors: options.actors,
      policies: () => path.effects.componentPolicies,
      log: this.#logAs('dapr.runtime.actor'),
      components: () => resources.snapshot.components,
      warn: text => resources.warn('actors', `"${runtime.name}" ${text}`)
    })
    const shared = {runtime, resources, blocks: this.#blocks, context}
    this.#subscriptions = new SidecarSubscriptions({...shared, log: this.#logAs('dapr.runtime.processor.subscription')})
    this.#bindings = new SidecarBindings({...shared, log: this.#logAs('dapr.runtime.processor.binding')})
    runtime.opening.isServed = () =>
      (this.#wasReady ||= runtime.isListening && this.#subscriptions.isReady && this.#bindings.isReady)
    this.#metrics = openMetricsPort(
      runtime.ports.metrics,
      async () => path.metering.text(async () => options.actors.countsOf(runtime)),
      {isAllowedHost: hostGuard(runtime.plan.sidecar.listenAddresses), pages: this.#pages, warn}
    )
  }

  /** Aborted when the sidecar is about to close: other runs then look for another one. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  get breakers(): readonly BreakerView[] {
    return this.#path.effects.breakers
  }

  get backlogs(): readonly TopicBacklog[] {
    return this.#blocks.backlogs
  }

  /** Delivers one firing of a job to the app. `waits`: also to an app that has to start or reload first. */
  async deliverJob(job: Job, waits = false): Promise<JobOutcome> {
    const {runtime} = this.#options
    if ((!waits && (!runtime.isListening || !runtime.queue.isOpen)) || runtime.appPort === 0)
      return {kind: 'undeliverable', answer: 'the app takes no calls'}
    const {deliverJob} = await import('./deliver-job.ts')
    const log = this.#logAs('dapr.runtime.scheduler')
    const start = performance.now()
    const outcome = await deliverJob(job, {runtime, context: this.#http.context, warn: text => log('warn', text)})
    const isSuccess = outcome.kind === 'done' && outcome.isMissing !== true
    if (outcome.kind !== 'undeliverable')
      this.#path.metering.count(({components}) =>
        components.record({type: 'job', component: '', isSuccess, elapsedMs: performance.now() - start})
      )
    return outcome
  }

  /** Whether the app must not fall asleep: it reads over its own streams, or its process has not reported its topics, bindings and actors yet. */
  readonly keepsAwake = (): boolean =>
    this.#blocks.hasStreams || this.#subscriptions.isAsked || !this.#bindings.isReady || !this.actors.isKnown
  readonly secretOf: SecretOf = async (store, name) => this.#blocks.secretOf(store, name)

  /** Opens the components of the app. A mistake prevents the start of the app. Stops waiting when the run ends. */
  async openComponents(): Promise<void> {
    await orAborted(this.#options.ending, this.#openComponents())
  }

  /** Retries failed components: a server or a file that they need may exist by now. */
  readonly openAgain = async (): Promise<void> => orAborted(this.#options.ending, this.#blocks.reload())

  async #openComponents(): Promise<void> {
    this.#opening.faults.set('components', await this.#blocks.open())
    await this.#path.external.open()
  }

  async endDaprd(): Promise<void> {
    await this.#blocks.endDaprd()
  }

  /** Makes other runs look for another sidecar. Requests are still served. */
  announceEnd(): void {
    this.#closing.abort()
  }

  /**
   * Prepares for the next sidecar of the app, which an edit opens: stops accepting connections, and stops deliveries. Calls on open
   * connections continue until `close`. `keepsPorts`: resolves with the listening servers, for the next sidecar.
   */
  async makeRoom(keepsPorts: boolean, cut: AbortSignal): Promise<SidecarServers | undefined> {
    const servers = {http: this.#http.handOver(), grpc: this.#grpc.handOver(), metrics: this.#metrics.handOver()}
    if (!keepsPorts) for (const each of Object.values(servers).flat()) release(each)
    this.#stopDelivery()
    await Promise.all([this.#subscriptions.close(cut), this.#bindings.close(cut)])
    return keepsPorts ? servers : undefined
  }

  #stopDelivery(): void {
    this.#closing.abort()
    for (const stop of this.#stops) stop()
    this.actors.close()
    this.#blocks.leaveActors()
    this.#metrics.destroy()
  }

  /** Stops accepting calls. Calls in flight may finish until `cut` is aborted. Settles when all is closed. */
  async close(cut: AbortSignal): Promise<void> {
    this.#stopDelivery()
    const ports = [this.#grpc, this.#http, this.#subscriptions, this.#bindings]
    await Promise.all(ports.map(async port => port.close(cut)))
    // not longer than `cut`: a component that is being opened may wait for its server
    await orAborted(cut, this.#blocks.close())
    await this.#path.close()
    this.#options.resources.close()
  }

  #createBlocks(): SidecarBlocks {
    const {runtime, env, resources, daprd, work, actors, observer} = this.#options
    const {tracing, metering, effects} = this.#path
    const context: SharedContext = {
      appId: runtime.id,
      instance: runtime.home,
      isHttpApp: runtime.appPort > 0 && takesQuestions(runtime),
      namespace: env['NAMESPACE'] ?? '',
      lives: () => runtime.lives,
      whyMissing: this.#whyMissing,
      postToApp: runtime.appPort === 0 ? undefined : postTo(runtime, () => this.#http.context, this.#warn),
      policies: () => effects.componentPolicies,
      counted: event => metering.count(calls => calls.components.record(event)),
      startSpan: (...given) => tracing.spans?.startCallback(...given),
      observer,
      work,
      actors,
      log: {
        isDebug: writesAt(runtime.plan.sidecar.logLevel, 'debug'),
        write: this.#logAs('dapr.runtime.processor'),
        warn: (code, text) => resources.warn(code, text)
      }
    }
    return new SidecarBlocks(this.#options, context, async all =>
      daprd.open({runtime, resources: all, metadata: () => this.#facts().extended, ending: this.closing})
    )
  }

  #openHttp(): Sidecar {
    const {runtime, env, resources, key, observer, faults, mounted, copierOf} = this.#options
    const {tracing, external, effects} = this.#path
    const {maxBodyBytes, readBufferBytes, listenAddresses} = runtime.plan.sidecar
    return new Sidecar({
      appId: runtime.id,
      servers: runtime.ports.http,
      admit: external.admit,
      key,
      apiAccess: () => resources.snapshot.configuration.apiAccess.http,
      facts: this.#facts,
      wasReady: () => this.#opening.isServed?.() === true,
      blocks: this.#usedBlocks,
      requestShutdown: this.#requestShutdown,
      hasHttp2: !isTruthy(env['DAPR_HTTP_DISABLE_H2C'] ?? ''),
      observer,
      faults,
      mounted,
      copierOf,
      tracing,
      rules: effects.rules,
      recorded: this.#recorder(),
      namesCalls: runtime.plan.record.namesCalls !== false,
      limits: {maxBodyBytes, readBufferBytes},
      allowedHosts: listenAddresses,
      pages: this.#pages,
      tokens: {api: env['DAPR_API_TOKEN'] ?? '', app: runtime.token},
      warn: this.#warn
    })
  }

  #openGrpc(): OpenGrpcPort {
    const {runtime, env, resources, protocolOf, work, used} = this.#options
    const {tracing, external} = this.#path
    const {listenAddresses, readBufferBytes} = runtime.plan.sidecar
    const {context: sidecar, customMetadata} = this.#http
    const isAllowedHost = hostGuard(listenAddresses)
    const guards = {isAllowedHost, apiToken: env['DAPR_API_TOKEN'] ?? '', tracing, pages: this.#pages}
    return openGrpcPort(runtime.ports.grpc, {
      sidecar,
      guards,
      maxHeadBytes: readBufferBytes,
      protocolOf: callee => (external.has(callee) ? 'http' : protocolOf(callee)),
      own: {
        appId: runtime.id,
        instance: runtime.home,
        lives: () => runtime.lives,
        blocks: this.#usedBlocks,
        workflows: async () => {
          used()
          return work.workflows()
        },
        facts: this.#facts,
        customMetadata,
        requestShutdown: this.#requestShutdown
      },
      apiAccess: () => resources.snapshot.configuration.apiAccess.grpc
    })
  }

  /** Returns the function that counts, traces and logs each ended request to the sidecar. */
  #recorder(): (record: CallRecord) => void {
    const {runtime, resources} = this.#options
    const {metering, tracing} = this.#path
    const log = runtime.logs.sidecar
    const {apiLogging, logLevel} = runtime.plan.sidecar
    const isInfo = writesAt(logLevel, 'info')
    const apiLog = (): ApiLogging | undefined => {
      const settings = resources.snapshot.configuration.apiLogging
      return isInfo && (apiLogging || settings.enabled) ? settings : undefined
    }
    this.#opening.apiLog = apiLog
    return record => {
      metering.served(record)
      tracing.spans?.served(record)
      const settings = apiLog()
      const {hasFullPaths} = resources.snapshot.configuration.metrics
      const entry = settings === undefined ? undefined : apiLogEntry(record, settings, hasFullPaths)
      if (entry !== undefined) log.log(entry)
    }
  }

  readonly #usedBlocks = async (): Promise<Blocks> => {
    this.#options.used()
    return this.#blocks.load()
  }

  readonly #facts = (): Facts => {
    const {runtime, plan, resources, work} = this.#options
    const connectedWorkers = work.connectedWorkers(runtime)
    const facts = factsOf(runtime, plan, resources.snapshot, this.#blocks, this.#subscriptions.view)
    const actors = this.#options.actors.hostedAt(runtime)
    return {...facts, ...(connectedWorkers > 0 && {connectedWorkers}), ...(actors !== undefined && {actors})}
  }

  readonly #whyMissing = (name: string): string =>
    whyMissing(this.#options.resources.snapshot, name, this.#options.daprd.whyNone)

  readonly #requestShutdown = (isForced: boolean): void => {
    this.#logAs('dapr.runtime')('info', 'Shutdown requested via API')
    this.#options.requestShutdown(isForced)
  }

  #logResources(): void {
    const {resiliency} = this.#options.resources.snapshot
    for (const {name} of resiliency.resources)
      this.#logAs('dapr.runtime.resiliency')('info', `Loading Resiliency configuration: ${name}`)
    const description = this.#path.tracing.spans?.description
    if (description !== undefined) this.#logAs('dapr.runtime')('info', `Dapr trace sampler initialized: ${description}`)
  }

  /** Returns a function that writes to the sidecar's log under one of Dapr's scopes. */
  #logAs(scope: string): (level: LogLevel, message: string) => void {
    const log = this.#opening.logs.sidecar
    return (level, message) => log.log({level, message, scope})
  }
}
