import {type FrameClient, codeName, INTERNAL_ERROR} from '#h2-frames'
import type {Hit} from '../../../proxy/faults/hit.ts'
import type {Admitted, Denied} from '../../../proxy/gateway/admission.ts'
import {RESET} from '../../../proxy/gateway/faulted-call.ts'
import type {CallOutcome} from '../../../proxy/gateway/interceptor.ts'
import type {Verdict} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import type {Call, CallSpans} from '../../../model/call.ts'
import {codeText} from '../../../model/grpc-code.ts'
import {systemClock} from '../../../platform/clock.ts'
import {PREFIX_BYTES, tooLargeToSend} from '../../../proxy/net/grpc/message-gauge.ts'
import type {Pool} from '../../../proxy/net/pool.ts'
import {NO_STREAMS} from '../../../proxy/net/grpc/sent-messages.ts'
import * as status from '../../../proxy/net/grpc/status.ts'
import {trailersOf, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import {AnsweredCall, CUT_CALL, tooLargeFor} from './grpc-answer.ts'
import {answerType, type ReceivedCall, type Forwarded, type RequestHead} from './request-head.ts'
import {briefRequest, wholeRequest} from './sent-request.ts'

/** The facts about a call that differ between the APIs by which it arrived: the proxy, or InvokeService. */
interface GrpcCallFacts {
  readonly calleeMethod: string
  /** Whether the caller declared the call as a stream without end. */
  readonly isStream: boolean
  readonly spans: CallSpans | undefined
}

/** The status for a stream that a fault resets before the answer. */
const RESET_CALL: GrpcStatus = {code: status.UNAVAILABLE, message: RESET}

/**
 * A gRPC call through the gateway, which passes messages on as bytes. Subclasses decide what the two ends get: the proxy, or
 * InvokeService. Each attempt goes from `send` over `begin` to `#settle`. Under policies another attempt may follow, by `restart`.
 */
export abstract class GrpcCall extends AnsweredCall {
  protected readonly requestHead: RequestHead
  protected readonly spans: CallSpans | undefined
  readonly #deadline: number
  #cancelDeadline: (() => void) | undefined
  /** How the current attempt has ended; undefined: it has not, or a policy ended it. */
  #attemptEnd: GrpcStatus | undefined
  /** Sends the end of the current attempt to the caller, if it is the last attempt; undefined: the attempt has not ended. */
  #passEnd: (() => void) | undefined

  constructor({sidecar, head, caller, deadline}: ReceivedCall, call: Call, facts: GrpcCallFacts) {
    const {spans, calleeMethod, isStream} = facts
    const isWhole = sidecar.observer !== undefined || spans?.own.isSampled === true
    const request = isWhole ? wholeRequest(head, call.path) : briefRequest(head)
    super(sidecar, call, request, caller)
    this.requestHead = head
    this.spans = spans
    this.#deadline = deadline
    const {journal} = this
    journal.status = 200
    journal.calleeMethod = calleeMethod
    journal.isStream = isStream
    journal.spans = spans && {own: spans.own, callee: undefined}
  }

  /** Returns the first fields for the callee, which are the same for all calls of a method. */
  protected abstract fixedFields(admitted: Admitted, pool: Pool): string
  /** Returns the further fields for the callee, which differ from call to call. */
  protected abstract ownFields(admitted: Admitted, connectedAfterMs: number): string
  /** Returns the message for the callee; '': the caller's messages. */
  protected bodyFor(_admitted: Admitted): string {
    return ''
  }
  /** Returns the status for a call that its callee does not admit. */
  protected abstract deniedStatus(denied: Denied): GrpcStatus
  /** Returns how policies judge a status code of the callee. */
  protected abstract verdictOf(code: number): Verdict

  protected get isReadingCallee(): boolean {
    return this.#passEnd === undefined
  }

  protected get hasAnswer(): boolean {
    return this.#passEnd !== undefined || this.journal.firstByteAt > 0
  }

  /** Starts the call. `isRequestDone`: its head was the whole request. */
  start(isRequestDone: boolean): void {
    const {passage, sidecar} = this
    this.messages.isDone = isRequestDone
    this.journal.begun()
    if (this.#deadline !== Infinity) this.#setDeadline()
    if (passage.isOver) return
    const run = passage.under(this.call, sidecar.interceptor)
    if (run?.interception.mayRetry === true && !this.journal.isStream) this.messages.keep(sidecar.maxBodyBytes)
    passage.start()
  }

  #setDeadline(): void {
    const ms = this.#deadline - performance.now()
    if (ms <= 0) return this.failWith(status.EXCEEDED)
    this.#cancelDeadline = systemClock.after(ms, () => this.failWith(status.EXCEEDED))
  }

  send(admitted: Admitted): void {
    const {isLocal, grpcPool, pool} = admitted
    const {spans} = this
    const isOtherSidecar = !isLocal && grpcPool === undefined
    if (spans !== undefined) this.journal.spans = isOtherSidecar ? spans : {own: spans.own, callee: undefined}
    this.connect(grpcPool ?? pool)
  }

  protected begin(connection: FrameClient, admitted: Admitted): void {
    const {passage, journal} = this
    const {block, isRepeated} = this.#forwarded(admitted)
    const own = this.ownFields(admitted, journal.connectedAt - journal.startedAt)
    const body = this.bodyFor(admitted)
    // another run's sidecar has its own limit
    const max = admitted.grpcPool === undefined ? admitted.pool.maxMessageBytes : 0
    const fault = this.#limitMessages(body, max)
    if (fault !== undefined) return this.failAttempt(fault)
    if (body !== '') journal.requestBytes = body.length
    const first = body === '' ? this.messages.first() : [body]
    if (first === undefined) return this.failWith(this.failedStatus('the request is too large to be sent again'))
    const {isDone} = this.messages
    this.openCallee(connection, {
      fields: isRepeated ? own : block + own,
      repeated: isRepeated ? block : '',
      pieces: first,
      isDone
    })
    // policies apply only until a stream is open: later messages pass unchecked
    if (!journal.isStream || !passage.isPoliced) return
    this.messages.release()
    passage.release()
  }

  /** Returns the first fields for the callee, those of an equal earlier call if there was one. */
  #forwarded(admitted: Admitted): Forwarded {
    const {grpcPool: pool = admitted.pool} = admitted
    const {requestHead: head, call} = this
    return head.forwardedTo(pool, call.caller) ?? head.forward(pool, call.caller, this.fixedFields(admitted, pool))
  }

  /** Applies the callee's limit to the messages of both sides. Returns the status if the request exceeds it already. `body`: as `bodyFor`. */
  #limitMessages(body: string, max: number): GrpcStatus | undefined {
    this.answerGauge.limit(max)
    if (body === '') {
      const bytes = this.messages.gauge.limit(max)
      return bytes === 0 ? undefined : tooLargeFor(bytes, this.messages.gauge)
    }
    const bytes = body.length - PREFIX_BYTES
    if (max === 0 || bytes <= max) return undefined
    return {code: status.RESOURCE_EXHAUSTED, message: tooLargeToSend(bytes, max)}
  }

  protected keep(bytes: string): boolean {
    const {gauge} = this.messages
    const tooLarge = gauge.measure(bytes)
    const isKept = tooLarge === 0 && this.messages.add(bytes, this.callee !== undefined)
    if (!isKept) this.failWith(tooLarge > 0 ? tooLargeFor(tooLarge, gauge) : NO_STREAMS)
    return isKept
  }

  denied(denied: Denied): void {
    const end = this.deniedStatus(denied)
    const {status: code, isUnknown} = denied
    const verdict = code === 403 ? 'excluded' : isUnknown === true ? 'failed' : this.verdictOf(end.code)
    this.#settle(verdict, () => this.failWith(end))
  }

  endByFault(hit: Hit): void {
    this.failAttempt(hit.kind === 'status' ? status.faultedStatus(hit) : RESET_CALL)
  }

  protected calleeReset(code: number): void {
    this.passage.isBroken = true
    const message = `stream terminated by RST_STREAM with error code: ${codeName(code)}`
    this.failAttempt({code: status.codeOfReset(code), message})
  }

  protected calleeLost(why: string): void {
    this.passage.isBroken = true
    this.unreachable(`error reading from server: ${why}`)
  }

  unreachable(why: string): void {
    this.#endAttempt(this.failedStatus(why), true)
  }

  endStream(): void {
    this.failAttempt({code: status.UNAVAILABLE, message: 'the app is being exchanged: open the stream again'})
  }

  protected failAttempt(end: GrpcStatus): void {
    this.#endAttempt(end, false)
  }

  /** Ends the attempt with a status. `isLost`: the connection to the callee broke, so its message gets the exit of the callee's process. */
  #endAttempt(end: GrpcStatus, isLost: boolean): void {
    if (this.passage.isOver) return
    if (this.#passEnd === undefined) this.#attemptEnd = end
    this.#settle(this.verdictOf(end.code), () => {
      if (isLost) this.passage.explain(end.message, message => this.failWith({code: end.code, message}))
      else this.failWith(end)
    })
  }

  protected answered(end: GrpcStatus, pass: () => void): void {
    this.#attemptEnd = end
    this.#settle(this.verdictOf(end.code), pass)
  }

  /** Ends the current attempt: policies decide whether it is the last. `passEnd` sends its end to the caller. */
  #settle(verdict: Verdict, passEnd: () => void): void {
    if (!this.passage.isPoliced) return passEnd()
    if (this.#passEnd !== undefined) return
    this.#passEnd = passEnd
    this.passage.settle({kind: 'response', verdict, discard: () => this.passage.discard()})
  }

  whyNotAgain(): string {
    return this.hasPassed ? 'the caller has got a message already' : this.messages.whyNotAgain
  }

  restart(): void {
    const {code, message} = this.#attemptEnd ?? status.EXCEEDED
    this.journal.followed({status: 200, grpcStatus: code, firstByteAt: this.journal.firstByteAt, failure: message})
    this.#attemptEnd = undefined
    this.#passEnd = undefined
    this.restartAnswer()
  }

  conclude(outcome: CallOutcome): void {
    this.messages.release()
    if (outcome.kind === 'ended') this.failWith(status.ofPolicy(outcome.reason))
    else this.#passEnd?.()
  }

  protected failWith(end: GrpcStatus): void {
    if (this.passage.isOver) return
    const head = this.hasBegun ? '' : status.answerHead(answerType(this.requestHead)) + this.callFields
    this.hasBegun = true
    if (end === RESET_CALL || end === CUT_CALL) this.caller.reset(INTERNAL_ERROR)
    else this.caller.writeHead(head + trailersOf(end), true)
    this.ended(end)
  }

  protected callerLeft(): void {
    this.ended({code: status.CANCELLED, message: 'the caller left'})
  }

  protected ended({code, message}: GrpcStatus): void {
    if (this.passage.isOver) return
    this.#cancelDeadline?.()
    this.journal.grpcStatus = code
    this.over(code === status.OK ? '' : message || codeText(code))
  }
}
