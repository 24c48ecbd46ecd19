import {encodeField, type FrameStream, type StreamHandler} from '#h2-frames'
import {Collector, NO_ROOM} from '../../../platform/collector.ts'
import {framed, MessageGauge, PREFIX_BYTES, tooLargeText} from '../../../proxy/net/grpc/message-gauge.ts'
import {
  answerHead,
  INTERNAL,
  OK,
  RESOURCE_EXHAUSTED,
  trailersOf,
  UNKNOWN,
  type GrpcStatus
} from '../../../proxy/net/grpc/status.ts'
import {inflated, zlib} from './inflate.ts'
import {answerType, type RequestHead} from './request-head.ts'

interface UnaryRequestOptions {
  /** `grpc-encoding`; '': none. */
  readonly encoding: string
  /** Maximum bytes of the message; 0: any number. */
  readonly maxBytes: number
  readonly done: (message: Buffer) => void
  readonly failed: (status: GrpcStatus) => void
}

/** Collects the message of a unary call that the sidecar serves itself, then calls `done` or `failed` once. */
export class UnaryRequest implements StreamHandler {
  readonly #options: UnaryRequestOptions
  readonly #gauge: MessageGauge
  readonly #request = new Collector(0)
  #isOver = false
  #isGone = false
  #gone: (() => void) | undefined

  constructor(options: UnaryRequestOptions) {
    this.#options = options
    this.#gauge = new MessageGauge(options.maxBytes)
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    stream.skipFields(block)
    if (isLast) this.data(stream, '', true)
  }

  data(stream: FrameStream, bytes: string, isLast: boolean): void {
    stream.credit(bytes.length)
    if (this.#isOver) return
    const {maxBytes} = this.#options
    const tooLarge = this.#gauge.measure(bytes)
    if (tooLarge > 0) return this.#fail(RESOURCE_EXHAUSTED, tooLargeText(tooLarge, maxBytes))
    if (this.#gauge.count > 1) return this.#fail(INTERNAL, 'received two messages in a unary request')
    if (this.#request.add(bytes) !== 'added') return this.#fail(RESOURCE_EXHAUSTED, NO_ROOM)
    if (isLast) this.#end()
  }

  sent(): void {
    // other code sends the answer
  }

  readonly reset = (): void => this.#leave()
  readonly lost = this.reset

  readonly onGone = (listener: () => void): void => {
    if (this.#isGone) listener()
    else this.#gone = listener
  }

  #leave(): void {
    this.#isOver = true
    this.#isGone = true
    this.#request.release()
    this.#gone?.()
  }

  #end(): void {
    this.#isOver = true
    const request = this.#request.take()
    if (this.#gauge.isWithin) return this.#options.failed({code: UNKNOWN, message: 'unexpected EOF'})
    if (request.length === 0) return this.#options.failed({code: UNKNOWN, message: 'EOF'})
    const {done, failed} = this.#options
    const message = inflated({flag: request[0] ?? 0, bytes: request.subarray(PREFIX_BYTES)}, this.#options)
    if ('code' in message) failed(message)
    else done(message)
  }

  #fail(code: number, message: string): void {
    this.#isOver = true
    this.#request.release()
    this.#options.failed({code, message})
  }
}

export interface WholeAnswer {
  /** Encoded fields for its head. */
  readonly fields: string
  readonly status: GrpcStatus
  /** Message, sent if the status is OK. */
  readonly message: Uint8Array
}

const GZIP = encodeField('grpc-encoding', 'gzip')

/** Sends the answer to a unary call. Compresses the message if the request was compressed, as grpc-go does. */
export const answer = (caller: FrameStream, head: RequestHead, {fields, status, message}: WholeAnswer): void => {
  const isGzip = head.encoding === 'gzip' && status.code === OK
  const first = answerHead(answerType(head)) + (isGzip ? GZIP : '') + fields
  if (fields === '' && status.code !== OK) return caller.writeHead(first + trailersOf(status), true)
  caller.writeHead(first, false)
  if (isGzip) {
    const {gzipSync, constants} = zlib()
    caller.writeData(framed(gzipSync(message, {level: constants.Z_BEST_SPEED}), true), false)
  }
  if (!isGzip && status.code === OK) caller.writeData(framed(message), false)
  caller.writeHead(trailersOf(status), true)
}
