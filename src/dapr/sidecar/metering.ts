import type {CallRecord} from '../../model/call.ts'
import type {ActorCounts} from '../../model/actor-event.ts'
import {Once} from '../../model/once.ts'
import type {AppResources} from '../../files/resources/app-resources.ts'
import type {MetricsSettings} from '../../files/resources/metrics-settings.ts'
import type {CallMetrics} from '../../observe/telemetry/metrics/call-metrics.ts'

/**
 * The metrics of one app's sidecar, which restart at zero when their settings change, as after a restart of Dapr's sidecar. Their code
 * is loaded by what is counted first, or by the first scrape.
 */
export class SidecarMetering {
  readonly #appId: string
  readonly #namespace: string
  readonly close: () => void
  #settings: MetricsSettings
  #calls: CallMetrics | undefined
  /** Counts that wait until the code is loaded. */
  #early: ((calls: CallMetrics) => void)[] = []
  #loading = new Once<CallMetrics>()

  /** `namespace`: the variable of that name; '' = it is not set (Dapr: pkg/runtime/config.go, InitMetrics). */
  constructor(appId: string, namespace: string, resources: AppResources) {
    this.#appId = appId
    this.#namespace = namespace
    let {resiliency} = resources.snapshot
    this.#settings = resources.snapshot.configuration.metrics
    if (resiliency.resources.length > 0) this.count(calls => calls.resiliency.loaded(resiliency.resources))
    this.close = resources.onChange(({configuration: {metrics}, resiliency: policies}) => {
      // each reading makes functions for the same rules
      const hasNewSettings = JSON.stringify(metrics) !== JSON.stringify(this.#settings)
      if (hasNewSettings) this.#reset(metrics)
      if (hasNewSettings || policies !== resiliency) this.count(calls => calls.resiliency.loaded(policies.resources))
      resiliency = policies
    })
  }

  /** A request to the sidecar is over. */
  served(record: CallRecord): void {
    if (this.#calls !== undefined) this.#calls.served(record)
    else this.count(calls => calls.served(record))
  }

  /** The sidecar's app was called, maybe by another app's sidecar; `isGrpc`: it speaks gRPC. */
  answered(record: CallRecord, isGrpc: boolean): void {
    if (this.#calls !== undefined) this.#calls.answered(record, isGrpc)
    else this.count(calls => calls.answered(record, isGrpc))
  }

  /** Counts something now, or once the code is loaded. */
  count(count: (calls: CallMetrics) => void): void {
    if (!this.#settings.isEnabled) return
    if (this.#calls !== undefined) return count(this.#calls)
    this.#early.push(count)
    // if it cannot be loaded, the next count tries again
    this.#load().catch(() => undefined)
  }

  /** The metrics in Prometheus' text format; undefined: the Configuration disables metrics. `actors`: those that the app hosts. */
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
    if (settings !== this.#settings) return calls // there are newer ones
    for (const count of this.#early) count(calls)
    this.#early = []
    this.#calls = calls
    return calls
  }
}
