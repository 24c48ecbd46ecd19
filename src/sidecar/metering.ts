import type {AppResources} from '../resources/app-resources.ts'
import {CallMetrics} from '../telemetry/metrics/call-metrics.ts'

/** The metrics of one app's sidecar: counted anew when their settings change, as after a restart of Dapr's sidecar. */
export class SidecarMetering {
  calls: CallMetrics
  readonly #close: () => void

  constructor(appId: string, resources: AppResources) {
    let {
      configuration: {metrics},
      resiliency
    } = resources.snapshot
    this.calls = new CallMetrics(appId, metrics)
    this.calls.resiliency.loaded(resiliency.resources)
    this.#close = resources.onChange(snapshot => {
      const hasNewSettings = snapshot.configuration.metrics !== metrics
      if (hasNewSettings) this.calls = new CallMetrics(appId, snapshot.configuration.metrics)
      if (hasNewSettings || snapshot.resiliency !== resiliency)
        this.calls.resiliency.loaded(snapshot.resiliency.resources)
      ;({
        configuration: {metrics},
        resiliency
      } = snapshot)
    })
  }

  close(): void {
    this.#close()
  }
}
