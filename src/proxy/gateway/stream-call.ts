import {
  CANCEL,
  encodeField,
  type FieldWalker,
  type FrameClient,
  type FrameClients,
  type FrameStream,
  REFUSED_STREAM,
  type StreamHandler,
  type Waiter
} from '#h2-frames'
import type {Call, OpenStream, SentRequest} from '../../model/call.ts'
import type {Protocol} from '../../model/call-protocol.ts'
import {bugText} from '../../model/errors.ts'
import type {Hit} from '../faults/hit.ts'
import type {CallJournal} from '../net/call-journal.ts'
import type {AnswerFields} from '../net/grpc/answer-fields.ts'
import {clientsOf} from '../net/grpc/clients-of.ts'
import type {MessageGauge} from '../net/grpc/message-gauge.ts'
import {type GrpcStatus, INTERNAL, RESOURCE_EXHAUSTED} from '../net/grpc/status.ts'
import type {SentMessages} from '../net/grpc/sent-messages.ts'
import {maySendAgain} from '../net/request-body.ts'
import type {Pool} from '../net/pool.ts'
import type {Admission, Admitted, Denied, Held} from './admission.ts'
import type {CallContext} from './call-context.ts'
import {HELD_TOO_MUCH} from './held-bodies.ts'
import {Passage} from './passage.ts'
import type {Passenger} from './passenger.ts'

/** The context of a listener that receives HTTP/2 calls. */
export interface StreamContext extends CallContext {
  admit(call: Call, isRefused: boolean): Admission | Held
  readonly warn: (text: string) => void
}

export interface CalleeStream {
  readonly fields: string
  /** The part of `fields` that the next heads on the connection probably repeat; omitted: none. */
  readonly repeated?: string
  /** The part of the body that has arrived already. */
  readonly pieces: readonly string[]
  /** Whether the body ends with these pieces. */
  readonly isDone: boolean
}

/**
 * Base of HTTP/2 calls: connects a stream of the caller to a stream of the callee, and relays bytes as they arrive. A slow reader slows down
 * its sender. Ends exactly once, by `over`. Subclasses: calls at a published port (`FrameCall`), and gRPC at a sidecar (`GrpcCall`).
 */
export abstract class StreamCall implements Passenger, Waiter, StreamHandler, OpenStream {
  readonly call: Call
  readonly journal: CallJournal
  readonly passage: Passage
  changed: (() => void) | undefined
  protected readonly caller: FrameStream
  protected callee: FrameStream | undefined
  protected readonly messages: SentMessages
  readonly #context: StreamContext
  #clients: FrameClients | undefined
  /** Whether earlier calls have used the connection to the callee. */
  #wasUsed = false
  /** Why the callee's connection ended, if the callee may have processed the call by then; '': it has not. Another process must not get the call then. */
  #brokeOff = ''
  #calleeWalker: FieldWalker | undefined
  /** Bytes that were received from the caller and not sent to the callee yet. */
  #unpassed = 0

  /** `mayStream`: whether the call may be a stream without end. */
  constructor(
    context: StreamContext,
    call: Call,
    request: SentRequest,
    {caller, messages, mayStream}: {caller: FrameStream; messages: SentMessages; mayStream: boolean}
  ) {
    this.#context = context
    this.caller = caller
    this.messages = messages
    this.call = mayStream ? {...call, sent: request, stream: this} : {...call, sent: request}
    this.passage = new Passage(this, context, {call: this.call, request})
    this.journal = this.passage.journal
  }

  abstract send(admitted: Admitted): void
  abstract denied(denied: Denied): void
  abstract endByFault(hit: Hit): void
  abstract endStream(): void
  /** Called if the callee cannot be connected to. */
  abstract unreachable(why: string): void
  /** Measures the messages of the response. */
  protected abstract readonly answerGauge: MessageGauge
  /** Whether to read the callee's frames: no policy has ended the attempt. */
  protected abstract readonly isReadingCallee: boolean
  /** Opens a stream to the callee by `openCallee`. */
  protected abstract begin(connection: FrameClient, admitted: Admitted): void
  /** Measures a piece of the request, and stores it for a retry. Returns false if it is too large and has ended the call. */
  protected abstract keep(bytes: string | Buffer): boolean
  protected abstract takeFields(walker: FieldWalker, block: string, isLast: boolean): void
  protected abstract takeResponse(callee: FrameStream, bytes: string, isLast: boolean): void
  /** Whether the callee has begun to respond, or a policy has ended the attempt: the request is not sent again. */
  protected abstract readonly hasAnswer: boolean
  protected abstract calleeReset(code: number): void
  protected abstract calleeLost(why: string, isUnprocessed: boolean): void
  protected abstract callerLeft(): void
  /** Interrupts the response, since a fault demands it. */
  protected abstract breakOff(): void
  /** Ends the call with a status that the proxy chooses. */
  protected abstract failWith(end: GrpcStatus): void

  get isStream(): boolean {
    const {isDone, gauge} = this.messages
    const isAnswered = this.journal.responseBytes > 0 && !this.answerGauge.isWithinFirst
    return this.passage.admitted !== undefined && (isAnswered || (!isDone && !gauge.isWithinFirst))
  }

  ask(isRefused: boolean): Admission | Held {
    return this.#context.admit(this.call, isRefused)
  }

  protocolAt(): Protocol {
    return this.journal.request.protocol
  }

  drop(): void {
    const {callee} = this
    this.#clients?.leave(this)
    this.callee = undefined
    // an app may finish its response before it has received the whole request: its stream needs a reset then
    if (callee?.isLocalDone !== true || !callee.isRemoteDone) callee?.reset(CANCEL)
  }

  crash(error: unknown): void {
    this.#context.warn(bugText(error))
    this.failWith({code: INTERNAL, message: 'internal error'})
  }

  opened(connection: FrameClient): void {
    const {journal, passage} = this
    if (passage.admitted === undefined) return
    journal.connectedAt = performance.now()
    journal.attempts++
    this.#wasUsed = connection.wasUsed
    this.begin(connection, passage.admitted)
  }

  failed(why: string, isRefused: boolean): void {
    if (this.#brokeOff !== '') this.calleeLost(this.#brokeOff, false)
    else if (!isRefused || !this.passage.refused()) this.unreachable(why)
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    if (stream === this.caller) this.takeTrailers(block, isLast)
    else if (this.#hears(stream) && this.#calleeWalker !== undefined) this.takeFields(this.#calleeWalker, block, isLast)
    else stream.skipFields(block)
  }

  data(stream: FrameStream, bytes: string, isLast: boolean): void {
    if (stream === this.caller) this.takeRequest(bytes, isLast)
    else if (this.#hears(stream)) this.takeResponse(stream, bytes, isLast)
  }

  /** Receives a piece of a large request as a Buffer. */
  bytes(_caller: FrameStream, bytes: Buffer, isLast: boolean): void {
    this.takeRequest(bytes, isLast)
  }

  /** Gives flow-control credit to the sender of bytes that the other side has accepted. */
  sent(stream: FrameStream, bytes: number): void {
    if (stream === this.caller) return this.callee?.credit(bytes)
    // bytes of a retry have given credit before
    const passed = Math.min(bytes, this.#unpassed)
    this.#unpassed -= passed
    this.caller.credit(passed)
  }

  reset(stream: FrameStream, code: number): void {
    if (stream === this.caller) return this.callerLeft()
    if (stream !== this.callee || (code === REFUSED_STREAM && this.#repeats('', true))) return
    this.calleeReset(code)
  }

  lost(stream: FrameStream, why: string, isUnprocessed = false): void {
    if (stream === this.caller) return this.callerLeft()
    if (stream !== this.callee || this.#repeats(why, isUnprocessed)) return
    this.calleeLost(why, isUnprocessed)
  }

  /** Asks for a connection to the callee; `opened` or `failed` follows. */
  protected connect(pool: Pool): void {
    const context = this.#context
    this.#clients = clientsOf(pool, text => context.warn(text))
    this.#clients.take(this)
  }

  protected openCallee(connection: FrameClient, {fields, repeated, pieces, isDone}: CalleeStream): FrameStream {
    this.#calleeWalker = connection.walker
    const callee = connection.open(this, fields, isDone && pieces.length === 0, repeated)
    this.callee = callee
    for (let at = 0; at < pieces.length; at++) callee.writeData(pieces[at] ?? '', isDone && at === pieces.length - 1)
    this.passage.broken?.opened?.()
    return callee
  }

  protected takeTrailers(block: string, isLast: boolean): void {
    this.caller.skipFields(block)
    // gRPC requests have no trailers: this header block only ends the request
    if (isLast) this.takeRequest('', true)
  }

  protected takeRequest(bytes: string | Buffer, isLast: boolean): void {
    const {journal, messages, callee} = this
    if (isLast) messages.isDone = true
    if (this.passage.isOver) return this.caller.credit(bytes.length)
    journal.requestBytes += bytes.length
    this.#unpassed += bytes.length
    if (typeof bytes === 'string') journal.observer?.text(this.call, 'request', bytes)
    else journal.observer?.bytes(this.call, 'request', bytes, 0, bytes.length)
    if (callee === undefined && !this.passage.hold(bytes.length))
      return this.failWith({code: RESOURCE_EXHAUSTED, message: HELD_TOO_MUCH})
    if (!this.keep(bytes)) return
    if (callee?.isOver === true) this.sent(callee, bytes.length)
    else callee?.writeData(bytes, isLast)
    this.changed?.()
  }

  /** Whether a fault drops the rest of the response, possibly even its head. */
  protected isDropped(): boolean {
    const {broken} = this.passage
    if (broken === undefined || (broken.left >= 0 && !broken.isOver)) return false
    if (!broken.isOver) this.calleeLost('EOF', false)
    return (broken.isOver = true)
  }

  /** Records the head of a response. */
  protected responded({headText: text}: AnswerFields): void {
    this.journal.firstByteAt = performance.now()
    this.journal.observer?.responded(this.call, {text, size: text.length})
  }

  /** Counts a piece of the response, and returns the part of it that the caller gets. */
  protected passed(bytes: string): string {
    const {call, journal, passage} = this
    const passed = passage.broken?.take(bytes, () => this.breakSoon()) ?? bytes
    journal.responseBytes += passed.length
    journal.observer?.text(call, 'response', passed)
    return passed
  }

  /** Interrupts the response in the next turn of the event loop, after the bytes before are written. */
  protected breakSoon(): void {
    const {broken} = this.passage
    if (broken === undefined) return
    broken.isOver = true
    setImmediate(() => {
      if (this.passage.broken === broken) this.breakOff()
    })
  }

  /** Response fields with the fault and the number of the call, as `faultLine` and `numberLine` in HTTP/1. */
  protected get callFields(): string {
    const {fault, number = 0, isNumbered} = this.call
    const hit = fault === undefined ? '' : encodeField('pillion-fault', fault.toString())
    return isNumbered === true && number > 0 ? hit + encodeField('pillion-call', number.toString()) : hit
  }

  /** Ends the call. */
  protected over(failure: string): void {
    if (this.passage.isOver) return
    this.messages.drop()
    this.drop()
    this.journal.failure = failure
    this.passage.over()
  }

  /** Sends the call once more if that is safe. Returns whether it does. */
  #repeats(why: string, isUnprocessed: boolean): boolean {
    const {call, journal, messages, passage} = this
    const {admitted, broken, isOver} = passage
    const hasBody = !messages.isDone || journal.requestBytes > 0
    const isReplaced = (admitted?.grpcPool ?? admitted?.pool)?.isRetired !== false
    if (isOver || broken !== undefined || this.hasAnswer || (isReplaced && !isUnprocessed)) return false
    if (!maySendAgain({method: call.method, hasBody, isUnprocessed, wasUsed: this.#wasUsed})) return false
    if (!messages.repeat()) return false
    this.callee = undefined
    this.#brokeOff = isUnprocessed ? '' : why
    if (!isReplaced || !passage.refused()) this.#clients?.take(this)
    return true
  }

  #hears(stream: FrameStream): boolean {
    return stream === this.callee && this.isReadingCallee
  }
}
