import type {Environment} from '../model/environment.ts'

/** Matches variables that configure the receiver of an app's SDK (OpenTelemetry's environment variable specification). */
const WHERE = /^OTEL_(?:EXPORTER_\w+_ENDPOINT|EXPORTER_JAEGER_AGENT_HOST|(?:EXPERIMENTAL_)?CONFIG_FILE)$/
/** Interval at which an SDK sends spans and logs, in ms: the default of 5 s would show them long after their request. */
const DELAY_MS = '500'

/** Whether the environment already configures the receiver of an SDK, or turns it off. */
export const saysWhereToSend = (environment: Environment): boolean =>
  environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' ||
  !['otlp', '', undefined].includes(environment['OTEL_TRACES_EXPORTER']) ||
  Object.entries(environment).some(([name, value]) => WHERE.test(name) && value !== undefined && value !== '')

/**
 * Returns the variables that make an app's OpenTelemetry SDK send to Pillion, without those that the environment sets. An app without an SDK
 * ignores them. `OTEL_TRACES_SAMPLER`: traces of Pillion have flags 00, for which the default sampler of the SDKs would drop each span.
 */
export function otelVariables(environment: Environment, id: string, port: number): Readonly<Record<string, string>> {
  const ours = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_SERVICE_NAME: id,
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_BSP_SCHEDULE_DELAY: DELAY_MS,
    OTEL_BLRP_SCHEDULE_DELAY: DELAY_MS
  }
  const {OTEL_RESOURCE_ATTRIBUTES: attributes = ''} = environment
  return {
    ...Object.fromEntries(Object.entries(ours).filter(([name]) => !environment[name])),
    OTEL_RESOURCE_ATTRIBUTES: `${attributes === '' ? '' : `${attributes},`}pillion.app=${encodeURIComponent(id)}`
  }
}
