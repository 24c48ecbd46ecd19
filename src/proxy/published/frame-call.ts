import {CANCEL, codeName, encodeField, INTERNAL_ERROR, kept, REFUSED_STREAM} from '#h2-frames'
import type {FieldWalker, FrameClient, FrameClients, FrameStream, StreamHandler, Waiter} from '#h2-frames'
import type {Call, OpenStream} from '../../model/call.ts'
import type {Protocol} from '../../model/call-protocol.ts'
import {bugText} from '../../model/errors.ts'
import {codeText} from '../../model/grpc-code.ts'
import type {Hit} from '../faults/hit.ts'
import type {Admission, Admitted, Denied, Held} from '../gateway/admission.ts'
import {RESET} from '../gateway/faulted-call.ts'
import {grpcStatusOf} from '../gateway/faulted-grpc-call.ts'
import {HELD_TOO_MUCH} from '../gateway/held-bodies.ts'
import {howEnded} from '../gateway/how-ended.ts'
import {Passage, type Passenger} from '../gateway/passage.ts'
import type {CallJournal} from '../net/call-journal.ts'
import {type AnswerFields, readAnswer} from '../net/grpc/answer-fields.ts'
import {clientsOf} from '../net/grpc/clients-of.ts'
import {freshTrace} from '../net/grpc/fresh-traces.ts'
import {MessageGauge} from '../net/grpc/message-gauge.ts'
import {
  answerHead,
  type GrpcStatus,
  OK,
  percentDecoded,
  statusField,
  trailersOf,
  UNAVAILABLE
} from '../net/grpc/status.ts'
import {TRACEPARENT} from '../net/grpc/trace-fields.ts'
import {LateReply} from '../net/late-reply.ts'
import {SAFE} from '../net/request-body.ts'
import {replyPairs, replyTexts, type Reply} from '../net/reply.ts'
import type {FrameHead} from './frame-head.ts'
import type {PublishedContext} from './published-port-call.ts'
import {refusal} from './refusal.ts'

const CALLER_LEFT = 'the caller left'

/** A call of HTTP/2 at a published port: fields and data are passed on unchanged, through the passage of every call. */
export class FrameCall implements Passenger, Waiter, StreamHandler, OpenStream {
  readonly call: Call
  changed: (() => void) | undefined
  readonly #context: PublishedContext
  readonly #head: FrameHead
  readonly #caller: FrameStream
  readonly #walker: FieldWalker
  readonly #journal: CallJournal
  readonly #passage: Passage
  #clients: FrameClients | undefined
  #callee: FrameStream | undefined
  #calleeWalker: FieldWalker | undefined
  /** The parts of the request that came before there was a stream to the callee. */
  #early: string[] = []
  #trailers = ''
  #isRequestDone = false
  /** The messages of a call of gRPC, both ways. */
  readonly #asked = new MessageGauge(0)
  readonly #answered = new MessageGauge(0)
  /** The caller has got the head of a response. */
  #hasBegun = false
  #late: LateReply | undefined
  /** The callee has said something to it. */
  #isHeard = false
  /** The connection to the callee has had calls before. */
  #isReused = false
  /** Whether the call was sent once more. */
  #isRepeated = false
  /** Why, where the app may have looked at it: another process must not get it. */
  #brokeOff = ''

  /** `stream` is the caller's half, `walker` that of its connection. */
  constructor(context: PublishedContext, caller: string, head: FrameHead, stream: FrameStream, walker: FieldWalker) {
    const {callee} = context
    const {method, path, request} = head
    const call: Call = {caller, callee, method, path, number: 0, isPublished: true, sent: request}
    this.call = head.isGrpc ? {...call, stream: this} : call
    this.#context = context
    this.#head = head
    this.#caller = stream
    this.#walker = walker
    this.#passage = new Passage(this, context, {call: this.call, request})
    this.#journal = this.#passage.journal
    if (head.isGrpc) this.#journal.calleeMethod = path
  }

  get isStream(): boolean {
    const isAnswered = this.#journal.responseBytes > 0 && !this.#answered.isWithinFirst
    return this.#passage.admitted !== undefined && (isAnswered || (!this.#isRequestDone && !this.#asked.isWithinFirst))
  }

  endStream(): void {
    this.#fail('the app is being exchanged: open the stream again')
  }

  start(isRequestDone: boolean): void {
    this.#isRequestDone = isRequestDone
    this.#journal.begun()
    this.#passage.start()
  }

  ask(isRefused: boolean): Admission | Held {
    return this.#context.admit(this.call, isRefused)
  }

  protocolAt(): Protocol {
    return this.#journal.request.protocol
  }

  send({pool}: Admitted): void {
    this.#clients = clientsOf(pool.plain, text => this.#context.warn(text))
    this.#clients.take(this)
  }

  denied({error, down}: Denied): void {
    this.#refuse(503, down?.reason ?? error)
  }

  struck(hit: Hit): void {
    if (hit.kind !== 'status') this.#fail(RESET, INTERNAL_ERROR)
    else if (this.#head.isGrpc) this.#replyStatus(grpcStatusOf(hit))
    else this.#reply(hit.response())
  }

  drop(): void {
    this.#clients?.leave(this)
    this.#callee?.reset(CANCEL)
    this.#callee = undefined
  }

  crash(error: unknown): void {
    this.#context.warn(bugText(error))
    this.#fail('internal error', INTERNAL_ERROR)
  }

  /** There is a connection to the callee. */
  opened(connection: FrameClient): void {
    const {broken} = this.#passage
    const journal = this.#journal
    const {bytes, hasTrace} = this.#head
    journal.connectedAt = performance.now()
    journal.attempts++
    let trace = ''
    if (!hasTrace) {
      const {traceparent} = freshTrace()
      journal.trace = `traceparent: ${traceparent}\r\n`
      trace = TRACEPARENT + traceparent
    }
    const early = this.#early
    this.#early = []
    const isDone = this.#isRequestDone && this.#trailers === ''
    this.#calleeWalker = connection.walker
    this.#isReused = connection.wasUsed
    const callee = connection.open(this, bytes + trace, isDone && early.length === 0)
    this.#callee = callee
    for (const [at, piece] of early.entries()) callee.writeData(piece, isDone && at === early.length - 1)
    if (this.#trailers !== '') callee.writeHead(this.#trailers, true)
    broken?.opened?.()
  }

  /** There is none. */
  failed(why: string, isRefused: boolean): void {
    if (this.#brokeOff !== '') return this.#lose(this.#brokeOff)
    if (!isRefused || !this.#passage.refused()) this.#refuse(503, why)
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    if (stream === this.#caller) this.#takeTrailers(block, isLast)
    else if (stream === this.#callee && this.#calleeWalker !== undefined)
      this.#takeFields(readAnswer(this.#calleeWalker, block, isLast), isLast)
  }

  data(stream: FrameStream, bytes: string, isLast: boolean): void {
    if (stream === this.#caller) this.#takeRequest(bytes, isLast)
    else if (stream === this.#callee) this.#takeResponse(stream, bytes, isLast)
  }

  /** Lets the other side send as many bytes as were sent on. */
  sent(stream: FrameStream, bytes: number): void {
    if (stream === this.#caller) this.#callee?.credit(bytes)
    else this.#caller.credit(bytes)
  }

  reset(stream: FrameStream, code: number): void {
    if (stream === this.#caller) return this.#end(CALLER_LEFT)
    if (stream !== this.#callee || (code === REFUSED_STREAM && this.#repeats(''))) return
    this.#fail(`the app has reset the stream: ${codeName(code)}`, code)
  }

  lost(stream: FrameStream, why: string, isUnprocessed = false): void {
    if (stream === this.#caller) return this.#end(CALLER_LEFT)
    if (stream !== this.#callee || this.#repeats(isUnprocessed ? '' : why)) return
    // the caller may send it again (RFC 9113 §8.7)
    if (isUnprocessed) return this.#fail(why, REFUSED_STREAM)
    this.#lose(why)
  }

  #lose(why: string): void {
    this.#passage.isBroken = true
    this.#explain(why).catch((error: unknown) => this.crash(error))
  }

  /** Sends a request without a body once more, where the app has not looked at it (`brokeOff` is ''), or may have closed the connection before. */
  #repeats(brokeOff: string): boolean {
    const {isOver, isBroken, admitted, broken} = this.#passage
    const isWhole = this.#isRequestDone && this.#trailers === '' && this.#journal.requestBytes === 0
    const mayComeTwice = brokeOff === '' || (this.#isReused && SAFE.has(this.#head.method))
    if (isOver || isBroken || this.#isHeard || this.#isRepeated || !isWhole || !mayComeTwice) return false
    if (broken !== undefined || admitted?.pool.isRetired !== false) return false
    this.#isRepeated = true
    this.#brokeOff = brokeOff
    this.#callee = undefined
    this.#clients?.take(this)
    return true
  }

  #takeTrailers(block: string, isLast: boolean): void {
    let bytes = ''
    this.#walker.walk(block, {field: field => void (bytes += field.bytes)})
    if (!isLast) return
    this.#isRequestDone = true
    if (this.#late !== undefined) this.#late.arrived(true)
    else if (this.#callee === undefined) this.#trailers = bytes
    else this.#callee.writeHead(bytes, true)
  }

  #takeRequest(bytes: string, isLast: boolean): void {
    const journal = this.#journal
    if (isLast) this.#isRequestDone = true
    if (this.#passage.isOver) return this.#caller.credit(bytes.length)
    if (this.#head.isGrpc) this.#asked.measure(bytes)
    journal.requestBytes += bytes.length
    journal.observer?.text(this.call, 'request', bytes)
    const callee = this.#callee
    if (this.#late !== undefined) {
      this.#caller.credit(bytes.length)
      return this.#late.arrived(isLast)
    }
    if (callee === undefined && !this.#passage.hold(bytes.length)) this.#refuse(503, HELD_TOO_MUCH)
    else if (callee === undefined) this.#early.push(kept(bytes))
    else if (callee.isOver) this.#caller.credit(bytes.length)
    else callee.writeData(bytes, isLast)
    this.changed?.()
  }

  /** A block of the response: its head, one before it, or what ends it. */
  #takeFields(fields: AnswerFields, isLast: boolean): void {
    const {broken} = this.#passage
    const journal = this.#journal
    if (this.#isCut) return
    this.#isHeard = true
    if (broken !== undefined && broken.left < 0) {
      broken.isOver = true
      return this.#lose('EOF')
    }
    const {httpStatus} = fields
    if (!this.#hasBegun && (httpStatus < 100 || httpStatus >= 200)) {
      this.#hasBegun = true
      journal.firstByteAt = performance.now()
      journal.status = httpStatus
      journal.observer?.responded(this.call, {text: fields.headText, size: fields.headText.length})
      this.#caller.writeHead(statusField(httpStatus) + fields.bytes + this.#callFields, isLast)
      if (broken?.left === 0) return this.#break()
    } else this.#caller.writeHead((httpStatus > 0 ? statusField(httpStatus) : '') + fields.bytes, isLast)
    if (fields.status >= 0) journal.grpcStatus = fields.status
    if (isLast) this.#endWhole(fields.status > OK ? percentDecoded(fields.message) || codeText(fields.status) : '')
  }

  #takeResponse(callee: FrameStream, bytes: string, isLast: boolean): void {
    const {isOver, broken} = this.#passage
    const journal = this.#journal
    if (isOver || this.#isCut) return callee.credit(bytes.length)
    // passed on, it would end the caller's whole connection
    if (!this.#hasBegun) return this.#refuse(502, 'data before a head')
    const passed = broken === undefined ? bytes : broken.take(bytes, () => this.#break())
    if (this.#head.isGrpc) this.#answered.measure(passed)
    journal.responseBytes += passed.length
    journal.observer?.text(this.call, 'response', passed)
    const isWhole = isLast && !this.#isCut
    this.#caller.writeData(passed, isWhole)
    this.changed?.()
    if (isWhole) this.#endWhole('')
  }

  /** A fault ends the response; what was passed on is written first. */
  #break(): void {
    const {broken} = this.#passage
    if (broken !== undefined) broken.isOver = true
    setImmediate(() => this.#fail('cut by a fault', INTERNAL_ERROR))
  }

  /** A fault has cut the response. */
  get #isCut(): boolean {
    return this.#passage.broken?.isOver === true
  }

  /** Headers of a response about its call, as `faultLine` and `numberLine` in HTTP/1. */
  get #callFields(): string {
    const {fault, number = 0, isNumbered} = this.call
    const hit = fault === undefined ? '' : encodeField('pillion-fault', fault.toString())
    return isNumbered === true && number > 0 ? hit + encodeField('pillion-call', number.toString()) : hit
  }

  async #explain(why: string): Promise<void> {
    const process = this.#passage.admitted?.pool.process
    const how = process === undefined ? '' : await howEnded(process)
    this.#refuse(502, how === '' ? why : `${why} (${how})`)
  }

  /** The app has not answered. */
  #refuse(status: 502 | 503, why: string): void {
    const {isGrpc, lines} = this.#head
    if (isGrpc || this.#hasBegun) return this.#fail(why)
    const {callee, lastLines, hint} = this.#context
    this.#reply(refusal({status, callee, why, lastLines: lastLines(), hint: hint?.(), lines}), why)
  }

  #reply(reply: Reply, why = ''): void {
    if (this.#passage.isOver || this.#late !== undefined) return
    const replyNow = (): void => this.#replyNow(reply, why)
    if (this.#isRequestDone) return replyNow()
    this.#early = []
    this.drop()
    // the stream ends with the reply
    this.#late = LateReply.of(this.#journal, -1, {replyNow, crash: error => this.crash(error)}, reply)
    if (this.#late === undefined) replyNow()
    else this.#late.arrived(false)
  }

  #replyNow(reply: Reply, why: string): void {
    const pairs = replyPairs(reply)
    let fields = statusField(reply.status)
    for (let at = 0; at < pairs.length; at += 2)
      fields += encodeField((pairs[at] ?? '').toLowerCase(), pairs[at + 1] ?? '')
    const body = this.#head.method === 'HEAD' ? '' : Buffer.from(reply.body).toString('latin1')
    this.#caller.writeHead(fields + this.#callFields, body === '')
    if (body !== '') this.#caller.writeData(body, true)
    const journal = this.#journal
    journal.status = reply.status
    journal.isCutShort = !this.#isRequestDone
    journal.responseBytes = body.length
    journal.observer?.replied(this.call, replyTexts(reply))
    this.#end(why)
  }

  /** Ends a call of gRPC with a status of ours. */
  #replyStatus(end: GrpcStatus): void {
    if (this.#passage.isOver) return
    const head = this.#hasBegun ? '' : answerHead('application/grpc') + this.#callFields
    this.#caller.writeHead(head + trailersOf(end), true)
    this.#journal.status ||= 200
    this.#journal.grpcStatus = end.code
    this.#end(end.message || codeText(end.code))
  }

  /** There is no response, or no more of one. `code`: its stream is reset, even where a status of gRPC could say why. */
  #fail(why: string, code?: number): void {
    if (this.#passage.isOver) return
    if (code === undefined && this.#head.isGrpc)
      return this.#replyStatus({code: UNAVAILABLE, message: `"${this.call.callee}" has not answered: ${why}`})
    this.#caller.reset(code ?? INTERNAL_ERROR)
    this.#end(why)
  }

  /** The response has passed: an app may answer before it has got all. */
  #endWhole(failure: string): void {
    if (this.#callee?.isLocalDone === true) this.#callee = undefined
    this.#end(failure)
  }

  #end(failure: string): void {
    if (this.#passage.isOver) return
    this.#late?.cancel()
    this.#journal.failure = failure
    this.#early = []
    this.drop()
    this.#passage.over()
  }
}
