import {setTimeout as pause} from 'node:timers/promises'
import {encodeField, FrameClients, type FrameTarget} from '#h2-frames'
import {ExportResultCode, type ExportResult} from '@opentelemetry/core'
import {ProtobufTraceSerializer} from '@opentelemetry/otlp-transformer'
import type {ReadableSpan, SpanExporter} from '@opentelemetry/sdk-trace'
import {roughDuration} from '../../../model/duration.ts'
import {headFields} from '../../../proxy/net/grpc/head-fields.ts'
import {OK, UNAVAILABLE} from '../../../proxy/net/grpc/status.ts'
import {UnaryCall} from '../../../proxy/net/grpc/unary-call.ts'
import type {OtlpSettings} from '../../../files/resources/tracing-settings.ts'

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
/** Pause before a batch is sent again, in ms, doubled each time. */
const FIRST_PAUSE_MS = 500

const HTTP_PORT = 80
const HTTPS_PORT = 443

/**
 * Sends spans over gRPC: one unary call per batch, on one connection that is opened on first use. A batch is sent again while the
 * collector is unreachable, as over HTTP. OpenTelemetry's own exporter loads gRPC by a `require` that bundlers do not see, and would add a megabyte for this call.
 */
export class GrpcSpanExporter implements SpanExporter {
  readonly #target: FrameTarget
  #block: string
  readonly #timeoutMs: number
  #clients: FrameClients
  /** Aborted at the end of the run: failed exports are not repeated. */
  readonly ending = new AbortController()

  constructor({endpoint, isSecure, headers}: OtlpSettings, timeoutMs: number, warn: (text: string) => void) {
    const url = new URL(`${isSecure ? 'https' : 'http'}://${endpoint}`)
    const port = Number(url.port) || (isSecure ? HTTPS_PORT : HTTP_PORT)
    this.#target = {hosts: [url.hostname.replace(/^\[(.*)\]$/, '$1')], port, isSecure, isVerified: true, warn}
    this.#clients = new FrameClients(this.#target)
    this.#timeoutMs = timeoutMs
    const pool = {protocol: isSecure ? 'grpcs' : 'grpc', authority: url.host}
    this.#block =
      headFields(pool, PATH, 'application/grpc+proto') + encodeField('grpc-timeout', `${Math.ceil(timeoutMs)}m`)
    for (const [name, value] of Object.entries(headers)) this.#block += encodeField(name.toLowerCase(), value)
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    void this.#export(spans, done)
  }

  async shutdown(): Promise<void> {
    this.#clients.retire()
  }

  async #export(spans: ReadableSpan[], done: (result: ExportResult) => void): Promise<void> {
    const until = performance.now() + this.#timeoutMs
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        const bytes = ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array()
        // leaves time for an attempt even if the pause took longer, for example while the process was suspended
        const leastMs = Math.min(FIRST_PAUSE_MS, this.#timeoutMs)
        const refusal = await this.#send(bytes, Math.max(leastMs, until - performance.now()))
        if (refusal === '') return done({code: ExportResultCode.SUCCESS})
        return done({code: ExportResultCode.FAILED, error: new Error(refusal)})
      } catch (error) {
        const isLast = this.ending.signal.aborted || performance.now() + pauseMs >= until
        if (isLast) return done({code: ExportResultCode.FAILED, error: error as Error})
      }
      await pause(pauseMs, undefined, {ref: false, signal: this.ending.signal}).catch(() => undefined)
    }
  }

  /** Sends spans. Resolves with the reason why the collector refuses them for good; '': it took them. Rejects if they may be sent again. */
  async #send(message: Uint8Array, ms: number): Promise<string> {
    const {promise, resolve, reject} = Promise.withResolvers<string>()
    const timer = setTimeout(() => {
      reject(new Error(`no response within ${roughDuration(this.#timeoutMs)}`))
      this.#clients.cut() // the other end may be gone, as after a sleep of the machine: the next export gets a new connection
      this.#clients = new FrameClients(this.#target)
    }, ms)
    new UnaryCall({
      clients: this.#clients,
      block: this.#block,
      message,
      maxBytes: 0,
      done: ({status: {code, message: why}, isCut}) => {
        const text = `gRPC status ${code}${why === '' ? '' : `: ${why}`}`
        if (code === OK) resolve('')
        else if (isCut || code === UNAVAILABLE) reject(new Error(isCut ? why : text))
        else resolve(text)
      },
      refused: why => reject(new Error(why))
    }).start()
    return promise.finally(() => clearTimeout(timer))
  }
}
