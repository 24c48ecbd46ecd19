import type {Environment} from '../../model/environment.ts'
import type {Field} from './field.ts'
import {MAX_TIMER_MS} from '../../model/go-duration.ts'
import {durationWithUnit} from './read-workflow-settings.ts'
import type {OtlpSettings, TracingSettings} from './tracing-settings.ts'

/** Reads `spec.tracing` (Dapr: pkg/config, TracingSpec). */
export function readTracingSettings(spec: Field): TracingSettings {
  const field = spec.field('tracing')
  field.warnUnknownKeys(['samplingRate', 'stdout', 'zipkin', 'otel', 'expandParams', 'includeBody'])
  const rate = field.field('samplingRate')
  const text = rate.text()
  const number = Number(text)
  if (text !== '' && !(number >= 0 && number <= 1))
    rate.warn(`samplingRate ${text} is not a share of all traces`, {expected: 'expected a number from 0 to 1'})
  const zipkin = field.field('zipkin')
  zipkin.warnUnknownKeys(['endpointAddress'])
  return {
    samplingRate: text,
    isLogged: field.field('stdout').boolean() ?? false,
    zipkinUrl: readZipkin(zipkin.field('endpointAddress')),
    otlp: readOtlp(field.field('otel'))
  }
}

function readZipkin(field: Field): string {
  const url = field.text()
  if (url === '' || (URL.canParse(url) && /^https?:/.test(url))) return url
  field.error(`${field.path} is no URL`, {expected: 'expected http://localhost:9411/api/v2/spans'})
  return ''
}

function readOtlp(field: Field): OtlpSettings | undefined {
  field.warnUnknownKeys(['protocol', 'endpointAddress', 'isSecure', 'headers', 'timeout'])
  const address = field.field('endpointAddress')
  const endpoint = address.text()
  const protocol = field.field('protocol')
  const name = protocol.text()
  const expected = 'expected grpc or http'
  const isSecure = field.field('isSecure').boolean() ?? true
  const headers = Object.fromEntries(field.field('headers').items().flatMap(readHeader))
  const timeoutMs = readTimeout(field.field('timeout'))
  if (endpoint === '') return undefined
  if (!URL.canParse(`http://${endpoint}`))
    return address.error(`${address.path} is no address`, {expected: 'expected localhost:4317'})
  if (name === '') {
    protocol.warn('otel has no protocol: no spans are sent', {expected})
    return undefined
  }
  if (name === 'grpc' || name === 'http') return {endpoint, protocol: name, isSecure, headers, timeoutMs}
  return protocol.error(`invalid protocol ${name} provided for Otel endpoint`, {expected})
}

function readHeader(field: Field): readonly (readonly [string, string])[] {
  const pairs = splitHeader(field.text())
  if (pairs.length === 0) field.warn(`${field.path} has no effect`, {expected: 'expected name=value'})
  return pairs
}

/** Returns name and value, or nothing for a text that is not a header. */
function splitHeader(text: string): readonly (readonly [string, string])[] {
  const at = text.indexOf('=')
  return at < 1 ? [] : [[text.slice(0, at).trim(), text.slice(at + 1).trim()]]
}

const readTimeout = (field: Field): number => Math.min(durationWithUnit(field) ?? 0, MAX_TIMER_MS)

/** Adds `OTEL_*` variables unless the file names an endpoint (Dapr: pkg/config, SetTracingSpecFromEnv). Then every trace is sampled unless the file has a rate. */
export function withOtelVariables(settings: TracingSettings, env: Environment): TracingSettings {
  const variable = (name: string): string =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || ''
  const endpoint = variable('ENDPOINT').replace(/^https?:\/\//, '')
  if (settings.otlp !== undefined || endpoint === '') return settings
  const timeout = Number(variable('TIMEOUT'))
  return {
    ...settings,
    samplingRate: settings.samplingRate || '1',
    otlp: {
      endpoint,
      protocol: variable('PROTOCOL').startsWith('http') ? 'http' : 'grpc',
      isSecure: env['OTEL_EXPORTER_OTLP_INSECURE'] !== 'true',
      headers: Object.fromEntries(variable('HEADERS').split(',').flatMap(splitHeader)),
      timeoutMs: timeout > 0 ? Math.min(timeout, MAX_TIMER_MS) : 0
    }
  }
}
