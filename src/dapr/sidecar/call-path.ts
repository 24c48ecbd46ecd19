import {withBuiltInRetries} from '../../proxy/gateway/built-in-retries.ts'
import {ExternalEndpoints} from '../../proxy/gateway/external-endpoints.ts'
import type {LogEntry} from '../../model/log-entry.ts'
import type {ResiliencyEvent} from '../../model/resiliency-event.ts'
import {builtInRetry} from '../../files/resources/defaults.ts'
import type {SecretOf} from '../../files/resources/http-endpoints.ts'
import type {RetryPolicy} from '../../files/resources/resiliency/policies.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {OpenSidecarOptions} from './sidecar-options.ts'
import type {ResiliencyReporterOptions} from '../../proxy/gateway/interceptors/resiliency/report.ts'
import {ResourceEffects} from './resource-effects.ts'
import {SidecarTracing} from './tracing.ts'
import type {CallRecord} from '../../model/call.ts'
import type {ActorCounts} from '../../model/work-event.ts'
import {Once} from '../../model/once.ts'
import type {AppResources} from '../../files/resources/app-resources.ts'
import type {MetricsSettings} from '../../files/resources/metrics-settings.ts'
import type {CallMetrics} from '../../observe/telemetry/metrics/call-metrics.ts'

/**
 * The metrics of one app's sidecar. Their code is loaded for the first count or scrape. When their settings change, counters restart at
 * zero, as after a restart of Dapr's sidecar.
 */
export class SidecarMetering {
  readonly #appId: string
  readonly #namespace: string
  readonly close: () => void
  #settings: MetricsSettings
  #calls: CallMetrics | undefined
  #early: ((calls: CallMetrics) => void)[] = []
  #loading = new Once<CallMetrics>()

  /** `namespace`: the value of NAMESPACE; '': it is not set (Dapr: pkg/runtime/config.go, InitMetrics). */
  constructor(appId: string, namespace: string, resources: AppResources) {
    this.#appId = appId
    this.#namespace = namespace
    let {resiliency} = resources.snapshot
    this.#settings = resources.snapshot.configuration.metrics
    if (resiliency.resources.length > 0) this.count(calls => calls.resiliency.loaded(resiliency.resources))
    this.close = resources.onChange(({configuration: {metrics}, resiliency: policies}) => {
      // compares as JSON, since each reading of the file makes new functions for the same rules
      const hasNewSettings = JSON.stringify(metrics) !== JSON.stringify(this.#settings)
      if (hasNewSettings) this.#reset(metrics)
      if (hasNewSettings || policies !== resiliency) this.count(calls => calls.resiliency.loaded(policies.resources))
      resiliency = policies
    })
  }

  served(record: CallRecord): void {
    if (this.#calls !== undefined) this.#calls.served(record)
    else this.count(calls => calls.served(record))
  }

  /** Counts a call of the sidecar's app. `isGrpc`: the app speaks gRPC. */
  answered(record: CallRecord, isGrpc: boolean): void {
    if (this.#calls !== undefined) this.#calls.answered(record, isGrpc)
    else this.count(calls => calls.answered(record, isGrpc))
  }

  /** Counts now, or once the code is loaded. */
  count(count: (calls: CallMetrics) => void): void {
    if (!this.#settings.isEnabled) return
    if (this.#calls !== undefined) return count(this.#calls)
    this.#early.push(count)
    void this.#load()
  }

  /** Returns the metrics in Prometheus' text format; undefined: the Configuration disables metrics. `actors` returns the numbers of actors. */
  async text(actors: () => Promise<readonly ActorCounts[]>): Promise<string | undefined> {
    if (!this.#settings.isEnabled) return undefined
    const [calls, counts] = await Promise.all([this.#load(), actors()])
    calls.actors.level(counts)
    return calls.text()
  }

  #reset(settings: MetricsSettings): void {
    this.#settings = settings
    this.#calls = undefined
    this.#loading = new Once()
    this.#early = []
  }

  async #load(): Promise<CallMetrics> {
    return this.#loading.do(async () => this.#open(this.#settings))
  }

  async #open(settings: MetricsSettings): Promise<CallMetrics> {
    const {CallMetrics: Calls} = await import('../../observe/telemetry/metrics/call-metrics.ts')
    const calls = new Calls(this.#appId, this.#namespace, settings)
    if (settings !== this.#settings) return calls // the settings have changed while the code was loaded
    for (const count of this.#early) count(calls)
    this.#early = []
    this.#calls = calls
    return calls
  }
}

/** The parts that calls through one app's sidecar pass: metrics, traces, policies, and the external endpoints that resources name. */
export type CallPath = Awaited<ReturnType<typeof openCallPath>>

/** Opens these parts. Settles when the policies of the resources apply, so that no call passes before. */
export async function openCallPath(options: OpenSidecarOptions, secretOf: SecretOf, warn: (text: string) => void) {
  const {runtime, resources, env} = options
  const metering = new SidecarMetering(runtime.id, env['NAMESPACE'] ?? '', resources)
  const {opening} = runtime
  const {sidecar: sidecarLog} = opening.logs
  const log = (entry: LogEntry): void => sidecarLog.log(entry)
  const tracing = new SidecarTracing({appId: runtime.id, httpPort: opening.ports.httpPort, resources, env, log})
  opening.counters = countersOf(runtime, metering, tracing)
  const decisions = decisionsOf(options, metering)
  const external = createExternal(options, secretOf, metering, decisions)
  const namespace = env['NAMESPACE'] || 'default'
  const effects = await ResourceEffects.open({runtime, resources, namespace, tracing, external, decisions, warn})
  const close = async (): Promise<void> => {
    effects.close()
    metering.close()
    await tracing.spans?.close()
    external.close()
  }
  return {metering, tracing, external, effects, close}
}

const countersOf = (
  runtime: AppRuntime,
  metering: SidecarMetering,
  tracing: SidecarTracing
): NonNullable<AppRuntime['opening']['counters']> => ({
  recorded: record => {
    metering.answered(record, runtime.plan.channel.protocol.startsWith('grpc'))
    // only the last attempt has a span of the callee
    if (!record.isFollowed) tracing.spans?.answered(record)
  },
  decided: (decision, caller) => metering.count(calls => calls.decided(decision, caller)),
  hosted: event => metering.count(calls => calls.actors.record(event)),
  worked: event => metering.count(calls => calls.workflows.record(event)),
  workTraces: {begin: parent => tracing.beginWork(parent), ended: span => tracing.spans?.workEnded(span)},
  probed: (status, elapsedMs) => metering.count(calls => calls.probed(status, elapsedMs)),
  invoked: invocation => metering.count(calls => calls.invoked(invocation))
})

const decisionsOf = ({runtime, show}: OpenSidecarOptions, metering: SidecarMetering): ResiliencyReporterOptions => ({
  appId: runtime.id,
  log: (message, level) => runtime.logs.sidecar.log({level, message, scope: 'dapr.runtime.resiliency'}),
  recorded: event => metering.count(calls => calls.resiliency.record(event)),
  show: runtime.plan.sidecar.logLevel === 'debug' ? show : undefined
})

function createExternal(
  {resources, apps, env}: OpenSidecarOptions,
  secretOf: SecretOf,
  metering: SidecarMetering,
  decisions: ResiliencyReporterOptions
): ExternalEndpoints {
  const retryFor = (callee: string): RetryPolicy | undefined => {
    const {resiliency} = resources.snapshot
    return resiliency.targets.apps.has(callee) ? undefined : builtInRetry(resiliency)
  }
  return new ExternalEndpoints({
    resources,
    apps: withBuiltInRetries(apps, retryFor, event => void reportRetry(decisions, event)),
    env,
    recorded: record => metering.count(calls => calls.sent(record)),
    secretOf
  })
}

async function reportRetry(decisions: ResiliencyReporterOptions, event: ResiliencyEvent): Promise<void> {
  const {reportResiliency} = await import('../../proxy/gateway/interceptors/resiliency/report.ts')
  reportResiliency(decisions)(event)
}
