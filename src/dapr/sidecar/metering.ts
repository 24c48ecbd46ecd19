import type {AccessDecision, CallRecord, GrpcInvocation} from '../../model/call.ts'
import type {ComponentEvent} from '../../model/component-event.ts'
import type {ResiliencyEvent} from '../../model/resiliency-event.ts'
import type {ActorCounts, ActorEvent} from '../../model/actor-event.ts'
import type {WorkflowEvent} from '../../model/workflow-event.ts'
import type {AppResources} from '../../files/resources/app-resources.ts'
import type {MetricsSettings} from '../../files/resources/metrics-settings.ts'
import type {CallMetrics} from '../../observe/telemetry/metrics/call-metrics.ts'
import type {Caller} from '../../observe/telemetry/metrics/invocation.ts'

/**
 * The metrics of one app's sidecar. They restart at zero when their settings change, as after a restart of Dapr's sidecar. Their code
 * is loaded by what is counted first, or by the first scrape.
 */
export class SidecarMetering {
  readonly #appId: string
  readonly #namespace: string
  readonly #close: () => void
  #settings: MetricsSettings
  #calls: CallMetrics | undefined
  /** Counts that wait until the code is loaded. */
  #early: ((calls: CallMetrics) => void)[] = []
  #loading: Promise<CallMetrics> | undefined

  /** `namespace`: the variable of that name; '' = it is not set (Dapr: pkg/runtime/config.go, InitMetrics). */
  constructor(appId: string, namespace: string, resources: AppResources) {
    this.#appId = appId
    this.#namespace = namespace
    let {resiliency} = resources.snapshot
    this.#settings = resources.snapshot.configuration.metrics
    if (resiliency.resources.length > 0) this.#count(calls => calls.resiliency.loaded(resiliency.resources))
    this.#close = resources.onChange(({configuration: {metrics}, resiliency: policies}) => {
      const hasNewSettings = metrics !== this.#settings
      if (hasNewSettings) this.#reset(metrics)
      if (hasNewSettings || policies !== resiliency) this.#count(calls => calls.resiliency.loaded(policies.resources))
      resiliency = policies
    })
  }

  /** A request to the sidecar is over. */
  served(record: CallRecord): void {
    if (this.#calls !== undefined) this.#calls.served(record)
    else this.#count(calls => calls.served(record))
  }

  /** An endpoint outside was called. */
  sent(record: CallRecord): void {
    this.#count(calls => calls.sent(record))
  }

  /** The sidecar's app was called, maybe by another app's sidecar; `isGrpc`: it speaks gRPC. */
  answered(record: CallRecord, isGrpc: boolean): void {
    if (this.#calls !== undefined) this.#calls.answered(record, isGrpc)
    else this.#count(calls => calls.answered(record, isGrpc))
  }

  /** Counts a call over gRPC for a caller of HTTP. */
  invoked(invocation: GrpcInvocation): void {
    this.#count(calls => calls.invoked(invocation))
  }

  /** The app's health was checked; status 0: there was no answer. */
  probed(status: number, elapsedMs: number): void {
    this.#count(calls => calls.probed(status, elapsedMs))
  }

  /** Access control of the app has decided about a call. */
  decided(decision: AccessDecision, caller: Caller | undefined): void {
    this.#count(calls => calls.decided(decision, caller))
  }

  /** A policy has acted on a call. */
  acted(event: ResiliencyEvent): void {
    this.#count(calls => calls.resiliency.record(event))
  }

  /** Something is counted of a component. */
  used(event: ComponentEvent): void {
    this.#count(calls => calls.components.record(event))
  }

  /** Something is counted of the actors that the app hosts. */
  hosted(event: ActorEvent): void {
    this.#count(calls => calls.actors.record(event))
  }

  /** Something is counted of the app's workflows. */
  worked(event: WorkflowEvent): void {
    this.#count(calls => calls.workflows.record(event))
  }

  /** The metrics in Prometheus' text format; undefined: the Configuration disables metrics. `actors`: those that the app hosts. */
  async text(actors: () => Promise<readonly ActorCounts[]>): Promise<string | undefined> {
    if (!this.#settings.isEnabled) return undefined
    const [calls, counts] = await Promise.all([this.#load(), actors()])
    if (counts.length > 0) calls.actors.level(counts)
    return calls.text()
  }

  close(): void {
    this.#close()
  }

  #reset(settings: MetricsSettings): void {
    this.#settings = settings
    this.#calls = undefined
    this.#loading = undefined
    this.#early = []
  }

  #count(count: (calls: CallMetrics) => void): void {
    if (!this.#settings.isEnabled) return
    if (this.#calls !== undefined) return count(this.#calls)
    this.#early.push(count)
    void this.#load()
  }

  async #load(): Promise<CallMetrics> {
    return (this.#loading ??= this.#open(this.#settings))
  }

  async #open(settings: MetricsSettings): Promise<CallMetrics> {
    const {CallMetrics: Calls} = await import('../../observe/telemetry/metrics/call-metrics.ts')
    const calls = new Calls(this.#appId, this.#namespace, settings)
    if (settings !== this.#settings) return calls // there are newer ones
    for (const count of this.#early) count(calls)
    this.#early = []
    this.#calls = calls
    return calls
  }
}
