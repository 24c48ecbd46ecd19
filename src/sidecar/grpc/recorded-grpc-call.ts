import {encodeField} from '#h2-frames'
import type {Call, CallAttempt, CallRecord, CallSpans, Direction, OpenStream, Recorded} from '../../model/call.ts'
import type {SentRequest} from '../../model/call.ts'
import type {Admitted} from '../../gateway/admission.ts'
import {codeText} from '../../model/grpc-code.ts'
import {OK, type GrpcStatus} from '../../net/grpc/status.ts'
import type {SidecarContext} from '../http/invocation.ts'
import type {AnswerFields} from '../../net/grpc/answer-fields.ts'
import {briefRequest, wholeRequest, type RequestHead} from './request-head.ts'

export interface RecordedCallOptions {
  readonly sidecar: SidecarContext
  readonly call: Call
  readonly head: RequestHead
}

/** The record of one gRPC call: reported to its observer while it is in flight, and to the metrics of both sides when it is over. */
export abstract class RecordedGrpcCall implements OpenStream {
  readonly call: Call
  protected readonly sidecar: SidecarContext
  protected readonly requestHead: RequestHead
  protected attempts = 0
  protected startedAt = 0
  protected connectedAt = 0
  protected firstByteAt = 0
  protected requestBytes = 0
  protected answerBytes = 0
  #admittedAt = 0
  /** The recorder of the latest callee. */
  #calleeRecorded: Recorded | undefined
  #isRemote = false
  #isOtherSidecar = false
  #earlier: CallAttempt[] | undefined

  constructor({sidecar, call, head}: RecordedCallOptions) {
    this.sidecar = sidecar
    this.call = {...call, stream: this}
    this.requestHead = head
  }

  abstract readonly isStream: boolean
  abstract changed: (() => void) | undefined
  abstract endStream(): void
  /** The trace sent to the callee, '' if we add none. */
  protected abstract readonly sentTrace: string
  protected abstract readonly spans: CallSpans | undefined
  /** The decisions of policies; undefined if there are none. */
  protected abstract readonly decisions: CallRecord['decisions']
  /** The caller has declared it a stream without end. */
  protected abstract readonly isMarkedStream: boolean
  /** The method that the app is called with. */
  protected abstract readonly calleeMethod: string

  /** The field with the number of the fault that has hit the call; '' if none has. */
  protected get faultField(): string {
    const {fault} = this.call
    return fault === undefined ? '' : encodeField('pillion-fault', fault.toString())
  }

  protected begun(): void {
    this.startedAt = performance.now()
    this.sidecar.observer?.started(this.call, this.#request(), this.startedAt)
  }

  protected noteAdmitted({recorded, isLocal, grpcPool, pid = 0}: Admitted): void {
    this.#admittedAt = performance.now()
    this.#calleeRecorded = recorded
    this.#isRemote = !isLocal
    this.#isOtherSidecar = !isLocal && grpcPool === undefined
    this.sidecar.observer?.admitted(this.call, pid, this.#admittedAt - this.startedAt)
  }

  protected observe(direction: Direction, bytes: string): void {
    this.sidecar.observer?.text(this.call, direction, bytes)
  }

  protected observeHead({headText: text}: AnswerFields): void {
    this.sidecar.observer?.responded(this.call, {text, size: text.length})
  }

  /** Another attempt follows. The callee of the last one, if it was admitted, counts it now. */
  protected noteAttempt({code, message}: GrpcStatus): void {
    if (this.#admittedAt === 0) return
    const record = this.#newRecord(code, message)
    const {admittedAt, endedAt, isRemote = false} = record
    this.#earlier ??= []
    this.#earlier.push({status: code, admittedAt, endedAt, isRemote})
    this.#calleeRecorded?.({...record, isFollowed: true})
    this.#calleeRecorded = undefined
    this.#admittedAt = 0
    this.connectedAt = 0
    this.firstByteAt = 0
    this.#isRemote = false
  }

  /** The call is over. */
  protected record(code: number, failure: string): void {
    const {recorded, observer} = this.sidecar
    if (recorded === undefined && observer === undefined) return
    const record = this.#newRecord(code, failure)
    recorded?.(record)
    this.#calleeRecorded?.(record)
    observer?.ended(record)
  }

  #newRecord(code: number, failure: string): CallRecord {
    const {spans} = this
    return {
      call: this.call,
      request: this.#request(spans?.own.isSampled === true),
      status: 200,
      grpcStatus: code,
      calleeMethod: this.calleeMethod,
      isStream: this.isMarkedStream,
      attempts: this.attempts,
      earlier: this.#earlier,
      decisions: this.decisions,
      startedAt: this.startedAt,
      admittedAt: this.#admittedAt,
      connectedAt: this.connectedAt,
      firstByteAt: this.firstByteAt,
      endedAt: performance.now(),
      requestBytes: this.requestBytes,
      responseBytes: this.answerBytes,
      isRemote: this.#isRemote,
      spans: spans && {own: spans.own, callee: this.#isOtherSidecar ? spans.callee : undefined},
      trace: this.sentTrace,
      failure: code === OK ? '' : failure || codeText(code)
    }
  }

  #request(isWhole = true): SentRequest {
    return isWhole ? wholeRequest(this.requestHead, this.call.path) : briefRequest(this.requestHead)
  }
}
