import {readAccessControl, type AccessControl} from './access-control.ts'
import type {ResourceFile} from './field.ts'
import {DEFAULT_METRICS, readMetricsSettings, type MetricsSettings} from './metrics-settings.ts'
import {DEFAULT_TRACING, readTracingSettings, type TracingSettings} from './tracing-settings.ts'

/** A Dapr Configuration (pkg/config/configuration.go), as far as it is about calls. */
export interface Configuration {
  /** Undefined: everybody may call everything. */
  readonly accessControl: AccessControl | undefined
  readonly metrics: MetricsSettings
  readonly tracing: TracingSettings
}

/** Dapr's, where there is no file. */
export const DEFAULT_CONFIGURATION: Configuration = {
  accessControl: undefined,
  metrics: DEFAULT_METRICS,
  tracing: DEFAULT_TRACING
}

/**
 * The Configuration of a file; undefined when it cannot be used: the file's faults tell why. Dapr reads its first document,
 * whatever its kind, and replaces `${VARIABLE}` in the text before that.
 */
export async function readConfiguration({documents, faults}: ResourceFile): Promise<Configuration | undefined> {
  const spec = documents[0]?.field('spec')
  const configuration =
    spec === undefined
      ? DEFAULT_CONFIGURATION
      : {
          accessControl: readAccessControl(spec),
          metrics: await readMetricsSettings(spec),
          tracing: readTracingSettings(spec)
        }
  return faults.some(({severity}) => severity === 'error') ? undefined : configuration
}
