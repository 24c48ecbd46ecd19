import {uriDecoded} from '../../model/or-else.ts'
import type {Environment} from '../../model/environment.ts'
import type {CallRecord, CallSpan} from '../../model/call.ts'
import {codeText} from '../../model/grpc-code.ts'
import type {LogEntry} from '../../model/log-entry.ts'
import {Once} from '../../model/once.ts'
import type {WorkSpan} from '../../model/work-event.ts'
import {wallTime} from '../../platform/wall-time.ts'
import type {AppResources} from '../../files/resources/app-resources.ts'
import {isExported, type TracingSettings} from '../../files/resources/tracing-settings.ts'
import {openExporters} from '../../observe/telemetry/tracing/exporters.ts'
import {Sampler, samplingRate, Tracer} from '../../observe/telemetry/tracing/tracer.ts'
import {
  attributesOf,
  errorOf,
  grpcAttributesOf,
  spanName,
  type FinishedSpan,
  type SpanSink
} from '../../observe/telemetry/tracing/span.ts'
import {formatTraceparent, parseTraceContext} from '../../observe/telemetry/tracing/trace-context.ts'
import type {BlockSpan, StartSpan} from './blocks/block-context.ts'

export interface SidecarSpansOptions {
  readonly appId: string
  readonly httpPort: number
  readonly resources: Pick<AppResources, 'warn'>
  readonly env: Environment
  readonly log: (entry: LogEntry) => void
}

/** Longest wait for unsent spans when the sidecar closes, in ms. */
const CLOSE_MS = 1000
/** The lowest HTTP status. Lower numbers are gRPC codes. */
const HTTP_STATUS = 100
/** Maximum number of spans that wait for their exporter to load. */
const MAX_EARLY = 2048

/** The spans of one app's sidecar, for one version of the tracing settings. Exporters are opened for the first sampled span. */
export class SidecarSpans {
  readonly tracer: Tracer
  /** Description of the sampler, for the sidecar's log. */
  readonly description: string
  readonly #options: SidecarSpansOptions
  readonly #exporter: Exporter | undefined

  constructor(settings: TracingSettings, options: SidecarSpansOptions) {
    const {appId, env, log, resources} = options
    this.#options = options
    const sampler = new Sampler(samplingRate(settings.samplingRate))
    this.tracer = new Tracer(sampler)
    this.description = sampler.description
    if (!isExported(settings)) return
    this.#exporter = new Exporter(async () =>
      openExporters(settings, {
        appId,
        env,
        log: message => log({level: 'info', message, scope: 'dapr.runtime.trace'}),
        warn: message => {
          log({level: 'warn', message, scope: 'dapr.runtime.trace'})
          resources.warn('exporter-failed', message)
        }
      })
    )
  }

  /** Ends the sidecar's span of a request, with its record. */
  served(record: CallRecord): void {
    const span = record.spans?.own
    if (span?.isSampled !== true) return
    const isOwn = record.call.caller === this.#options.appId
    this.#exporter?.add(() => this.#finished(record, span, isOwn ? 'client' : 'server'))
  }

  /** Ends the span of this sidecar as the callee's, after the app has answered a call from another app's sidecar. */
  answered(record: CallRecord): void {
    const span = record.spans?.callee
    if (span?.isSampled === true) this.#exporter?.add(() => this.#finished(record, span, 'server'))
  }

  /** Starts the span of a delivery to the app. */
  startCallback(...[name, traceparent, attributes]: Parameters<StartSpan>): BlockSpan {
    const {context, parentSpanId, isSampled} = this.tracer.start(traceparent, '')
    const startedAt = performance.now()
    return {
      traceparent: formatTraceparent(context),
      end: (status, why) => {
        if (!isSampled) return
        const durationMs = performance.now() - startedAt
        const error = status >= HTTP_STATUS ? errorOf(status) : why
        this.#exporter?.add(() => ({
          name,
          kind: 'client',
          context,
          parentSpanId,
          startedAt: wallTime.of(startedAt),
          durationMs,
          attributes,
          error
        }))
      }
    }
  }

  /** Exports an ended span of the app's workflows. */
  workEnded(of: () => WorkSpan): void {
    this.#exporter?.add(() => {
      const {traceparent, ...span} = of()
      const context = parseTraceContext(traceparent, '')
      if (context === undefined) throw new Error(`no traceparent: ${traceparent}`)
      return {...span, context}
    })
  }

  /** Sends unsent spans. Settles after CLOSE_MS at the latest. */
  async close(): Promise<void> {
    await this.#exporter?.close()
  }

  #finished(record: CallRecord, {context, parentSpanId}: CallSpan, kind: FinishedSpan['kind']): FinishedSpan {
    const {call, request, status, grpcStatus, startedAt, admittedAt, endedAt, failure} = record
    const [path = ''] = call.path.split('?', 1)
    const method = uriDecoded(path).replace(/^\//, '')
    const from = kind === 'server' && admittedAt > 0 ? admittedAt : startedAt
    const traced = {
      verb: request.method,
      path: uriDecoded(request.path),
      target: request.path + call.path.slice(path.length),
      status,
      peer: {address: '127.0.0.1', port: this.#options.httpPort},
      headers: headersIn(request.lines),
      callee: call.callee,
      method,
      actor: record.spans?.actor
    }
    const isGrpc = grpcStatus !== undefined
    return {
      // the span of a proxied gRPC call has the name of its method
      name: spanName(call.isProxied === true ? {...traced, callee: ''} : traced),
      kind: call.isProxied === true && call.callee === this.#options.appId ? 'server' : kind,
      context,
      parentSpanId,
      startedAt: wallTime.of(from),
      durationMs: endedAt - from,
      attributes: isGrpc
        ? grpcAttributesOf(traced, {isProxied: call.isProxied === true, isServer: kind === 'server'})
        : attributesOf(traced),
      error: isGrpc ? (grpcStatus === 0 ? '' : failure || codeText(grpcStatus)) : errorOf(status)
    }
  }
}

/** Keeps ended spans until the exporters are open, then passes them on. The first span opens the exporters. */
class Exporter {
  readonly #open: () => Promise<SpanSink | undefined>
  readonly #opening = new Once<void>()
  #sink: SpanSink | undefined
  #early: FinishedSpan[] = []
  #isClosed = false

  constructor(open: () => Promise<SpanSink | undefined>) {
    this.#open = open
  }

  add(finished: () => FinishedSpan): void {
    if (this.#isClosed) return
    if (this.#sink !== undefined) return this.#sink.add(finished())
    if (this.#early.length < MAX_EARLY) this.#early.push(finished())
    void this.#opening.do(async () => this.#load())
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#opening.begun
    await this.#sink?.close(CLOSE_MS)
  }

  async #load(): Promise<void> {
    this.#sink = await this.#open()
    for (const span of this.#early) this.#sink?.add(span)
    this.#early = []
  }
}

function* headersIn(lines: string): Generator<readonly [name: string, value: string]> {
  for (const line of lines.split('\r\n')) {
    const at = line.indexOf(':')
    if (at > 0) yield [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
  }
}
