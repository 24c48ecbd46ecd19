/**
 * Uses OpenTelemetry's own packages to queue, encode and send spans. This file is loaded if an exporter is configured, and
 * the package of an exporter only if it is used.
 */
import {SpanKind, SpanStatusCode} from '@opentelemetry/api'
import {ExportResultCode} from '@opentelemetry/core'
import {resourceFromAttributes} from '@opentelemetry/resources'
import {BatchSpanProcessor, type ReadableSpan, type SpanExporter} from '@opentelemetry/sdk-trace'
import {roughDuration} from '../../../model/duration.ts'
import {uriDecoded} from '../../../model/or-else.ts'
import {within} from '../../../platform/delay.ts'
import type {OtlpSettings} from '../../../files/resources/tracing-settings.ts'
import {Masking} from '../recorder/masking.ts'
import type {SpanExporterOptions, SpanSink, FinishedSpan} from './span.ts'

const EXPORT_TIMEOUT_MS = 10_000

/** Sends spans to Zipkin's API, version 2, as JSON. */
export async function openZipkin(url: string, options: SpanExporterOptions, ms = EXPORT_TIMEOUT_MS): Promise<SpanSink> {
  const {ZipkinExporter} = await import('@opentelemetry/exporter-zipkin')
  const exporter: SpanExporter = new ZipkinExporter({url})
  // replaces the exporter's own sending, which waits endlessly, and keeps the spans and a connection of each batch
  Object.assign(exporter, {_send: sendAsJson(url, ms)})
  return openSink(`Zipkin at ${new Masking().target(url)}`, exporter, options, ms)
}

/** Returns a function that sends a batch, and calls `done` after the response or the timeout. */
const sendAsJson =
  (url: string, timeoutMs: number) =>
  (spans: readonly object[], done: Parameters<SpanExporter['export']>[1]): void => {
    let error: Error | undefined = new Error('the connection closed without a response')
    const {request} = process.getBuiltinModule(url.startsWith('https:') ? 'node:https' : 'node:http')
    const how = {method: 'POST', headers: {'content-type': 'application/json'}, signal: AbortSignal.timeout(timeoutMs)}
    request(url, how, answer => {
      const {statusCode = 0} = answer.resume()
      error = statusCode < 400 ? undefined : new Error(`status ${statusCode}`)
    })
      .on('error', failure => (error = failure))
      .on('close', () => done(error ? {code: ExportResultCode.FAILED, error} : {code: ExportResultCode.SUCCESS}))
      .end(JSON.stringify(spans))
  }

/** Sends spans to an OpenTelemetry collector, over gRPC or as protobuf over HTTP. */
export async function openOtlp(otlp: OtlpSettings, options: SpanExporterOptions): Promise<SpanSink> {
  const timeoutMs = otlp.timeoutMs || EXPORT_TIMEOUT_MS
  const shown = new Masking().target(`://${otlp.endpoint}`).slice('://'.length)
  return openSink(`the collector at ${shown}`, await otlpExporter(otlp, timeoutMs, options.warn), options, timeoutMs)
}

async function otlpExporter(
  otlp: OtlpSettings,
  timeoutMillis: number,
  warn: (text: string) => void
): Promise<SpanExporter> {
  if (otlp.protocol === 'http') return httpExporter(otlp, timeoutMillis)
  const {GrpcSpanExporter} = await import('./otlp-grpc.ts')
  return new GrpcSpanExporter(otlp, timeoutMillis, warn)
}

async function httpExporter({endpoint, isSecure, headers}: OtlpSettings, timeoutMillis: number): Promise<SpanExporter> {
  const {OTLPTraceExporter} = await import('@opentelemetry/exporter-trace-otlp-proto')
  const path = endpoint.includes('/') ? '' : '/v1/traces'
  const url = `${isSecure ? 'https' : 'http'}://${endpoint}${path}`
  return new OTLPTraceExporter({url, headers: {...headers}, timeoutMillis})
}

/** Returns a sink that sends spans by an exporter, from OpenTelemetry's bounded queue. */
function openSink(
  name: string,
  exporter: SpanExporter & {readonly ending?: AbortController},
  options: SpanExporterOptions,
  timeoutMs = EXPORT_TIMEOUT_MS
): SpanSink {
  const warn = (message: string): void => options.warn(`spans cannot be sent to ${name}: ${message}`)
  const processor = new BatchSpanProcessor({
    exporter: warnOnce(exporter, timeoutMs, warn),
    exportTimeoutMillis: Math.max(timeoutMs, EXPORT_TIMEOUT_MS) // the exporter times out first, since its error names the reason
  })
  const resource = resourceFromAttributes(resourceAttributes(options))
  return {
    add: span => processor.onEnd(readable(span, resource)),
    close: async maxMs => {
      exporter.ending?.abort()
      await within(
        maxMs,
        processor.shutdown().catch(() => undefined)
      )
    }
  }
}

/** Warns once that spans cannot be sent, and again after a success. */
function warnOnce(exporter: SpanExporter, timeoutMs: number, warn: (message: string) => void): SpanExporter {
  let hasWarned = false
  const failed = (message: string): void => {
    if (!hasWarned) warn(message)
    hasWarned = true
  }
  return {
    export: (spans, done) => {
      const timer = setTimeout(() => failed(`no response within ${roughDuration(timeoutMs)}`), timeoutMs).unref()
      exporter.export(spans, ({code, error}) => {
        clearTimeout(timer)
        if (code === ExportResultCode.SUCCESS) hasWarned = false
        else failed(error?.message ?? 'the exporter failed')
        done({code: ExportResultCode.SUCCESS}) // a failure would be logged a second time, by the queue
      })
    },
    shutdown: async () => exporter.shutdown()
  }
}

/** Returns the resource's attributes. `service.name` is the app's id, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` sets it. */
export function resourceAttributes({appId, env}: Pick<SpanExporterOptions, 'appId' | 'env'>): Record<string, string> {
  const attributes: Record<string, string> = {'service.name': appId}
  for (const pair of (env['OTEL_RESOURCE_ATTRIBUTES'] ?? '').split(',')) {
    const at = pair.indexOf('=')
    if (at > 0) attributes[pair.slice(0, at).trim()] = uriDecoded(pair.slice(at + 1).trim())
  }
  const name = env['OTEL_SERVICE_NAME'] ?? ''
  if (name !== '') attributes['service.name'] = name
  return attributes
}

const KINDS = {server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL}
const SCOPE = {name: 'dapr-diagnostics'}

/** Returns a span in the format of OpenTelemetry's exporters. */
function readable(span: FinishedSpan, resource: ReadableSpan['resource']): ReadableSpan {
  const {name, kind, context, parentSpanId, startedAt, durationMs, attributes, error} = span
  const {traceId, spanId, flags} = context
  const spanContext = {traceId, spanId, traceFlags: flags}
  return {
    name,
    kind: KINDS[kind],
    spanContext: () => spanContext,
    ...(parentSpanId === '' ? {} : {parentSpanContext: {traceId, spanId: parentSpanId, traceFlags: flags}}),
    startTime: seconds(startedAt),
    endTime: seconds(startedAt + durationMs),
    duration: seconds(durationMs),
    status: error === '' ? {code: SpanStatusCode.UNSET} : {code: SpanStatusCode.ERROR, message: error},
    attributes: {...attributes},
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0
  }
}

/** Seconds and nanoseconds, in whole microseconds: Zipkin refuses a batch in which a time has a fraction of one. */
const seconds = (ms: number): [number, number] => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1000) * 1000]
