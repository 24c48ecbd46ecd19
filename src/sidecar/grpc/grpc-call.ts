import {messageOf} from '../../model/errors.ts'
import type {Call, CallRecord, Direction, OpenStream} from '../../model/call.ts'
import {isHeld, type Admission, type Admitted, type Denied, type Held} from '../../gateway/admission.ts'
import {bugText} from '../../net/error-boundary.ts'
import type {FrameClient} from '../../net/http2/frame-client.ts'
import type {FrameClients, Waiter} from '../../net/http2/frame-clients.ts'
import type {FrameStream, StreamHandler} from '../../net/http2/frame-stream.ts'
import {CANCEL, codeName} from '../../net/http2/frames.ts'
import {clientsOf} from '../../net/grpc/clients-of.ts'
import type {SidecarContext} from '../http/invocation.ts'
import {type AnswerFields, readAnswer} from '../../net/grpc/answer-fields.ts'
import {MessageGauge, tooLargeText} from '../../net/grpc/message-gauge.ts'
import type {RequestHead} from './request-head.ts'
import * as status from '../../net/grpc/status.ts'
import {trailersOf, type GrpcStatus} from '../../net/grpc/status.ts'

/** Refusals in a row from a queue that lets through at once: then it is no queue. */
const MAX_REFUSALS = 3

export interface GrpcCallOptions {
  readonly sidecar: SidecarContext
  readonly call: Call
  readonly head: RequestHead
  readonly caller: FrameStream
  /** When it is to be over, as `performance.now()`; Infinity: at no time. */
  readonly deadline: number
}

/**
 * One call of gRPC through the gateway: asks to be admitted, waits if it must, goes to the app, and ends exactly once. Messages are
 * passed as bytes, both ways; who takes them slowly slows their sender. What a call looks like at either end is decided by the
 * API that took it: the proxy, or InvokeService.
 */
export abstract class GrpcCall implements StreamHandler, Waiter, OpenStream {
  readonly call: Call
  changed: (() => void) | undefined
  protected readonly sidecar: SidecarContext
  protected readonly requestHead: RequestHead
  protected readonly caller: FrameStream
  protected admitted: Admitted | undefined
  protected isAnswered = false
  readonly #deadline: number
  readonly #request: MessageGauge
  readonly #answer: MessageGauge
  #callee: FrameStream | undefined
  #calleeConnection: FrameClient | undefined
  #clients: FrameClients | undefined
  #held: Held | undefined
  #timer: NodeJS.Timeout | undefined
  /** What has come before the callee could take it. */
  #early: string[] = []
  #isRequestDone = false
  #refusals = 0
  #isOver = false
  #isBroken = false
  #attempts = 0
  #startedAt = 0
  #admittedAt = 0
  #connectedAt = 0
  #firstByteAt = 0
  #requestBytes = 0
  #answerBytes = 0

  constructor({sidecar, call, head, caller, deadline}: GrpcCallOptions) {
    this.sidecar = sidecar
    this.call = {...call, stream: this}
    this.requestHead = head
    this.caller = caller
    this.#deadline = deadline
    this.#request = new MessageGauge(sidecar.maxBodyBytes)
    this.#answer = new MessageGauge(sidecar.maxBodyBytes)
  }

  /** The fields that go to the callee; '' : the caller has been told why none do. */
  protected abstract blockFor(admitted: Admitted, connectedAfterMs: number): string
  /** The messages that go to the callee where the caller's own ones do not, '' = the caller's do. */
  protected bodyFor(_admitted: Admitted): string {
    return ''
  }
  /** What the caller is told of a callee that is not to be had. */
  protected abstract deniedStatus(denied: Denied): GrpcStatus
  protected abstract failedStatus(why: string): GrpcStatus
  /** More fields for the head of the answer, and for its trailers. */
  protected answerFields(_fields: AnswerFields): string {
    return ''
  }
  /** The trace that went to the callee, '' = none of ours. */
  protected abstract readonly sentTrace: string

  /** More messages may come, or have passed: it may go on for ever (`AdmissionQueue.drained`). */
  get isStream(): boolean {
    return this.admitted !== undefined && (!this.#isRequestDone || this.#answerBytes > 0)
  }

  endStream(): void {
    this.fail({code: status.UNAVAILABLE, message: 'the app is being exchanged: open the stream again'})
  }

  start(isRequestDone: boolean): void {
    this.#isRequestDone = isRequestDone
    this.#startedAt = performance.now()
    this.sidecar.observer?.started(this.call)
    if (this.#deadline !== Infinity) this.#setTimer()
    if (!this.#isOver) this.#ask(false)
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    if (stream === this.caller) {
      // trailers of a caller: gRPC has none, and they mean the end
      if (isLast) this.data(stream, '', true)
    } else if (this.#callee === stream) this.#takeFields(block, isLast)
  }

  data(stream: FrameStream, bytes: string, isLast: boolean): void {
    if (stream === this.caller) this.#takeRequest(bytes, isLast)
    else if (stream === this.#callee) this.#takeAnswer(bytes, isLast)
  }

  sent(stream: FrameStream, bytes: number): void {
    if (stream === this.caller) this.#callee?.credit(bytes)
    else this.caller.credit(bytes)
  }

  reset(stream: FrameStream, code: number): void {
    if (stream === this.caller) return this.#callerLeft()
    if (stream !== this.#callee) return
    this.#isBroken = true
    const message = `stream terminated by RST_STREAM with error code: ${codeName(code)}`
    this.fail({code: status.codeOfReset(code), message})
  }

  lost(stream: FrameStream, why: string): void {
    if (stream === this.caller) return this.#callerLeft()
    if (stream !== this.#callee) return
    this.#isBroken = true
    this.fail(this.failedStatus(`error reading from server: ${why}`))
  }

  opened(connection: FrameClient): void {
    const {admitted} = this
    if (admitted === undefined) return
    this.#connectedAt = performance.now()
    this.#attempts++
    const block = this.blockFor(admitted, this.#connectedAt - this.#startedAt)
    const body = this.bodyFor(admitted)
    const early = body === '' ? this.#early : [body]
    const isDone = this.#isRequestDone
    this.#early = []
    this.#calleeConnection = connection
    const callee = connection.open(this, block, isDone && early.length === 0)
    this.#callee = callee
    for (const [at, bytes] of early.entries()) callee.writeData(bytes, isDone && at === early.length - 1)
  }

  failed(why: string, isRefused: boolean): void {
    const isStubborn = this.#held === undefined && ++this.#refusals >= MAX_REFUSALS
    if (!isRefused || isStubborn) return this.fail(this.failedStatus(why))
    this.#leave()
    this.#ask(true)
  }

  /** Ends the call with a status of ours. */
  protected fail(end: GrpcStatus): void {
    if (this.#isOver) return
    const head = this.isAnswered ? '' : status.answerHead(answerType(this.requestHead))
    this.isAnswered = true
    this.caller.writeHead(head + trailersOf(end), true)
    this.#callee?.reset(CANCEL)
    this.#over(end.code, end.message)
  }

  #takeRequest(bytes: string, isLast: boolean): void {
    if (isLast) this.#isRequestDone = true
    if (this.#isOver) return this.caller.credit(bytes.length)
    const tooLarge = this.#request.measure(bytes)
    if (tooLarge > 0) return this.#tooLarge(tooLarge)
    this.#requestBytes += bytes.length
    if (this.sidecar.observer !== undefined) this.#observe('request', bytes)
    if (this.#callee === undefined) this.#early.push(bytes)
    else if (this.#callee.isOver) this.caller.credit(bytes.length)
    else this.#callee.writeData(bytes, isLast)
  }

  #takeFields(block: string, isLast: boolean): void {
    const connection = this.#calleeConnection
    if (connection === undefined) return
    const fields = readAnswer(connection.walker, block)
    if (!this.isAnswered) {
      if (fields.httpStatus < 200 && fields.httpStatus >= 100) return
      this.#firstByteAt = performance.now()
      if (!fields.isGrpc)
        return this.fail({...this.failedStatus(httpText(fields)), code: status.codeOfHttp(fields.httpStatus)})
      this.isAnswered = true
      const trailers = isLast ? this.#endFields(fields) : ''
      this.caller.writeHead(`\u0088${fields.bytes}${this.answerFields(fields)}${trailers}`, isLast)
    } else if (isLast) this.caller.writeHead(fields.bytes + this.#endFields(fields), true)
    if (isLast) this.#end(fields)
  }

  /** What an app has left out. */
  #endFields({status: code}: AnswerFields): string {
    return code >= 0 ? '' : trailersOf(NO_TRAILERS)
  }

  #takeAnswer(bytes: string, isLast: boolean): void {
    const callee = this.#callee
    if (this.#isOver || callee === undefined) return callee?.credit(bytes.length)
    const tooLarge = this.#answer.measure(bytes)
    if (tooLarge > 0) return this.#tooLarge(tooLarge)
    if (this.#answerBytes === 0) this.changed?.()
    this.#answerBytes += bytes.length
    if (this.sidecar.observer !== undefined) this.#observe('response', bytes)
    this.caller.writeData(bytes, false)
    if (isLast) this.fail(NO_TRAILERS)
  }

  #end({status: code, message}: AnswerFields): void {
    // an app may answer before it has heard all
    if (this.#callee?.isLocalDone === false) this.#callee.reset(CANCEL)
    this.#over(code < 0 ? status.INTERNAL : code, message === '' ? '' : status.unescapeMessage(message))
  }

  #tooLarge(bytes: number): void {
    this.fail({code: status.RESOURCE_EXHAUSTED, message: tooLargeText(bytes, this.sidecar.maxBodyBytes)})
  }

  #callerLeft(): void {
    this.#callee?.reset(CANCEL)
    this.#over(status.CANCELLED, 'the caller left')
  }

  #setTimer(): void {
    const ms = this.#deadline - performance.now()
    const exceeded = {code: status.DEADLINE_EXCEEDED, message: 'context deadline exceeded'}
    if (ms <= 0) return this.fail(exceeded)
    if (ms < 0x7f_ff_ff_ff) this.#timer = setTimeout(() => this.fail(exceeded), ms)
  }

  #ask(isRefused: boolean): void {
    const answer = this.sidecar.admit(this.call, isRefused)
    if (!isHeld(answer)) return this.#go(answer)
    this.#held = answer
    void this.#await(answer)
  }

  async #await(held: Held): Promise<void> {
    let answer: Admission
    try {
      answer = await held.admitted
    } catch (error) {
      answer = {ok: false, status: 500, error: messageOf(error)}
    }
    try {
      this.#arrived(answer)
    } catch (error) {
      this.sidecar.warn(bugText(error))
      this.fail({code: status.INTERNAL, message: 'internal error'})
    }
  }

  #arrived(answer: Admission): void {
    if (this.#isOver) {
      if (answer.ok) answer.leave()
      return
    }
    this.#held = undefined
    this.#refusals = 0
    this.#go(answer)
  }

  #go(answer: Admission): void {
    if (!answer.ok) return this.fail(this.deniedStatus(answer))
    this.admitted = answer
    this.#admittedAt = performance.now()
    this.sidecar.observer?.admitted(this.call)
    this.#clients = clientsOf(answer.grpcPool ?? answer.pool, this.sidecar.warn)
    this.#clients.take(this)
  }

  #leave(): void {
    const {admitted} = this
    this.admitted = undefined
    this.#clients?.leave(this)
    this.#clients = undefined
    admitted?.leave(this.#isBroken)
    this.#isBroken = false
  }

  #observe(direction: Direction, bytes: string): void {
    this.sidecar.observer?.bytes(this.call, direction, Buffer.from(bytes, 'latin1'), 0, bytes.length)
  }

  #over(code: number, failure: string): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#held?.cancel()
    this.#held = undefined
    this.#early = []
    this.#leave()
    const {recorded, observer} = this.sidecar
    if (recorded === undefined && observer === undefined) return
    const record: CallRecord = {
      call: this.call,
      request: {method: 'POST', path: this.requestHead.path, lines: `user-agent: ${this.requestHead.userAgent}\r\n`},
      status: 200,
      grpcStatus: code,
      attempts: this.#attempts,
      startedAt: this.#startedAt,
      admittedAt: this.#admittedAt,
      connectedAt: this.#connectedAt,
      firstByteAt: this.#firstByteAt,
      endedAt: performance.now(),
      requestBytes: this.#requestBytes,
      responseBytes: this.#answerBytes,
      trace: this.sentTrace,
      failure: code === status.OK ? '' : failure || status.codeText(code)
    }
    recorded?.(record)
    observer?.ended(record)
  }
}

const NO_TRAILERS: GrpcStatus = {
  code: status.INTERNAL,
  message: 'server closed the stream without sending trailers'
}

/** An answer repeats the type of its request (grpc-go). */
export const answerType = ({contentType}: RequestHead): string =>
  contentType.startsWith('application/grpc') ? contentType : 'application/grpc'

/** grpc-go's words for an answer that is none of gRPC. */
const httpText = ({httpStatus, contentType}: AnswerFields): string => {
  const type = contentType.startsWith('application/grpc')
    ? ''
    : `; transport: received unexpected content-type "${contentType}"`
  return `unexpected HTTP status code received from server: ${httpStatus.toString()}${type}`
}
