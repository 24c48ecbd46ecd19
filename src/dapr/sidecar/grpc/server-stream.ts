import type {FrameStream, StreamHandler} from '#h2-frames'
import {aborted} from '../../../platform/delay.ts'
import {NO_ROOM} from '../../../platform/collector.ts'
import {framedPieces, latin1, PREFIX_BYTES, messagePrefix, tooLargeText} from '../../../proxy/net/grpc/message-gauge.ts'
import {MessageSplitter} from '../../../proxy/net/grpc/message-splitter.ts'
import {
  answerHead,
  CANCELLED,
  RESOURCE_EXHAUSTED,
  trailersOf,
  UNKNOWN,
  type GrpcStatus
} from '../../../proxy/net/grpc/status.ts'
import {answerType, type ReceivedCall} from './request-head.ts'
import {inflated} from './inflate.ts'
import {NextChange} from '../../../model/next-change.ts'

type OnEnd = (status: GrpcStatus, requestBytes: number, responseBytes: number) => void

/** Size of unread messages, in MiB, above which the stream of a slow caller is ended. */
const MAX_BEHIND_MIB = 16
/** Size of unread messages up to which `room` lets a writer continue. */
const MAX_AHEAD_BYTES = 256 * 1024
/** Size from which a piece is written by itself: a copy of it would cost more. */
const LARGE_BYTES = 4096
const BEHIND: GrpcStatus = {
  code: RESOURCE_EXHAUSTED,
  message: `the reader of this stream is ${MAX_BEHIND_MIB} MiB behind`
}

/**
 * A streaming call that the sidecar serves itself. Flow control stops the caller while its messages wait for `next`. The stream of a
 * caller that does not read ends with an error.
 */
export class ServerStream implements StreamHandler {
  readonly received: ReceivedCall
  /** Aborted when the sidecar closes: the caller may still answer open events, then the stream ends. */
  readonly closing: AbortSignal
  readonly #fields: string
  readonly #onEnd: OnEnd
  readonly #splitter: MessageSplitter
  readonly #ended = new AbortController()
  /** Aborted when the call is over: the caller has disconnected, or the status was sent. */
  readonly ended = this.#ended.signal
  /** Received messages that wait for `next`. */
  #messages: Buffer[] = []
  /** Resolved when a message, or the end of the request, was received. */
  readonly #received = new NextChange()
  /** Resolved when the caller has read enough; undefined: no writer waits in `room`. */
  #roomMade: PromiseWithResolvers<void> | undefined
  #isRequestDone = false
  #hasHead = false
  #isOver = false
  #requestBytes = 0
  #responseBytes = 0
  /** Received bytes of messages that wait for `next`: the caller gets no flow-control credit for them yet. */
  #uncreditedBytes = 0
  /** Bytes that were written and wait for the caller to read. */
  #unsentBytes = 0

  constructor(received: ReceivedCall, fields: string, closing: AbortSignal, onEnd: OnEnd) {
    this.received = received
    this.closing = closing
    this.#fields = fields
    this.#onEnd = onEnd
    this.#splitter = new MessageSplitter(received.sidecar.maxBodyBytes)
  }

  get connection(): object {
    return this.received.caller.connection
  }

  readonly onGone = (listener: () => void): void => void aborted(this.ended).then(listener)

  /** Waits for the next message of the caller; undefined: there are no more. */
  async next(): Promise<Buffer | undefined> {
    while (this.#messages.length === 0 && !this.#isRequestDone && !this.#isOver) await this.#received.promise
    const message = this.#messages.shift()
    if (this.#messages.length === 0) this.#credit()
    return message
  }

  /** Receives large data as Buffers from now on, by `bytes` in place of `data`. */
  expectLarge(): void {
    this.received.caller.takeBytes()
  }

  /** Sends a message, given in one or more pieces, which must not change afterwards. Ends the stream if too much is unread already. */
  send(...pieces: readonly Uint8Array[]): void {
    if (this.#isOver) return
    if (this.#unsentBytes > MAX_BEHIND_MIB << 20) return this.#endSlowCaller()
    this.#writeHead()
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.#responseBytes += size
    this.#unsentBytes += size + PREFIX_BYTES
    if (size < LARGE_BYTES) this.received.caller.writeData(framedPieces(pieces), false)
    else this.#sendLarge(messagePrefix(size, false), pieces)
  }

  /**
   * Sends a message once the caller has read most of the earlier ones, so that many concurrent messages cannot end the stream. Does not
   * send if `isWanted` returns false by then.
   */
  async sendInTurn(message: Uint8Array, isWanted: () => boolean): Promise<void> {
    while (this.isBehind) await this.room()
    if (isWanted()) this.send(message)
  }

  /** Sends a message without copying its large pieces. */
  #sendLarge(prefix: string, pieces: readonly Uint8Array[]): void {
    const {caller} = this.received
    let small = prefix
    for (const piece of pieces) {
      if (piece.length < LARGE_BYTES) small += latin1(piece)
      else {
        caller.writeData(small, false)
        caller.writeData(piece, false)
        small = ''
      }
    }
    if (small !== '') caller.writeData(small, false)
  }

  get isBehind(): boolean {
    return this.#unsentBytes > MAX_AHEAD_BYTES && !this.#isOver
  }

  /** Waits until the caller has read most messages, or the call is over. Several writers may wait; each has to check `isBehind` again. */
  async room(): Promise<void> {
    if (!this.isBehind) return
    this.#roomMade ??= Promise.withResolvers()
    await this.#roomMade.promise
  }

  /** Ends the call with a status. Only the first end counts. */
  end(status: GrpcStatus): void {
    if (this.#isOver) return
    this.#writeHead()
    this.received.caller.writeHead(trailersOf(status), true)
    this.#finish(status)
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    stream.skipFields(block)
    if (isLast) this.data(stream, '', true)
  }

  data(_stream: FrameStream, bytes: string, isLast: boolean): void {
    this.#receive(bytes, isLast)
  }

  bytes(_stream: FrameStream, bytes: Buffer, isLast: boolean): void {
    this.#receive(bytes, isLast)
  }

  #receive(bytes: string | Buffer, isLast: boolean): void {
    this.#uncreditedBytes += bytes.length
    if (this.#isOver) return this.#credit()
    this.#requestBytes += bytes.length
    const {head, sidecar} = this.received
    const maxBytes = sidecar.maxBodyBytes
    for (const piece of this.#splitter.take(bytes)) {
      if (piece === 'no room') return this.end({code: RESOURCE_EXHAUSTED, message: NO_ROOM})
      if (typeof piece === 'number') return this.end({code: RESOURCE_EXHAUSTED, message: tooLargeText(piece, maxBytes)})
      const message = inflated(piece, {encoding: head.encoding, maxBytes})
      if ('code' in message) return this.end(message)
      this.#messages.push(message)
    }
    if (this.#messages.length === 0) this.#credit()
    if (isLast && this.#splitter.isWithin) return this.end({code: UNKNOWN, message: 'unexpected EOF'})
    if (isLast) this.#isRequestDone = true
    this.#received.happened()
  }

  sent(_stream: FrameStream, bytes: number): void {
    this.#unsentBytes -= bytes
    if (this.#unsentBytes <= MAX_AHEAD_BYTES) this.#makeRoom()
  }

  readonly reset = (): void => this.#finish(GONE)
  readonly lost = this.reset

  #writeHead(): void {
    if (this.#hasHead) return
    this.#hasHead = true
    const {caller, head} = this.received
    caller.writeHead(answerHead(answerType(head)) + this.#fields, false)
  }

  /** Drops unsent messages, and ends the call with an error: the caller does not read. */
  #endSlowCaller(): void {
    this.received.caller.dropWaiting()
    this.end(BEHIND)
  }

  #credit(): void {
    const bytes = this.#uncreditedBytes
    this.#uncreditedBytes = 0
    if (bytes > 0) this.received.caller.credit(bytes)
  }

  #finish(status: GrpcStatus): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#messages = []
    this.#credit()
    this.#splitter.release()
    this.#ended.abort()
    this.#received.happened()
    this.#makeRoom()
    this.#onEnd(status, this.#requestBytes, this.#responseBytes)
  }

  #makeRoom(): void {
    this.#roomMade?.resolve()
    this.#roomMade = undefined
  }
}

const GONE: GrpcStatus = {code: CANCELLED, message: 'the caller left'}
