import type {Call, CallAttempt, CallObserver, CallRecord, CallSpans, Recorded, SentRequest} from '../model/call.ts'
import type {Exchange} from '../net/exchange.ts'
import type {Admitted} from './admission.ts'
import type {CallContext} from './call-context.ts'

/** The record of one call: reported to its observer while it is in flight, and to the metrics of both sides when it is over. */
export abstract class RecordedCall {
  readonly call: Call
  readonly isRecorded: boolean
  readonly observer: CallObserver | undefined
  protected readonly request: SentRequest
  protected readonly context: CallContext
  protected abstract readonly exchange: Exchange
  /** Why it failed, '' = it did not. */
  protected failure = ''
  /** Status of the response of the current attempt, if interceptors handle the call. */
  protected attemptStatus = 0
  /** Neither queued nor sent again: it is admitted at the moment at which it started. */
  protected isFirstTurn = true
  /** When the latest callee admitted the call; 0: not yet. */
  admittedAt = 0
  #startedAt = 0
  /** The recorder of the latest callee. */
  #calleeRecorded: Recorded | undefined
  #isRemote = false
  #earlier: CallAttempt[] | undefined

  constructor(context: CallContext, call: Call, request: SentRequest) {
    this.context = context
    this.call = call
    this.request = request
    this.observer = context.observer
    this.isRecorded = context.observer !== undefined || context.recorded !== undefined
  }

  /** The trace header lines sent to the callee, '' if we add none. */
  protected abstract readonly sentTrace: string
  /** What the interceptors have decided; undefined: nothing. */
  protected abstract readonly decisions: CallRecord['decisions']

  /** The spans of the call, if it is traced. */
  protected get spans(): CallSpans | undefined {
    return undefined
  }

  protected begun(): void {
    if (this.isRecorded) this.#startedAt = performance.now()
    this.observer?.started(this.call, this.request, this.#startedAt)
  }

  protected noteAdmitted({recorded, isLocal, pid = 0}: Admitted): void {
    if (!this.isRecorded) return
    this.admittedAt = this.isFirstTurn ? this.#startedAt : performance.now()
    this.#calleeRecorded = recorded
    this.#isRemote = !isLocal
    this.observer?.admitted(this.call, pid, this.admittedAt - this.#startedAt)
  }

  /** Another attempt follows. The callee of the last one, if it was admitted, counts it now. */
  protected noteAttempt(): void {
    if (this.admittedAt === 0) return
    const status = this.attemptStatus
    const record = {...this.#newRecord(), status, firstByteAt: status === 0 ? 0 : performance.now(), isFollowed: true}
    const {admittedAt, endedAt, isRemote = false} = record
    this.#earlier ??= []
    this.#earlier.push({status, admittedAt, endedAt, isRemote})
    this.#calleeRecorded?.(record)
    this.#calleeRecorded = undefined
    this.admittedAt = 0
    this.attemptStatus = 0
    this.#isRemote = false
  }

  /** The call is over. */
  protected record(): void {
    if (!this.isRecorded) return
    const record = this.#newRecord()
    this.context.recorded?.(record)
    this.#calleeRecorded?.(record)
    this.observer?.ended(record)
  }

  #newRecord(): CallRecord {
    const {status, attempts, connectedAt, firstByteAt, isWhole, requestBytes, responseBytes, grpcStatus} = this.exchange
    return {
      call: this.call,
      request: this.request,
      status,
      grpcStatus,
      attempts,
      startedAt: this.#startedAt,
      admittedAt: this.admittedAt,
      connectedAt,
      firstByteAt,
      endedAt: isWhole ? firstByteAt : performance.now(),
      requestBytes,
      responseBytes,
      isRemote: this.#isRemote,
      trace: this.sentTrace,
      spans: this.spans,
      failure: this.failure,
      earlier: this.#earlier,
      decisions: this.decisions
    }
  }
}
