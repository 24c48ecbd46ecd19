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

/** End of an attempt that another one follows. */
type AttemptEnd = Pick<CallRecord, 'status' | 'grpcStatus' | 'firstByteAt' | 'failure'>

/**
 * The journal of one call over any protocol, to which the carrier of the call writes. The journal notifies the observer while
 * the call is in flight, and is the call's record afterwards. A new field of the record is added here and in `CallRecord`.
 */
export class CallJournal implements CallRecord {
  readonly call: Call
  readonly request: SentRequest
  readonly observer: CallObserver | undefined
  /** Whether the record is used: times are measured. */
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
  /** Counts the call for its caller, once. */
  readonly #recorded: Recorded | undefined
  /** The recorder of the latest callee. */
  #calleeRecorded: Recorded | undefined

  constructor(call: Call, request: SentRequest, observer: CallObserver | undefined, recorded: Recorded | undefined) {
    this.call = call
    this.request = request
    this.observer = observer
    this.#recorded = recorded
    this.isRecorded = observer !== undefined || recorded !== undefined
  }

  /** Begins the call, perhaps at an earlier time of `performance.now()`. */
  begun(at = performance.now()): void {
    this.startedAt = at
    wallTime.note(at)
    this.observer?.started(this.call, this.request, this.startedAt)
  }

  /** A connection to the callee is open; `wasOpen`: it was already. */
  connected(wasOpen: boolean): void {
    if (this.isRecorded) this.connectedAt = wasOpen ? this.admittedAt : performance.now()
  }

  /** Notes a response of our own. */
  replied(response: Reply): void {
    this.status = response.status
    this.observer?.replied(this.call, replyTexts(response))
    this.responseBytes = response.bytes?.length ?? Buffer.byteLength(response.body)
  }

  /** Counts content of a body, and reports it to the observer. */
  passed(bytes: Buffer, direction: Direction): void {
    if (direction === 'request') this.requestBytes += bytes.length
    else this.responseBytes += bytes.length
    // bytes of a websocket are not observed
    if (this.status !== 101) this.observer?.bytes(this.call, direction, bytes, 0, bytes.length)
  }

  /** Notes that the whole request was sent at once, without a passage. A text is latin1. */
  sentWhole(isLocal: boolean, to: AdmittedTo, body: Buffer | string): void {
    this.attempts = 1
    this.admitted(isLocal, to, undefined)
    this.connectedAt = this.admittedAt
    this.requestBytes = body.length
    if (typeof body === 'string') this.observer?.text(this.call, 'request', body)
    else this.observer?.bytes(this.call, 'request', body, 0, body.length)
  }

  /** Notes a response, with as much of its body as has arrived, as latin1 text. */
  responded(status: number, head: HeadText, body = ''): void {
    this.firstByteAt = performance.now()
    this.status = status
    this.observer?.responded(this.call, head, body)
    this.responseBytes += body.length
  }

  /** Notes that the call waits, for this reason. */
  held(reason = ''): void {
    this.isFirstTurn = false
    this.observer?.held(this.call, reason)
  }

  /** Notes that the callee has admitted the call. The parameters are required, so that no caller forgets one. `recorded`: counts the call for the callee, too. */
  admitted(isLocal: boolean, to: AdmittedTo, recorded: Recorded | undefined): void {
    if (!this.isRecorded) return
    this.admittedAt = this.isFirstTurn ? this.startedAt : performance.now()
    this.#calleeRecorded = recorded
    this.isRemote = !isLocal
    this.observer?.admitted(this.call, to, this.admittedAt - this.startedAt)
  }

  /** Notes that another attempt follows. The callee of the last one, if it was admitted, counts it now. */
  followed(end: AttemptEnd): void {
    this.isFirstTurn = false
    const {admittedAt, isRemote} = this
    if (admittedAt === 0) return
    const endedAt = performance.now()
    // a copy, since the call continues
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
