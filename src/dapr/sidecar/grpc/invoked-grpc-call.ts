import {encodeField} from '#h2-frames'
import type {Call} from '../../../model/call.ts'
import type {Admitted, Denied} from '../../../proxy/gateway/admission.ts'
import type {Verdict} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {pairsOf} from '../../../proxy/net/http1/header-lines.ts'
import type {AnswerFields} from '../../../proxy/net/grpc/answer-fields.ts'
import {INTERNAL, OK, UNAVAILABLE, type GrpcStatus} from '../../../proxy/net/grpc/status.ts'
import {framed} from '../../../proxy/net/grpc/message-gauge.ts'
import {formatTraceparent} from '../../../observe/telemetry/tracing/trace-context.ts'
import {notListening} from '../http/errors.ts'
import type {Tracing} from '../http/sidecar-request.ts'
import {GrpcCall} from './grpc-call.ts'
import {traceFields} from '../../../proxy/net/grpc/trace-fields.ts'
import {baggageFields, spansOf, grpcTraceOf} from './grpc-trace.ts'
import type {Pool} from '../../../proxy/net/pool.ts'
import type {ReceivedCall} from './request-head.ts'
import {headFields, ON_INVOKE} from '../../../proxy/net/grpc/head-fields.ts'

export const INVOKE_SERVICE = '/dapr.proto.runtime.v1.Dapr/InvokeService'

interface SentInvoke {
  /** The id as the caller wrote it, for errors. */
  readonly sentId: string
  /** The InvokeServiceRequest, for the sidecar of another run. */
  readonly request: Uint8Array
  /** The InvokeRequest in it, for the app. */
  readonly message: Uint8Array
}

/** A call of Dapr's `InvokeService` to a gRPC app, which gets its InvokeRequest by `OnInvoke` (Dapr: pkg/channel/grpc). */
export class InvokedGrpcCall extends GrpcCall {
  readonly #sent: SentInvoke
  readonly #tracing: Tracing
  readonly #trace: string

  constructor(received: ReceivedCall, call: Call, sent: SentInvoke) {
    const {head, tracing} = received
    super(received, call, {calleeMethod: ON_INVOKE, isStream: false, spans: spansOf(head, tracing)})
    this.#sent = sent
    this.#tracing = tracing
    if (this.spans !== undefined) {
      this.journal.trace = formatTraceparent(this.spans.own.context)
      this.#trace = traceFields(this.journal.trace)
    } else if (tracing.isTracing) {
      const {traceparent, fields} = grpcTraceOf(head)
      this.journal.trace = traceparent
      this.#trace = fields
    } else this.#trace = head.trace
  }

  /** Makes policies retry each failure, whatever codes their `matching` lists (Dapr: pkg/messaging, invokeRemote). */
  protected verdictOf(code: number): Verdict {
    return code === OK ? 'success' : 'failed'
  }

  protected ownFields(admitted: Admitted): string {
    return this.#traceFor(admitted)
  }

  protected fixedFields(admitted: Admitted, pool: Pool): string {
    const path = admitted.grpcPool === undefined ? ON_INVOKE : INVOKE_SERVICE
    return headFields(pool, path, 'application/grpc') + this.requestHead.metadata + this.#identity(admitted)
  }

  protected override bodyFor({grpcPool}: Admitted): string {
    const {request, message} = this.#sent
    return framed(grpcPool === undefined ? message : request)
  }

  protected override answerFields({hasTrace}: AnswerFields): string {
    return (hasTrace ? '' : this.#trace) + baggageFields(this.requestHead, this.#tracing)
  }

  protected deniedStatus({error, down}: Denied): GrpcStatus {
    if (down?.isGrpc === true) return {code: UNAVAILABLE, message: notListening(down.address, down.reason)}
    return {code: INTERNAL, message: `failed to invoke, id: ${this.#sent.sentId}, err: ${error}`}
  }

  protected failedStatus(why: string): GrpcStatus {
    return {code: UNAVAILABLE, message: why}
  }

  #identity({isLocal, token, grpcFields}: Admitted): string {
    const {sidecar} = this
    const pairs = pairsOf(sidecar.callerHeaders(this.call.callee, isLocal))
    let fields = ''
    for (let at = 0; at < pairs.length; at += 2)
      fields += encodeField((pairs[at] ?? '').toLowerCase(), pairs[at + 1] ?? '')
    for (const [name, value] of grpcFields ?? []) fields += encodeField(name, value)
    const own = token || (isLocal ? sidecar.appToken : '')
    return own === '' ? fields : fields + encodeField('dapr-api-token', own)
  }

  #traceFor({isLocal, grpcPool}: Admitted): string {
    const {spans} = this
    // another run's sidecar creates its own span
    if (spans?.callee === undefined || isLocal || grpcPool !== undefined) return this.#trace
    this.journal.trace = formatTraceparent(spans.callee.context)
    return traceFields(this.journal.trace)
  }
}
