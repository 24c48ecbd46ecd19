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

/** How much may wait for a reader that is slower than the writer. */
const MAX_BEHIND_MIB = 16
/** A writer that can wait continues once no more than this waits for the reader. */
const MAX_AHEAD_BYTES = 256 * 1024
/** Bytes from which on a copy costs more than a piece of its own. */
const LARGE_BYTES = 4096
const BEHIND: GrpcStatus = {
  code: RESOURCE_EXHAUSTED,
  message: `the reader of this stream is ${MAX_BEHIND_MIB} MiB behind`
}

/**
 * A call with many messages that the sidecar serves itself. The caller may send no more while its messages wait. A caller that does not read gets no more, or an error, and its stream ends.
 */
export class ServerStream implements StreamHandler {
  readonly received: ReceivedCall
  /** Aborted when the sidecar closes: open events may be answered, and then the stream ends. */
  readonly closing: AbortSignal
  readonly #fields: string
  readonly #onEnd: OnEnd
  readonly #splitter: MessageSplitter
  readonly #left = new AbortController()
  /** Aborted when the caller has disconnected, or got the status. */
  readonly left = this.#left.signal
  #messages: Buffer[] = []
  readonly #come = new NextChange()
  #taken: PromiseWithResolvers<void> | undefined
  #isRequestDone = false
  #hasHead = false
  #isOver = false
  #requestBytes = 0
  #responseBytes = 0
  /** Bytes of the caller's window that wait with their messages, and ours that wait for the caller. */
  #untaken = 0
  #unsent = 0

  /** `fields` are more fields for the head of the answer. */
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

  /** Calls the listener when the caller has disconnected, or got the status. */
  readonly onGone = (listener: () => void): void => void aborted(this.left).then(listener)

  /** Returns the next message of the caller; undefined after the last one. */
  async next(): Promise<Buffer | undefined> {
    while (this.#messages.length === 0 && !this.#isRequestDone && !this.#isOver) await this.#come.promise
    const message = this.#messages.shift()
    if (this.#messages.length === 0) this.#credit()
    return message
  }

  /** Reads further large data as bytes. */
  expectLarge(): void {
    this.received.caller.takeBytes()
  }

  /** Sends a message, whole or in pieces, which must not be changed any more. A message of any size may follow waiting ones. */
  send(...pieces: readonly Uint8Array[]): void {
    if (this.#isOver) return
    if (this.#unsent > MAX_BEHIND_MIB << 20) return this.#leave()
    this.#writeHead()
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.#responseBytes += size
    this.#unsent += size + PREFIX_BYTES
    if (size < LARGE_BYTES) this.received.caller.writeData(framedPieces(pieces), false)
    else this.#sendLarge(messagePrefix(size, false), pieces)
  }

  /**
   * Sends a message once the caller has read most of the earlier ones, so that many messages together cannot delay it. Does not send if
   * the message is no longer wanted by then.
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

  /** Whether more data wait for the caller than it reads soon. */
  get isBehind(): boolean {
    return this.#unsent > MAX_AHEAD_BYTES && !this.#isOver
  }

  /** Settles when little waits for the caller, or the caller has left. With several waiters, each looks again whether it is behind. */
  async room(): Promise<void> {
    if (!this.isBehind) return
    this.#taken ??= Promise.withResolvers()
    await this.#taken.promise
  }

  /** Ends the call; only the first end counts. */
  end(status: GrpcStatus): void {
    if (this.#isOver) return
    this.#writeHead()
    this.received.caller.writeHead(trailersOf(status), true)
    this.#over(status)
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    stream.skipFields(block)
    if (isLast) this.data(stream, '', true)
  }

  data(_stream: FrameStream, bytes: string, isLast: boolean): void {
    this.#take(bytes, isLast)
  }

  bytes(_stream: FrameStream, bytes: Buffer, isLast: boolean): void {
    this.#take(bytes, isLast)
  }

  #take(bytes: string | Buffer, isLast: boolean): void {
    this.#untaken += bytes.length
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
    this.#come.happened()
  }

  sent(_stream: FrameStream, bytes: number): void {
    this.#unsent -= bytes
    if (this.#unsent <= MAX_AHEAD_BYTES) this.#tellRoom()
  }

  readonly reset = (): void => this.#over(GONE)
  readonly lost = this.reset

  #writeHead(): void {
    if (this.#hasHead) return
    this.#hasHead = true
    const {caller, head} = this.received
    caller.writeHead(answerHead(answerType(head)) + this.#fields, false)
  }

  /** Ends it with a word that does not wait behind what the caller does not read. */
  #leave(): void {
    this.received.caller.dropWaiting()
    this.end(BEHIND)
  }

  #credit(): void {
    const bytes = this.#untaken
    this.#untaken = 0
    if (bytes > 0) this.received.caller.credit(bytes)
  }

  #over(status: GrpcStatus): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#messages = []
    this.#credit()
    this.#splitter.release()
    this.#left.abort()
    this.#come.happened()
    this.#tellRoom()
    this.#onEnd(status, this.#requestBytes, this.#responseBytes)
  }

  #tellRoom(): void {
    this.#taken?.resolve()
    this.#taken = undefined
  }
}

const GONE: GrpcStatus = {code: CANCELLED, message: 'the caller left'}
