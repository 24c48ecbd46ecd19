import type {ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders} from 'node:http2'
import {ExportResultCode, type ExportResult} from '@opentelemetry/core'
import {ProtobufTraceSerializer} from '@opentelemetry/otlp-transformer'
import type {ReadableSpan, SpanExporter} from '@opentelemetry/sdk-trace'
import {roughDuration} from '../../../model/duration.ts'
import {percentDecoded} from '../../../proxy/net/grpc/status.ts'
import type {OtlpSettings} from '../../../files/resources/tracing-settings.ts'

// an ES import would load more than HTTP/2
const http2 = process.getBuiltinModule('node:http2')

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

/** Why a call failed; '' = it succeeded, undefined = these headers have no status. */
function failureIn(headers: IncomingHttpHeaders): string | undefined {
  const status = headers['grpc-status']
  if (status === undefined) return undefined
  if (status === '0') return ''
  const message = percentDecoded(String(headers['grpc-message'] ?? ''))
  return `gRPC status ${String(status)}${message === '' ? '' : `: ${message}`}`
}

/**
 * Sends spans over gRPC: one unary call per batch, on one connection that is opened on first use. OpenTelemetry's own
 * exporter loads gRPC by a `require` that bundlers do not see, and would add a megabyte for this call.
 */
export class GrpcSpanExporter implements SpanExporter {
  readonly #authority: string
  readonly #headers: OutgoingHttpHeaders
  readonly #timeoutMs: number
  #session: ClientHttp2Session | undefined

  constructor({endpoint, isSecure, headers}: OtlpSettings, timeoutMs: number) {
    this.#authority = `${isSecure ? 'https' : 'http'}://${endpoint}`
    this.#timeoutMs = timeoutMs
    const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
    this.#headers = {
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc+proto',
      'grpc-timeout': `${Math.ceil(timeoutMs)}m`,
      te: 'trailers',
      ...Object.fromEntries(own)
    }
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    void this.#export(spans, done)
  }

  async shutdown(): Promise<void> {
    this.#session?.close()
  }

  async #export(spans: ReadableSpan[], done: (result: ExportResult) => void): Promise<void> {
    try {
      await this.#send(ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array())
      done({code: ExportResultCode.SUCCESS})
    } catch (error) {
      done({code: ExportResultCode.FAILED, error: error as Error})
    }
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const {promise, resolve, reject} = Promise.withResolvers<void>()
    const stream = this.#connect().request(this.#headers)
    const fail = (message: string): void => reject(new Error(message))
    const timer = setTimeout(() => {
      fail(`no response within ${roughDuration(this.#timeoutMs)}`)
      stream.close(http2.constants.NGHTTP2_CANCEL)
    }, this.#timeoutMs)
    let failure: string | undefined
    const read = (headers: IncomingHttpHeaders): void => void (failure ??= failureIn(headers))
    stream.on('response', read).on('trailers', read)
    stream.on('error', error => reject(error.cause instanceof Error ? error.cause : error))
    stream.on('close', () => {
      clearTimeout(timer)
      if (failure === '') resolve()
      else fail(failure ?? 'the connection closed without a response')
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
