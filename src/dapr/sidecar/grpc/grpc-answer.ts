import type {FieldWalker, FrameStream} from '#h2-frames'
import type {Call, SentRequest} from '../../../model/call.ts'
import {StreamCall} from '../../../proxy/gateway/stream-call.ts'
import {SentMessages} from '../../../proxy/net/grpc/sent-messages.ts'
import type {SidecarContext} from '../http/invocation.ts'
import {type AnswerFields, readAnswer} from '../../../proxy/net/grpc/answer-fields.ts'
import {MessageGauge, tooLargeText} from '../../../proxy/net/grpc/message-gauge.ts'
import {codeOfHttp, INTERNAL, RESOURCE_EXHAUSTED, trailersOf, percentDecoded} from '../../../proxy/net/grpc/status.ts'
import type {GrpcStatus} from '../../../proxy/net/grpc/status.ts'

/** The status of an answer that an injected fault cuts off. */
export const CUT_CALL: GrpcStatus = {code: INTERNAL, message: 'cut by a fault'}

/** The status for a callee that sends data before a head. Passed on, these frames would end the caller's whole connection. */
const NO_HEAD: GrpcStatus = {code: INTERNAL, message: 'the app sent data before a head'}

/**
 * The half of a gRPC call that passes the callee's answer to the caller. Under policies it holds back the head of the answer until the
 * first message: an attempt without a message can still be retried.
 */
export abstract class AnsweredCall extends StreamCall {
  protected readonly sidecar: SidecarContext
  protected answerGauge: MessageGauge
  /** Whether the caller was sent the head of an answer. */
  protected hasBegun = false
  /** Whether the caller was sent a message. From then on policies cannot retry the call. */
  protected hasPassed = false
  /** The answer's head that is held back, as encoded fields; '': none. */
  #head = ''

  constructor(sidecar: SidecarContext, call: Call, request: SentRequest, caller: FrameStream) {
    const {maxBodyBytes} = sidecar
    super(sidecar, call, request, {caller, messages: new SentMessages(maxBodyBytes), mayStream: true})
    this.sidecar = sidecar
    this.answerGauge = new MessageGauge(maxBodyBytes)
  }

  /** Returns encoded fields that the sidecar adds to the head of the answer. */
  protected abstract answerFields(fields: AnswerFields): string
  /** Called under policies when the callee has ended its answer with a status. `pass` sends the end to the caller. */
  protected abstract answered(end: GrpcStatus, pass: () => void): void
  /** Ends the attempt with a status. Policies may retry the call. */
  protected abstract failAttempt(end: GrpcStatus): void
  protected abstract failedStatus(why: string): GrpcStatus
  /** Ends the call, after its status was sent to the caller. */
  protected abstract ended(end: GrpcStatus): void

  protected restartAnswer(): void {
    this.#head = ''
    this.answerGauge = new MessageGauge(this.sidecar.maxBodyBytes)
  }

  protected takeFields(walker: FieldWalker, block: string, isLast: boolean): void {
    const {broken, isPoliced} = this.passage
    // reads the fields of a dropped answer, too: they may change the header table of the connection
    const fields = readAnswer(walker, block, isLast)
    if (this.isDropped()) return
    let head = this.#head
    let more = ''
    const isFirst = !this.hasBegun && head === ''
    if (isFirst) {
      if (fields.httpStatus < 200 && fields.httpStatus >= 100) return
      this.responded(fields)
      if (!fields.isGrpc) return this.failAttempt(this.#statusOfHttp(fields))
      more = this.answerFields(fields) + this.callFields
      head = fields.head + more
      if (!isLast && broken?.left === 0) this.breakSoon()
    }
    const isRepeated = fields.isRepeated && more === ''
    const trailers = isFirst ? '' : fields.bytes
    if (!isPoliced) this.#pass(head, trailers, isLast ? fields : undefined, isRepeated)
    else if (isLast) this.answered(statusOf(fields), () => this.#pass(head, trailers, fields))
    else if (isFirst) this.#head = head
  }

  protected takeResponse(callee: FrameStream, bytes: string, isLast: boolean): void {
    if (this.passage.isOver || this.isDropped()) return callee.credit(bytes.length)
    if (!this.hasBegun && this.#head === '') return this.failAttempt(NO_HEAD)
    const tooLarge = this.answerGauge.measure(bytes)
    if (tooLarge > 0) return this.failAttempt(tooLargeFor(tooLarge, this.answerGauge))
    if (this.passage.isPoliced) this.#passFirst()
    this.caller.writeData(this.passed(bytes), false)
    this.changed?.()
    if (isLast) this.failAttempt(NO_TRAILERS)
  }

  /**
   * Sends a head, trailers, or both to the caller, in one block if no message is between them. `end`: the fields that end the answer.
   * `isRepeated`: the callee has sent the same block before.
   */
  #pass(head: string, trailers: string, end: AnswerFields | undefined, isRepeated = false): void {
    if (head !== '') {
      this.hasBegun = true
      const isAll = end !== undefined && trailers === ''
      this.#passFields(isAll ? head + missingFields(end) : head, isAll, isRepeated)
    }
    if (end === undefined) return
    if (trailers !== '' || head === '') this.#passFields(trailers + missingFields(end), true, isRepeated)
    this.ended(statusOf(end))
  }

  #passFields(fields: string, isLast: boolean, isRepeated: boolean): void {
    this.caller.writeHead(isRepeated ? '' : fields, isLast, isRepeated ? fields : '')
  }

  /** Sends the head that was held back, before the first message: from now on the call cannot be retried. */
  #passFirst(): void {
    const head = this.#head
    this.hasPassed = true
    this.#head = ''
    if (head !== '') this.#pass(head, '', undefined)
  }

  protected breakOff(): void {
    this.failAttempt(CUT_CALL)
  }

  #statusOfHttp(fields: AnswerFields): GrpcStatus {
    return {...this.failedStatus(httpText(fields)), code: codeOfHttp(fields.httpStatus)}
  }
}

/** Returns the status for a message with more bytes than allowed. */
export const tooLargeFor = (bytes: number, {max}: MessageGauge): GrpcStatus => ({
  code: RESOURCE_EXHAUSTED,
  message: tooLargeText(bytes, max)
})

const statusOf = ({status, message}: AnswerFields): GrpcStatus => ({
  code: status < 0 ? INTERNAL : status,
  message: message === '' ? '' : percentDecoded(message)
})

const missingFields = ({status}: AnswerFields): string => (status >= 0 ? '' : trailersOf(NO_TRAILERS))

const NO_TRAILERS: GrpcStatus = {code: INTERNAL, message: 'server closed the stream without sending trailers'}

/** Returns grpc-go's text for an answer that is not gRPC. */
const httpText = ({httpStatus, contentType}: AnswerFields): string => {
  const type = contentType.startsWith('application/grpc')
    ? ''
    : `; transport: received unexpected content-type "${contentType}"`
  return `unexpected HTTP status code received from server: ${httpStatus}${type}`
}
