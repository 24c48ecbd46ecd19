import type {ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders} from 'node:http2'
import {setTimeout as pause} from 'node:timers/promises'
import {ExportResultCode, type ExportResult} from '@opentelemetry/core'
import {ProtobufTraceSerializer} from '@opentelemetry/otlp-transformer'
import type {ReadableSpan, SpanExporter} from '@opentelemetry/sdk-trace'
import {roughDuration} from '../../../model/duration.ts'
import {percentDecoded} from '../../../proxy/net/grpc/status.ts'
import type {OtlpSettings} from '../../../files/resources/tracing-settings.ts'

// an ES import would load more than HTTP/2
const http2 = process.getBuiltinModule('node:http2')

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
/** The pause before a batch is sent again; each further one is twice as long. */
const FIRST_PAUSE_MS = 500
const UNAVAILABLE = '14'

/** Why a call failed; '' = it succeeded. */
function failureIn(answer: IncomingHttpHeaders): string {
  const status = String(answer['grpc-status'])
  const message = percentDecoded(String(answer['grpc-message'] ?? ''))
  return status === '0' ? '' : `gRPC status ${status}${message === '' ? '' : `: ${message}`}`
}

/**
 * Sends spans over gRPC: one unary call per batch, on one connection that is opened on first use. A batch is sent again while its
 * collector is away, as over HTTP. OpenTelemetry's own exporter loads gRPC by a `require` that bundlers do not see, and would add a megabyte for this call.
 */
export class GrpcSpanExporter implements SpanExporter {
  readonly #authority: string
  readonly #headers: OutgoingHttpHeaders
  readonly #timeoutMs: number
  #session: ClientHttp2Session | undefined
  /** Once it is aborted, failed exports are not tried again: the run does not wait. */
  readonly ending = new AbortController()

  constructor({endpoint, isSecure, headers}: OtlpSettings, timeoutMs: number) {
    this.#authority = `${isSecure ? 'https' : 'http'}://${endpoint}`
    this.#timeoutMs = timeoutMs
    this.#headers = {
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc+proto',
      'grpc-timeout': `${Math.ceil(timeoutMs)}m`,
      te: 'trailers',
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    }
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    void this.#export(spans, done)
  }

  async shutdown(): Promise<void> {
    this.#session?.close()
  }

  async #export(spans: ReadableSpan[], done: (result: ExportResult) => void): Promise<void> {
    const until = performance.now() + this.#timeoutMs
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        const bytes = ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array()
        // a pause may take longer, as while the process is stopped
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

  /** Resolves with why they are refused for good; '' = they are not. Rejects if they may be sent again. */
  async #send(bytes: Uint8Array, ms: number): Promise<string> {
    const {promise, resolve, reject} = Promise.withResolvers<string>()
    const session = this.#connect()
    const stream = session.request(this.#headers)
    const timer = setTimeout(() => {
      reject(new Error(`no response within ${roughDuration(this.#timeoutMs)}`))
      session.destroy() // its other end may be gone, as after a sleep of the machine: the next export gets a new one
    }, ms)
    let answer: IncomingHttpHeaders | undefined
    const read = (headers: IncomingHttpHeaders): void => {
      if (headers['grpc-status'] !== undefined) answer ??= headers
    }
    stream.on('response', read).on('trailers', read)
    stream.on('error', error => reject(error.cause instanceof Error ? error.cause : error))
    stream.on('close', () => {
      clearTimeout(timer)
      if (answer === undefined) reject(new Error('the connection closed without a response'))
      else if (answer['grpc-status'] === UNAVAILABLE) reject(new Error(failureIn(answer)))
      else resolve(failureIn(answer))
    })
    stream.resume()
    const frame = Buffer.alloc(5) // not compressed, and the length
    frame.writeUInt32BE(bytes.length, 1)
    stream.end(Buffer.concat([frame, bytes]))
    return promise
  }

  #connect(): ClientHttp2Session {
    const known = this.#session
    if (known !== undefined && !known.closed && !known.destroyed) return known
    const session = http2.connect(this.#authority)
    session.on('error', () => undefined) // the calls on it get the error, too
    session.on('goaway', () => session.close())
    session.unref() // must not keep the process running
    this.#session = session
    return session
  }
}
