import type {AppResources} from '../resources/app-resources.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {CallMetrics} from '../telemetry/metrics/call-metrics.ts'

/** The metrics of one app's sidecar: counted anew when their settings change, as after a restart of Dapr's sidecar. */
export class SidecarMetering {
  calls: CallMetrics
  readonly #close: () => void

  constructor(runtime: AppRuntime, resources: AppResources) {
    let {
      configuration: {metrics},
      resiliency
    } = resources.snapshot
    this.calls = new CallMetrics(runtime.id, metrics)
    this.calls.resiliency.loaded(resiliency.resources)
    this.#close = resources.onChange(snapshot => {
      const hasNewSettings = snapshot.configuration.metrics !== metrics
      if (hasNewSettings) this.calls = new CallMetrics(runtime.id, snapshot.configuration.metrics)
      if (hasNewSettings || snapshot.resiliency !== resiliency)
        this.calls.resiliency.loaded(snapshot.resiliency.resources)
      ;({
        configuration: {metrics},
        resiliency
      } = snapshot)
    })
    runtime.counters = {
      recorded: record => this.calls.answered(record),
      probed: (status, elapsedMs) => this.calls.probed(status, elapsedMs)
    }
  }

  close(): void {
    this.#close()
  }
}
