import {codeName, INTERNAL_ERROR, REFUSED_STREAM} from '#h2-frames'
import type {FieldWalker, FrameClient, FrameStream} from '#h2-frames'
import {codeText} from '../../model/grpc-code.ts'
import type {Hit} from '../faults/hit.ts'
import type {Admitted, Denied} from '../gateway/admission.ts'
import {RESET} from '../gateway/faulted-call.ts'
import {StreamCall} from '../gateway/stream-call.ts'
import {readAnswer} from '../net/grpc/answer-fields.ts'
import {freshTrace} from '../net/grpc/fresh-traces.ts'
import {MessageGauge} from '../net/grpc/message-gauge.ts'
import {SentMessages} from '../net/grpc/sent-messages.ts'
import {
  answerHead,
  type GrpcStatus,
  INTERNAL,
  OK,
  percentDecoded,
  responseFields,
  statusField,
  faultedStatus,
  trailersOf,
  UNAVAILABLE
} from '../net/grpc/status.ts'
import {TRACEPARENT} from '../net/grpc/trace-fields.ts'
import {LateReply} from '../net/late-reply.ts'
import {replyPairs, replyTexts, type Reply} from '../net/reply.ts'
import type {FrameHead} from './frame-head.ts'
import type {PublishedContext} from './published-port-call.ts'
import {refusal} from './refusal.ts'

const CALLER_LEFT = 'the caller left'

/** Size of a request body above which the stream delivers Buffers: for large bodies, strings cost a copy more. */
const LARGE_BYTES = 65_536

/**
 * An HTTP/2 or gRPC call at a published port. Relays the frames between caller and app unchanged, except for an added `traceparent` in the
 * request and fields about the call in the response. Responds itself if the app cannot be reached or a fault applies.
 */
export class FrameCall extends StreamCall {
  protected readonly isReadingCallee = true
  /** Measures the messages of a gRPC response. */
  protected readonly answerGauge = new MessageGauge(0)
  readonly #context: PublishedContext
  readonly #head: FrameHead
  readonly #walker: FieldWalker
  #trailers = ''
  /** Whether the head of a response was sent to the caller. */
  #hasSentHead = false
  #lateReply: LateReply | undefined
  /** Whether the callee has sent part of a response. */
  protected hasAnswer = false

  /** `stream`: the caller's stream. `walker`: decoder of the header fields on its connection. */
  constructor(context: PublishedContext, caller: string, head: FrameHead, stream: FrameStream, walker: FieldWalker) {
    const {method, path, request, isGrpc} = head
    const call = {caller, callee: context.callee, method, path, number: 0, isPublished: true}
    super(context, call, request, {caller: stream, messages: new SentMessages(0), mayStream: isGrpc})
    this.#context = context
    this.#head = head
    this.#walker = walker
    if (isGrpc) this.journal.calleeMethod = path
  }

  start(isRequestDone: boolean): void {
    this.messages.isDone = isRequestDone
    this.journal.begun()
    this.passage.start()
  }

  send({pool}: Admitted): void {
    this.connect(pool.plain)
  }

  protected begin(connection: FrameClient): void {
    const {journal, messages} = this
    const {bytes, hasTrace} = this.#head
    let trace = ''
    if (!hasTrace) {
      const {traceparent} = freshTrace()
      journal.trace = `traceparent: ${traceparent}\r\n`
      trace = TRACEPARENT + traceparent
    }
    const isDone = messages.isDone && this.#trailers === ''
    const callee = this.openCallee(connection, {fields: bytes + trace, pieces: messages.first() ?? [], isDone})
    if (this.#trailers !== '') callee.writeHead(this.#trailers, true)
  }

  protected override takeTrailers(block: string, isLast: boolean): void {
    let bytes = ''
    this.#walker.walk(block, {field: field => void (bytes += field.bytes)})
    if (!isLast) return
    this.messages.isDone = true
    if (this.#lateReply !== undefined) this.#lateReply.arrived(true)
    else this.callee?.writeHead(bytes, true)
    this.#trailers = bytes
  }

  protected keep(bytes: string | Buffer): boolean {
    if (!this.#head.isGrpc && this.journal.requestBytes > LARGE_BYTES) this.caller.takeBytes()
    if (this.#head.isGrpc && typeof bytes === 'string') this.messages.gauge.measure(bytes)
    if (this.#lateReply === undefined) return this.messages.add(bytes, this.callee !== undefined)
    this.caller.credit(bytes.length)
    this.#lateReply.arrived(this.messages.isDone)
    return true
  }

  /** Relays a header block of the response: an interim head (1xx), the head, or the trailers. */
  protected takeFields(walker: FieldWalker, block: string, isLast: boolean): void {
    const fields = readAnswer(walker, block, isLast)
    const {journal} = this
    if (this.isDropped()) return
    this.hasAnswer = true
    const {httpStatus} = fields
    if (!this.#hasSentHead && (httpStatus < 100 || httpStatus >= 200)) {
      this.#hasSentHead = true
      journal.status = httpStatus
      this.responded(fields)
      this.caller.writeHead(statusField(httpStatus) + fields.bytes + this.callFields, isLast)
      if (this.passage.broken?.left === 0) return this.breakSoon()
    } else this.caller.writeHead((httpStatus > 0 ? statusField(httpStatus) : '') + fields.bytes, isLast)
    if (fields.status >= 0) journal.grpcStatus = fields.status
    if (isLast) this.over(fields.status > OK ? percentDecoded(fields.message) || codeText(fields.status) : '')
  }

  protected takeResponse(callee: FrameStream, bytes: string, isLast: boolean): void {
    if (this.passage.isOver || this.isDropped()) return callee.credit(bytes.length)
    // relayed data before a head would be a protocol error that closes the caller's whole connection
    if (!this.#hasSentHead) return this.#refuse(502, 'data before a head')
    const passed = this.passed(bytes)
    if (this.#head.isGrpc) this.answerGauge.measure(passed)
    const isWhole = isLast && this.passage.broken?.isOver !== true
    this.caller.writeData(passed, isWhole)
    this.changed?.()
    if (isWhole) this.over('')
  }

  denied({error, down}: Denied): void {
    this.#refuse(503, down?.reason ?? error)
  }

  unreachable(why: string): void {
    this.#refuse(503, why)
  }

  protected calleeReset(code: number): void {
    this.#fail(`the app has reset the stream: ${codeName(code)}`, code)
  }

  protected calleeLost(why: string, isUnprocessed: boolean): void {
    // the app has not processed the request: REFUSED_STREAM allows the caller to retry (RFC 9113 §8.7)
    if (isUnprocessed) this.#fail(why, REFUSED_STREAM)
    else this.#refuseAfterLoss(why)
  }

  #refuseAfterLoss(why: string): void {
    this.passage.isBroken = true
    this.passage.explain(why, explained => this.#refuse(502, explained))
  }

  protected callerLeft(): void {
    this.over(CALLER_LEFT)
  }

  protected failWith({code, message}: GrpcStatus): void {
    if (code === INTERNAL) this.#fail(message, INTERNAL_ERROR)
    else this.#refuse(503, message)
  }

  endStream(): void {
    this.#fail('the app is being exchanged: open the stream again')
  }

  endByFault(hit: Hit): void {
    if (hit.kind !== 'status') this.#fail(RESET, INTERNAL_ERROR)
    else if (this.#head.isGrpc) this.#replyStatus(faultedStatus(hit))
    else this.#reply(hit.response())
  }

  protected breakOff(): void {
    this.#fail('cut by a fault', INTERNAL_ERROR)
  }

  /** Responds that the app has not answered. */
  #refuse(status: 502 | 503, why: string): void {
    const {isGrpc, lines} = this.#head
    if (isGrpc || this.#hasSentHead) return this.#fail(why)
    const {callee, lastLines, hint} = this.#context
    this.#reply(refusal({status, callee, why, lastLines: lastLines(), hint: hint?.(), lines}), why)
  }

  #reply(reply: Reply, why = ''): void {
    if (this.passage.isOver || this.#lateReply !== undefined) return
    const replyNow = (): void => this.#replyNow(reply, why)
    if (this.messages.isDone) return replyNow()
    this.messages.drop()
    this.drop()
    // the reply ends the stream, so that it has to wait until the request has arrived
    this.#lateReply = LateReply.of(this.journal, -1, {replyNow, crash: error => this.crash(error)}, reply)
    if (this.#lateReply === undefined) replyNow()
    else this.#lateReply.arrived(false)
  }

  #replyNow(reply: Reply, why: string): void {
    const body = this.#head.method === 'HEAD' ? '' : Buffer.from(reply.body).toString('latin1')
    this.caller.writeHead(responseFields(reply.status, replyPairs(reply)) + this.callFields, body === '')
    if (body !== '') this.caller.writeData(body, true)
    const journal = this.journal
    journal.status = reply.status
    journal.isCutShort = !this.messages.isDone
    journal.responseBytes = body.length
    journal.observer?.replied(this.call, replyTexts(reply))
    this.over(why)
  }

  /** Ends a gRPC call with a status that the proxy chooses. */
  #replyStatus(end: GrpcStatus): void {
    if (this.passage.isOver) return
    const head = this.#hasSentHead ? '' : answerHead('application/grpc') + this.callFields
    this.caller.writeHead(head + trailersOf(end), true)
    this.journal.status ||= 200
    this.journal.grpcStatus = end.code
    this.over(end.message || codeText(end.code))
  }

  /** Ends a call without a complete response. `code`: resets the stream with this error code; omitted: a gRPC caller gets a status instead. */
  #fail(why: string, code?: number): void {
    if (this.passage.isOver) return
    if (code === undefined && this.#head.isGrpc)
      return this.#replyStatus({code: UNAVAILABLE, message: `"${this.call.callee}" has not answered: ${why}`})
    this.caller.reset(code ?? INTERNAL_ERROR)
    this.over(why)
  }

  protected override over(failure: string): void {
    this.#lateReply?.cancel()
    super.over(failure)
  }
}
