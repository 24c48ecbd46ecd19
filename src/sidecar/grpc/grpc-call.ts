import {type FrameClient, type FrameStream, type StreamHandler, CANCEL, codeName, INTERNAL_ERROR} from '#h2-frames'
import type {Admitted} from '../../gateway/admission.ts'
import {bugText} from '../../model/errors.ts'
import {type AnswerFields, readAnswer} from '../../net/grpc/answer-fields.ts'
import {MessageGauge, PREFIX_BYTES, tooLargeText, tooLargeToSend} from '../../net/grpc/message-gauge.ts'
import {answerType, httpText, NO_TRAILERS} from './answer-faults.ts'
import {PolicedGrpcCall} from './policed-grpc-call.ts'
import {CUT_CALL, RESET_CALL} from './queued-grpc-call.ts'
import type {RecordedCallOptions} from './recorded-grpc-call.ts'
import type {Forwarded} from './request-head.ts'
import {NO_STREAMS, type PolicedAnswer} from './policed-answer.ts'
import * as status from '../../net/grpc/status.ts'
import {trailersOf, type GrpcStatus} from '../../net/grpc/status.ts'

export interface GrpcCallOptions extends RecordedCallOptions {
  readonly caller: FrameStream
  /** When it is to be over, as `performance.now()`; Infinity: at no time. */
  readonly deadline: number
}

/**
 * One call of gRPC through the gateway: asks to be admitted, waits if it must, goes to the app, and ends exactly once. Messages are
 * passed as bytes, both ways; who takes them slowly slows their sender. What a call looks like at either end is decided by the
 * API that took it: the proxy, or InvokeService.
 */
export abstract class GrpcCall extends PolicedGrpcCall implements StreamHandler {
  changed: (() => void) | undefined
  protected readonly caller: FrameStream
  protected isAnswered = false
  readonly #deadline: number
  readonly #request: MessageGauge
  #answer: MessageGauge
  #callee: FrameStream | undefined
  #calleeConnection: FrameClient | undefined
  #timer: NodeJS.Timeout | undefined
  /** Messages that arrived before there was a stream to the callee. */
  #early: string[] | undefined
  /** Bytes that were received and not passed on yet. */
  #unpassed = 0
  #isRequestDone = false

  constructor(options: GrpcCallOptions) {
    super(options)
    this.caller = options.caller
    this.#deadline = options.deadline
    this.#request = new MessageGauge(options.sidecar.maxBodyBytes)
    this.#answer = new MessageGauge(options.sidecar.maxBodyBytes)
  }

  /** The first fields for the callee: the same for all calls of a method. */
  protected abstract fixedFields(admitted: Admitted): Forwarded
  /** The fields after them. */
  protected abstract ownFields(admitted: Admitted, connectedAfterMs: number): string
  /** The message for the callee if it differs from the caller's; '' if it does not. */
  protected bodyFor(_admitted: Admitted): string {
    return ''
  }
  protected abstract failedStatus(why: string): GrpcStatus
  /** Additional fields for the head of the answer. */
  protected answerFields(_fields: AnswerFields): string {
    return ''
  }

  /** More messages may follow, or have passed: it may never end by itself (`AdmissionQueue.drained`). */
  get isStream(): boolean {
    return this.admitted !== undefined && (!this.#isRequestDone || this.answerBytes > 0)
  }

  endStream(): void {
    this.failAttempt({code: status.UNAVAILABLE, message: 'the app is being exchanged: open the stream again'})
  }

  start(isRequestDone: boolean): void {
    this.#isRequestDone = isRequestDone
    this.begun()
    if (this.#deadline !== Infinity) this.#setTimer()
    if (!this.isOver) this.begin()
  }

  head(stream: FrameStream, block: string, isLast: boolean): void {
    if (stream === this.caller) {
      // trailers of a caller: gRPC has none, and they mean the end
      stream.skipFields(block)
      if (isLast) this.data(stream, '', true)
    } else if (this.#callee === stream) this.#takeFields(block, isLast)
  }

  data(stream: FrameStream, bytes: string, isLast: boolean): void {
    if (stream === this.caller) this.#takeRequest(bytes, isLast)
    else if (stream === this.#callee) this.#takeAnswer(bytes, isLast)
  }

  sent(stream: FrameStream, bytes: number): void {
    if (stream === this.caller) return this.#callee?.credit(bytes)
    // what is sent again was passed on before
    const passed = Math.min(bytes, this.#unpassed)
    this.#unpassed -= passed
    this.caller.credit(passed)
  }

  reset(stream: FrameStream, code: number): void {
    if (stream === this.caller) return this.#callerLeft()
    if (stream !== this.#callee) return
    this.isBroken = true
    const message = `stream terminated by RST_STREAM with error code: ${codeName(code)}`
    this.failAttempt({code: status.codeOfReset(code), message})
  }

  lost(stream: FrameStream, why: string): void {
    if (stream === this.caller) return this.#callerLeft()
    if (stream !== this.#callee) return
    this.isBroken = true
    this.loseCallee(this.failedStatus(`error reading from server: ${why}`))
  }

  opened(connection: FrameClient): void {
    const {admitted} = this
    if (admitted === undefined) return
    this.connectedAt = performance.now()
    this.attempts++
    const {block, isRepeated} = this.fixedFields(admitted)
    const own = this.ownFields(admitted, this.connectedAt - this.startedAt)
    const body = this.bodyFor(admitted)
    // another run's sidecar has its own limit
    const max = admitted.grpcPool === undefined ? admitted.pool.maxMessageBytes : 0
    const fault = this.#faultOfSize(body, max)
    if (fault !== undefined) return this.failAttempt(fault)
    if (body !== '') this.requestBytes = body.length
    const first = body === '' ? this.#firstMessages() : [body]
    if (first === undefined) return this.fail(this.failedStatus('the request is too large to be sent again'))
    const isDone = this.#isRequestDone
    this.#calleeConnection = connection
    const isLast = isDone && first.length === 0
    const callee = connection.open(this, isRepeated ? own : block + own, isLast, isRepeated ? block : '')
    this.#callee = callee
    for (let at = 0; at < first.length; at++) callee.writeData(first[at] ?? '', isDone && at === first.length - 1)
    this.broken?.opened?.()
    if (this.policed !== undefined && this.isMarkedStream) this.release(this.policed)
  }

  protected unreachable(why: string): void {
    this.loseCallee(this.failedStatus(why))
  }

  /** Ends the call with a status of the sidecar. */
  protected fail(end: GrpcStatus): void {
    if (this.isOver) return
    const head = this.isAnswered ? '' : status.answerHead(answerType(this.requestHead)) + this.faultField
    this.isAnswered = true
    if (end === RESET_CALL || end === CUT_CALL) this.caller.reset(INTERNAL_ERROR)
    else this.caller.writeHead(head + trailersOf(end), true)
    this.#callee?.reset(CANCEL)
    this.#over(end.code, end.message)
  }

  protected restarted(): void {
    this.#answer = new MessageGauge(this.sidecar.maxBodyBytes)
  }

  protected dropCallee(): void {
    this.#callee?.reset(CANCEL)
    this.#callee = undefined
  }

  /** The messages to send first: those received so far, again for another attempt; undefined if they are no longer kept. */
  #firstMessages(): readonly string[] | undefined {
    const kept = this.policed?.kept
    if (kept?.isStarted === true) return kept.isLost ? undefined : [kept.whole().toString('latin1')]
    if (kept !== undefined) kept.isStarted = true
    const early = this.#early
    this.#early = undefined
    return early ?? NOTHING
  }

  #takeRequest(bytes: string, isLast: boolean): void {
    if (isLast) this.#isRequestDone = true
    if (this.isOver) return this.caller.credit(bytes.length)
    const tooLarge = this.#request.measure(bytes)
    if (tooLarge > 0) return this.fail(tooLargeFor(tooLarge, this.#request))
    this.requestBytes += bytes.length
    this.#unpassed += bytes.length
    if (this.sidecar.observer !== undefined) this.observe('request', bytes)
    const callee = this.#callee
    const kept = this.policed?.kept
    if (kept !== undefined) {
      if (this.#request.isBehindFirst) return this.fail(NO_STREAMS)
      kept.add(bytes, isLast)
    }
    if (callee === undefined) {
      if (kept?.isStarted !== true) (this.#early ??= []).push(bytes)
    } else if (callee.isOver) this.sent(callee, bytes.length)
    else callee.writeData(bytes, isLast)
  }

  #takeFields(block: string, isLast: boolean): void {
    const connection = this.#calleeConnection
    const {broken} = this
    if (connection === undefined || (broken !== undefined && this.lacksAnswer(broken))) return
    const fields = readAnswer(connection.walker, block, isLast)
    const policed = this.policed
    let head = policed?.head ?? ''
    let more = ''
    const isFirst = !this.isAnswered && head === ''
    if (isFirst) {
      if (fields.httpStatus < 200 && fields.httpStatus >= 100) return
      this.firstByteAt = performance.now()
      if (this.sidecar.observer !== undefined) this.observeHead(fields)
      if (!fields.isGrpc)
        return this.failAttempt({...this.failedStatus(httpText(fields)), code: status.codeOfHttp(fields.httpStatus)})
      more = this.answerFields(fields) + this.faultField
      head = fields.head + more
      if (!isLast && broken?.left === 0) this.breakSoon(broken)
    }
    const isRepeated = fields.isRepeated && more === ''
    if (policed === undefined)
      return this.#pass(head, isFirst ? '' : fields.bytes, isLast ? fields : undefined, isRepeated)
    if (!isLast) {
      if (isFirst) policed.head = head
      return
    }
    const pass = (): void => this.#pass(head, isFirst ? '' : fields.bytes, fields)
    this.settle(policed, {code: codeOf(fields), message: status.unescapeMessage(fields.message)}, pass)
  }

  /** Passes on a head, trailers, or both: one block if there is no message between them. `isRepeated`: the peer has sent the block before. */
  #pass(head: string, trailers: string, end: AnswerFields | undefined, isRepeated = false): void {
    if (head !== '') {
      this.isAnswered = true
      const isAll = end !== undefined && trailers === ''
      this.#passFields(isAll ? head + missingFields(end) : head, isAll, isRepeated)
    }
    if (end === undefined) return
    if (trailers !== '' || head === '') this.#passFields(trailers + missingFields(end), true, isRepeated)
    this.#end(end)
  }

  #passFields(fields: string, isLast: boolean, isRepeated: boolean): void {
    this.caller.writeHead(isRepeated ? '' : fields, isLast, isRepeated ? fields : '')
  }

  #takeAnswer(bytes: string, isLast: boolean): void {
    const callee = this.#callee
    const {broken} = this
    if (this.isOver || callee === undefined || (broken !== undefined && this.lacksAnswer(broken)))
      return callee?.credit(bytes.length)
    const tooLarge = this.#answer.measure(bytes)
    if (tooLarge > 0) return this.failAttempt(tooLargeFor(tooLarge, this.#answer))
    if (this.policed !== undefined) this.#passFirst(this.policed)
    if (this.answerBytes === 0) this.changed?.()
    const passed = broken === undefined ? bytes : broken.takeText(bytes, () => this.breakSoon(broken))
    this.answerBytes += passed.length
    if (this.sidecar.observer !== undefined) this.observe('response', passed)
    this.caller.writeData(passed, false)
    if (isLast) this.failAttempt(NO_TRAILERS)
  }

  /** A message is about to be passed on: from now on the call cannot be retried. */
  #passFirst(policed: PolicedAnswer): void {
    policed.hasPassed = true
    const {head} = policed
    policed.head = ''
    if (head !== '') this.#pass(head, '', undefined)
  }

  #end(fields: AnswerFields): void {
    // an app may answer before it has heard all
    if (this.#callee?.isLocalDone === false) this.#callee.reset(CANCEL)
    const {message} = fields
    this.#over(codeOf(fields), message === '' ? '' : status.unescapeMessage(message))
  }

  /** The limit of the callee, from now on, and whether the request was larger already. `body`: the message of the sidecar, '' = those of the caller. */
  #faultOfSize(body: string, max: number): GrpcStatus | undefined {
    this.#answer.limit(max)
    if (body === '') {
      const bytes = this.#request.limit(max)
      return bytes === 0 ? undefined : tooLargeFor(bytes, this.#request)
    }
    const bytes = body.length - PREFIX_BYTES
    if (max === 0 || bytes <= max) return undefined
    return {code: status.RESOURCE_EXHAUSTED, message: tooLargeToSend(bytes, max)}
  }

  protected crash(error: unknown): void {
    this.sidecar.warn(bugText(error))
    this.fail({code: status.INTERNAL, message: 'internal error'})
  }

  #callerLeft(): void {
    this.#callee?.reset(CANCEL)
    this.#over(status.CANCELLED, 'the caller left')
  }

  #setTimer(): void {
    const ms = this.#deadline - performance.now()
    if (ms <= 0) return this.fail(status.EXCEEDED)
    if (ms < 0x7f_ff_ff_ff) this.#timer = setTimeout(() => this.fail(status.EXCEEDED), ms)
  }

  #over(code: number, failure: string): void {
    if (this.isOver) return
    this.isOver = true
    clearTimeout(this.#timer)
    this.#early = undefined
    this.policed?.run.cancel()
    this.policed?.kept?.release()
    this.leave()
    this.record(code, failure)
  }
}

const NOTHING: readonly string[] = []

const tooLargeFor = (bytes: number, {max}: MessageGauge): GrpcStatus => ({
  code: status.RESOURCE_EXHAUSTED,
  message: tooLargeText(bytes, max)
})

const codeOf = ({status: code}: AnswerFields): number => (code < 0 ? status.INTERNAL : code)

/** What an app has left out. */
const missingFields = ({status: code}: AnswerFields): string => (code >= 0 ? '' : trailersOf(NO_TRAILERS))
