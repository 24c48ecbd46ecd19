import type {
  AdmittedTo,
  Call,
  CallAttempt,
  CallObserver,
  CallRecord,
  CallSpans,
  Direction,
  HeadText,
  Recorded,
  SentRequest
} from '../../model/call.ts'
import type {ResiliencyEvent} from '../../model/resiliency-event.ts'
import {wallTime} from '../../platform/wall-time.ts'
import {replyTexts, type Reply} from './reply.ts'

/** Result of an attempt that another attempt follows. */
type AttemptEnd = Pick<CallRecord, 'status' | 'grpcStatus' | 'firstByteAt' | 'failure'>

/**
 * The journal of one call over any protocol: the code that carries the call notes its times, sizes and results here. Notifies the observer
 * while the call is in flight, and is the call's record afterwards. A new field of the record belongs here and in `CallRecord`.
 */
export class CallJournal implements CallRecord {
  readonly call: Call
  readonly request: SentRequest
  readonly observer: CallObserver | undefined
  /** Whether anybody reads the record; otherwise no times are measured. */
  readonly isRecorded: boolean
  /** Whether the whole response arrived with its first byte. */
  isWhole = false
  /** Whether the call was admitted at once and sent only once. */
  isFirstTurn = true
  status = 0
  grpcStatus: number | undefined = undefined
  calleeMethod: string | undefined = undefined
  isStream = false
  attempts = 0
  earlier: CallAttempt[] | undefined = undefined
  isFollowed = false
  decisions: readonly ResiliencyEvent[] | undefined = undefined
  startedAt = 0
  admittedAt = 0
  connectedAt = 0
  firstByteAt = 0
  endedAt = 0
  requestBytes = 0
  isCutShort = false
  responseBytes = 0
  isRemote = false
  spans: CallSpans | undefined = undefined
  trace = ''
  failure = ''
  /** Counts the call in the metrics of its caller. */
  readonly #recorded: Recorded | undefined
  /** Counts the call in the metrics of the callee that has admitted it; undefined: none. */
  #calleeRecorded: Recorded | undefined

  constructor(call: Call, request: SentRequest, observer: CallObserver | undefined, recorded: Recorded | undefined) {
    this.call = call
    this.request = request
    this.observer = observer
    this.#recorded = recorded
    this.isRecorded = observer !== undefined || recorded !== undefined
  }

  /** Notes the start of the call. `at`: time of `performance.now()`, possibly earlier than now. */
  begun(at = performance.now()): void {
    this.startedAt = at
    wallTime.note(at)
    this.observer?.started(this.call, this.request, this.startedAt)
  }

  /** Notes that the connection to the callee is open. `wasOpen`: the connection is a reused one. */
  connected(wasOpen: boolean): void {
    if (this.isRecorded) this.connectedAt = wasOpen ? this.admittedAt : performance.now()
  }

  /** Notes a response that Pillion sends in place of the callee. */
  replied(response: Reply): void {
    this.status = response.status
    this.observer?.replied(this.call, replyTexts(response))
    this.responseBytes = response.bytes?.length ?? Buffer.byteLength(response.body)
  }

  /** Counts content of a body, and reports it to the observer. */
  passed(bytes: Buffer, direction: Direction): void {
    if (direction === 'request') this.requestBytes += bytes.length
    else this.responseBytes += bytes.length
    // status 101: the bytes of a tunnel are counted only
    if (this.status !== 101) this.observer?.bytes(this.call, direction, bytes, 0, bytes.length)
  }

  /** Notes that a call without a `Passage` has sent its whole request at once. `body`: text is latin1. */
  sentWhole(isLocal: boolean, to: AdmittedTo, body: Buffer | string): void {
    this.attempts = 1
    this.admitted(isLocal, to, undefined)
    this.connectedAt = this.admittedAt
    this.requestBytes = body.length
    if (typeof body === 'string') this.observer?.text(this.call, 'request', body)
    else this.observer?.bytes(this.call, 'request', body, 0, body.length)
  }

  /** Notes the head of a response. `body`: part of the body that has arrived with it, as latin1 text. */
  responded(status: number, head: HeadText, body = ''): void {
    this.firstByteAt = performance.now()
    this.status = status
    this.observer?.responded(this.call, head, body)
    this.responseBytes += body.length
  }

  /** Notes that the call waits. `reason`: '': unknown. */
  held(reason = ''): void {
    this.isFirstTurn = false
    this.observer?.held(this.call, reason)
  }

  /** Notes that the callee has admitted the call. `recorded`: counts the call in the metrics of the callee; undefined: no metrics. */
  admitted(isLocal: boolean, to: AdmittedTo, recorded: Recorded | undefined): void {
    if (!this.isRecorded) return
    this.admittedAt = this.isFirstTurn ? this.startedAt : performance.now()
    this.#calleeRecorded = recorded
    this.isRemote = !isLocal
    this.observer?.admitted(this.call, to, this.admittedAt - this.startedAt)
  }

  /** Notes the end of an attempt that another one follows. If a callee had admitted it, its metrics count the attempt now. */
  followed(end: AttemptEnd): void {
    this.isFirstTurn = false
    const {admittedAt, isRemote} = this
    if (admittedAt === 0) return
    const endedAt = performance.now()
    // reports a copy, since the next attempt changes this journal
    this.#calleeRecorded?.(Object.assign({}, this, end, {endedAt, isFollowed: true}))
    this.earlier ??= []
    this.earlier.push({status: end.grpcStatus ?? end.status, admittedAt, endedAt, isRemote})
    this.#calleeRecorded = undefined
    this.admittedAt = 0
    this.connectedAt = 0
    this.firstByteAt = 0
    this.isRemote = false
  }

  ended(): void {
    if (!this.isRecorded) return
    this.endedAt = this.isWhole ? this.firstByteAt : performance.now()
    this.#recorded?.(this)
    this.#calleeRecorded?.(this)
    this.observer?.ended(this)
  }
}
