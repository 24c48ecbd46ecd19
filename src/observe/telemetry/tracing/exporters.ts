import type {TracingSettings} from '../../../files/resources/tracing-settings.ts'
import type {SpanExporterOptions, SpanSink} from './span.ts'

/** Opens the configured exporters, if there are any. OpenTelemetry's packages are loaded only if spans are sent. */
export async function openExporters(
  settings: TracingSettings,
  options: SpanExporterOptions
): Promise<SpanSink | undefined> {
  const {isLogged, zipkinUrl, otlp} = settings
  const sinks: SpanSink[] = isLogged ? [logSink(options.log)] : []
  if (zipkinUrl !== '' || otlp !== undefined) {
    const {openOtlp, openZipkin} = await import('./opentelemetry.ts')
    if (zipkinUrl !== '') sinks.push(await openZipkin(zipkinUrl, options))
    if (otlp !== undefined) sinks.push(await openOtlp(otlp, options))
  }
  if (sinks.length === 0) return undefined
  return {
    add: span => {
      for (const sink of sinks) sink.add(span)
    },
    close: async maxMs => void (await Promise.all(sinks.map(async sink => sink.close(maxMs))))
  }
}

/** Writes spans to the sidecar's log, at once (Dapr: StdoutExporter). */
const logSink = (log: SpanExporterOptions['log']): SpanSink => ({
  add: ({name, context: {traceId, spanId}, parentSpanId, startedAt, durationMs}) => {
    const [from, to] = [startedAt, startedAt + durationMs].map(at => new Date(at).toISOString())
    const parent = parentSpanId === '' ? '0'.repeat(16) : parentSpanId
    log(`[${name}] Trace: ${traceId} Span: ${parent}/${spanId} Time: [${from ?? ''} ->  ${to ?? ''}] Annotations: []`)
  },
  close: async () => Promise.resolve()
})
