import {
  type FrameClient,
  type FrameClients,
  type FrameStream,
  type StreamHandler,
  type Waiter,
  CANCEL,
  codeName,
  encodeField,
  INTERNAL_ERROR,
  REFUSED_STREAM
} from '#h2-frames'
import type {Hit} from '../../../proxy/faults/hit.ts'
import type {Admission, Admitted, Denied, Held} from '../../../proxy/gateway/admission.ts'
import {RESET} from '../../../proxy/gateway/faulted-call.ts'
import {grpcStatusOf} from '../../../proxy/gateway/faulted-grpc-call.ts'
import {HELD_TOO_MUCH} from '../../../proxy/gateway/held-bodies.ts'
import {howEnded} from '../../../proxy/gateway/how-ended.ts'
import type {CallOutcome} from '../../../proxy/gateway/interceptor.ts'
import type {Verdict} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {Passage, type Passenger} from '../../../proxy/gateway/passage.ts'
import type {Call, CallSpans, OpenStream} from '../../../model/call.ts'
import {codeText} from '../../../model/grpc-code.ts'
import type {CallJournal} from '../../../proxy/net/call-journal.ts'
import {bugText} from '../../../model/errors.ts'
import {systemClock} from '../../../platform/clock.ts'
import type {AnswerFields} from '../../../proxy/net/grpc/answer-fields.ts'
import {clientsOf} from '../../../proxy/net/grpc/clients-of.ts'
import {PREFIX_BYTES, tooLargeToSend} from '../../../proxy/net/grpc/message-gauge.ts'
import * as status from '../../../proxy/net/grpc/status.ts'
import {trailersOf, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import type {PooledProcess} from '../../../proxy/net/pool.ts'
import type {SidecarContext} from '../http/invocation.ts'
import {answerType} from './answer-faults.ts'
import {CUT_CALL, GrpcAnswer, tooLargeFor, type AnsweredCall} from './grpc-answer.ts'
import type {ReceivedCall, Forwarded, RequestHead} from './request-head.ts'
import {briefRequest, wholeRequest} from './sent-request.ts'
import {NO_STREAMS, SentMessages} from './sent-messages.ts'

/** The facts about a call from the API that took it, before it begins. */
export interface GrpcCallFacts {
  /** The method that the app is called with. */
  readonly calleeMethod: string
  /** The caller has declared it a stream without end. */
  readonly isStream: boolean
  readonly spans: CallSpans | undefined
}

/** The status for a stream that is reset before the answer. */
const RESET_CALL: GrpcStatus = {code: status.UNAVAILABLE, message: RESET}

/**
 * A call of gRPC through the gateway, which ends exactly once. Messages are passed as bytes,
 * both ways; a slow reader slows its sender. The API that took the call decides its form at both ends: the
 * proxy, or InvokeService.
 */
export abstract class GrpcCall implements Passenger, AnsweredCall, Waiter, StreamHandler, OpenStream {
  readonly call: Call
  changed: (() => void) | undefined
  protected readonly sidecar: SidecarContext
  protected readonly requestHead: RequestHead
  protected readonly spans: CallSpans | undefined
  readonly journal: CallJournal
  readonly passage: Passage
  readonly #caller: FrameStream
  readonly #deadline: number
  readonly #messages: SentMessages
  readonly #answer: GrpcAnswer
  #clients: FrameClients | undefined
  #callee: FrameStream | undefined
  #calleeConnection: FrameClient | undefined
  #callOff: (() => void) | undefined
  /** Bytes that were received and not passed on yet. */
  #unpassed = 0
  /** How the current attempt has ended; undefined: a policy ends it. */
  #attemptEnd: GrpcStatus | undefined
  /** Passes on how the current attempt has ended. */
  #accept: (() => void) | undefined

  constructor({sidecar, head, caller, deadline}: ReceivedCall, call: Call, facts: GrpcCallFacts) {
    const {observer, maxBodyBytes} = sidecar
    const {spans, calleeMethod, isStream} = facts
    this.sidecar = sidecar
    this.requestHead = head
    this.spans = spans
    this.#caller = caller
    this.#deadline = deadline
    this.#messages = new SentMessages(maxBodyBytes)
    this.#answer = new GrpcAnswer(this, caller, maxBodyBytes)
    const isWhole = observer !== undefined || spans?.own.isSampled === true
    const request = isWhole ? wholeRequest(head, call.path) : briefRequest(head)
    this.call = {...call, stream: this, sent: request}
    this.passage = new Passage(this, sidecar, {call: this.call, request})
    const {journal} = this.passage
    journal.status = 200
    journal.calleeMethod = calleeMethod
    journal.isStream = isStream
    journal.spans = spans && {own: spans.own, callee: undefined}
    this.journal = journal
  }

  /** The first fields for the callee: the same for all calls of a method. */
  protected abstract fixedFields(admitted: Admitted): Forwarded
  /** The fields after them. */
  protected abstract ownFields(admitted: Admitted, connectedAfterMs: number): string
  /** The message for the callee if it differs from the caller's; '' if it does not. */
  protected bodyFor(_admitted: Admitted): string {
    return ''
  }
  abstract failedStatus(why: string): GrpcStatus
  /** The status for a callee that does not admit the call. */
  protected abstract deniedStatus(denied: Denied): GrpcStatus
  /** The meaning of a callee's status code for policies. */
  protected abstract verdictOf(code: number): Verdict
  /** Additional fields for the head of the answer. */
  protected answerFields(_fields: AnswerFields): string {
    return ''
  }

  /** More messages may follow, or have passed: it may never end by itself (`AdmissionQueue.drained`). */
  get isStream(): boolean {
    const {isDone, gauge} = this.#messages
    const isAnswered = this.journal.responseBytes > 0 && !this.#answer.gauge.isWithinFirst
    return this.passage.admitted !== undefined && (isAnswered || (!isDone && !gauge.isWithinFirst))
  }

  endStream(): void {
    this.failAttempt({code: status.UNAVAILABLE, message: 'the app is being exchanged: open the stream again'})
  }

  start(isRequestDone: boolean): void {
    const {passage, sidecar} = this
    this.#messages.isDone = isRequestDone
    this.journal.begun()
    if (this.#deadline !== Infinity) this.#setTimer()
    if (passage.isOver) return
    const run = passage.under(this.call, sidecar.interceptor)
    if (run?.mayRetry === true && !this.journal.isStream) this.#messages.keep(sidecar.maxBodyBytes)
    passage.start()
  }

  ask(isRefused: boolean): Admission | Held {
    return this.sidecar.admit(this.call, isRefused)
  }

  protocolAt(): 'gRPC' {
    return 'gRPC'
  }

  send(admitted: Admitted): void {
    const {isLocal, grpcPool, pool} = admitted
    const {spans} = this
    const isOtherSidecar = !isLocal && grpcPool === undefined
    if (spans !== undefined) this.journal.spans = isOtherSidecar ? spans : {own: spans.own, callee: undefined}
    this.#clients = clientsOf(grpcPool ?? pool, this.sidecar.warn)
    this.#clients.take(this)
  }

  denied(denied: Denied): void {
    const end = this.deniedStatus(denied)
    const {status: code, isUnknown} = denied
    const verdict = code === 403 ? 'excluded' : isUnknown === true ? 'failed' : this.verdictOf(end.code)
    this.#settle(verdict, () => this.#fail(end))
  }

  struck(hit: Hit): void {
    this.failAttempt(hit.kind === 'status' ? grpcStatusOf(hit) : RESET_CALL)
  }

  restart(): void {
    const {code, message} = this.#attemptEnd ?? status.EXCEEDED
    this.journal.followed({status: 200, grpcStatus: code, firstByteAt: this.journal.firstByteAt, failure: message})
    this.#attemptEnd = undefined
    this.#accept = undefined
    this.#answer.restart()
  }

  drop(): void {
    this.#clients?.leave(this)
    this.#callee?.reset(CANCEL)
    this.#callee = undefined
  }

  conclude(outcome: CallOutcome): void {
    this.#messages.release()
    if (outcome.kind === 'ended') this.#fail(status.ofPolicy(outcome.reason))
    else this.#accept?.()
  }

  whyOnce(): string {
    return this.#answer.hasPassed ? 'the caller has got a message already' : this.#messages.whyOnce
  }

  crash(error: unknown): void {
    this.sidecar.warn(bugText(error))
    this.#fail({code: status.INTERNAL, message: 'internal error'})
  }

  /** No connection could be opened. */
  failed(why: string, isRefused: boolean): void {
    if (!isRefused || !this.passage.refused()) this.unreachable(why)
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    const walker = this.#calleeConnection?.walker
    const isAnswer = stream === this.#callee && this.#accept === undefined && walker !== undefined
    if (isAnswer) return this.#answer.takeFields(walker, block, isLast)
    stream.skipFields(block)
    // trailers of a caller: gRPC has none, and they mean the end
    if (stream === this.#caller && isLast) this.data(stream, '', true)
  }

  data(stream: FrameStream, bytes: string, isLast: boolean): void {
    if (stream === this.#caller) this.#takeRequest(bytes, isLast)
    else if (stream === this.#callee && this.#accept === undefined) this.#answer.takeMessages(stream, bytes, isLast)
  }

  sent(stream: FrameStream, bytes: number): void {
    if (stream === this.#caller) return this.#callee?.credit(bytes)
    // what is sent again was passed on before
    const passed = Math.min(bytes, this.#unpassed)
    this.#unpassed -= passed
    this.#caller.credit(passed)
  }

  reset(stream: FrameStream, code: number): void {
    if (stream === this.#caller) return this.#callerLeft()
    if (stream !== this.#callee || (code === REFUSED_STREAM && this.#repeat())) return
    this.passage.isBroken = true
    const message = `stream terminated by RST_STREAM with error code: ${codeName(code)}`
    this.failAttempt({code: status.codeOfReset(code), message})
  }

  lost(stream: FrameStream, why: string, isUnprocessed = false): void {
    if (stream === this.#caller) return this.#callerLeft()
    if (stream !== this.#callee || (isUnprocessed && this.#repeat())) return
    this.passage.isBroken = true
    this.#loseCallee(this.failedStatus(`error reading from server: ${why}`))
  }

  /** Sends a call that the app has not begun to handle, as it says, once more, as clients do (grpc-go: stream.go, shouldRetry). */
  #repeat(): boolean {
    const isEnded = this.#accept !== undefined || this.journal.firstByteAt > 0 || this.passage.broken !== undefined
    if (isEnded || !this.#messages.repeat()) return false
    this.#callee = undefined
    this.#clients?.take(this)
    return true
  }

  opened(connection: FrameClient): void {
    const {passage, journal} = this
    const {admitted} = passage
    if (admitted === undefined) return
    journal.connectedAt = performance.now()
    journal.attempts++
    const {block, isRepeated} = this.fixedFields(admitted)
    const own = this.ownFields(admitted, journal.connectedAt - journal.startedAt)
    const body = this.bodyFor(admitted)
    // another run's sidecar has its own limit
    const max = admitted.grpcPool === undefined ? admitted.pool.maxMessageBytes : 0
    const fault = this.#faultOfSize(body, max)
    if (fault !== undefined) return this.failAttempt(fault)
    if (body !== '') journal.requestBytes = body.length
    const first = body === '' ? this.#messages.first() : [body]
    if (first === undefined) return this.#fail(this.failedStatus('the request is too large to be sent again'))
    const {isDone} = this.#messages
    this.#calleeConnection = connection
    const isLast = isDone && first.length === 0
    const callee = connection.open(this, isRepeated ? own : block + own, isLast, isRepeated ? block : '')
    this.#callee = callee
    for (let at = 0; at < first.length; at++) callee.writeData(first[at] ?? '', isDone && at === first.length - 1)
    passage.broken?.opened?.()
    // policies apply only until a stream is open: what follows is passed on unchecked
    if (!journal.isStream || !passage.isPoliced) return
    this.#messages.release()
    passage.release()
  }

  #takeRequest(bytes: string, isLast: boolean): void {
    const {journal} = this
    const messages = this.#messages
    if (isLast) messages.isDone = true
    if (this.passage.isOver) return this.#caller.credit(bytes.length)
    const tooLarge = messages.gauge.measure(bytes)
    if (tooLarge > 0) return this.#fail(tooLargeFor(tooLarge, messages.gauge))
    journal.requestBytes += bytes.length
    this.#unpassed += bytes.length
    journal.observer?.text(this.call, 'request', bytes)
    const callee = this.#callee
    if (callee === undefined && !this.passage.hold(bytes.length))
      return this.#fail({code: status.RESOURCE_EXHAUSTED, message: HELD_TOO_MUCH})
    if (!messages.add(bytes, callee !== undefined)) return this.#fail(NO_STREAMS)
    if (callee?.isOver === true) this.sent(callee, bytes.length)
    else callee?.writeData(bytes, isLast)
    this.changed?.()
  }

  moreFields(fields: AnswerFields): string {
    return this.answerFields(fields) + this.#faultField
  }

  answered(end: GrpcStatus, pass: () => void): void {
    this.#attemptEnd = end
    this.#settle(this.verdictOf(end.code), pass)
  }

  ended({code, message}: GrpcStatus): void {
    // an app may answer before it has heard all
    if (this.#callee?.isLocalDone === false) this.#callee.reset(CANCEL)
    this.#over(code, message)
  }

  /** The field with the number of the fault that has hit the call; '' if none has. */
  get #faultField(): string {
    const {fault} = this.call
    return fault === undefined ? '' : encodeField('pillion-fault', fault.toString())
  }

  /** The current attempt has ended; what follows is ignored. `accept` passes that on if it is the last one. */
  #settle(verdict: Verdict, accept: () => void): void {
    if (!this.passage.isPoliced) return accept()
    if (this.#accept !== undefined) return
    this.#accept = accept
    this.passage.settle({kind: 'response', verdict, discard: () => this.passage.discard()})
  }

  unreachable(why: string): void {
    this.#loseCallee(this.failedStatus(why))
  }

  /** The callee has failed. Policies may retry the call. */
  failAttempt(end: GrpcStatus): void {
    this.#endAttempt(end, undefined)
  }

  /** The connection to the callee is gone, maybe with its process: then the status says how that ended. Policies may retry the call. */
  #loseCallee(end: GrpcStatus): void {
    this.#endAttempt(end, this.passage.admitted?.pool.process)
  }

  #endAttempt(end: GrpcStatus, process: PooledProcess | undefined): void {
    if (this.passage.isOver) return
    if (this.#accept === undefined) this.#attemptEnd = end
    this.#settle(this.verdictOf(end.code), () => {
      if (process === undefined) this.#fail(end)
      else this.#explain(process, end).catch((error: unknown) => this.crash(error))
    })
  }

  async #explain(process: PooledProcess, {code, message}: GrpcStatus): Promise<void> {
    const how = await howEnded(process)
    this.#fail({code, message: how === '' ? message : `${message} (${how})`})
  }

  /** Ends the call with a status of the sidecar. */
  #fail(end: GrpcStatus): void {
    if (this.passage.isOver) return
    const answer = this.#answer
    const head = answer.hasBegun ? '' : status.answerHead(answerType(this.requestHead)) + this.#faultField
    answer.hasBegun = true
    if (end === RESET_CALL || end === CUT_CALL) this.#caller.reset(INTERNAL_ERROR)
    else this.#caller.writeHead(head + trailersOf(end), true)
    this.#callee?.reset(CANCEL)
    this.#over(end.code, end.message)
  }

  /** The limit of the callee, from now on, and whether the request was larger already. `body`: the message of the sidecar, '' = those of the caller. */
  #faultOfSize(body: string, max: number): GrpcStatus | undefined {
    this.#answer.gauge.limit(max)
    if (body === '') {
      const bytes = this.#messages.gauge.limit(max)
      return bytes === 0 ? undefined : tooLargeFor(bytes, this.#messages.gauge)
    }
    const bytes = body.length - PREFIX_BYTES
    if (max === 0 || bytes <= max) return undefined
    return {code: status.RESOURCE_EXHAUSTED, message: tooLargeToSend(bytes, max)}
  }

  #callerLeft(): void {
    this.#callee?.reset(CANCEL)
    this.#over(status.CANCELLED, 'the caller left')
  }

  #setTimer(): void {
    const ms = this.#deadline - performance.now()
    if (ms <= 0) return this.#fail(status.EXCEEDED)
    this.#callOff = systemClock.after(ms, () => this.#fail(status.EXCEEDED))
  }

  #over(code: number, failure: string): void {
    const {journal, passage} = this
    if (passage.isOver) return
    this.#callOff?.()
    this.#messages.drop()
    this.#clients?.leave(this)
    journal.grpcStatus = code
    journal.failure = code === status.OK ? '' : failure || codeText(code)
    passage.over()
  }
}
