import {encodeField} from '#h2-frames'
import type {Call} from '../../../model/call.ts'
import type {Admitted, Denied} from '../../../proxy/gateway/admission.ts'
import type {Verdict} from '../../../proxy/gateway/interceptors/resiliency/resilient-call.ts'
import {headFields, timeoutMs, timeoutText} from '../../../proxy/net/grpc/head-fields.ts'
import {formatTraceparent} from '../../../observe/telemetry/tracing/trace-context.ts'
import {notListening} from '../http/errors.ts'
import type {Tracing} from '../http/sidecar-request.ts'
import {GrpcCall} from './grpc-call.ts'
import {baggageFields, spanFields, spansOf, grpcTraceOf} from './grpc-trace.ts'
import type {Pool} from '../../../proxy/net/pool.ts'
import {answerType, type ReceivedCall} from './request-head.ts'
import {
  OK,
  statusFrom,
  UNAVAILABLE,
  PERMISSION_DENIED,
  UNKNOWN,
  type GrpcStatus
} from '../../../proxy/net/grpc/status.ts'

/** A call that was sent on within this time, in ms, keeps the text of its `grpc-timeout`. */
const AT_ONCE_MS = 1

/** A call of an app's own gRPC method. The sidecar passes its messages on unchanged (Dapr: pkg/messaging/grpc_proxy.go). */
export class ProxiedGrpcCall extends GrpcCall {
  readonly #tracing: Tracing

  constructor(received: ReceivedCall, call: Call) {
    const {head, tracing} = received
    super(received, call, {calleeMethod: call.path, isStream: head.isStream, spans: spansOf(head, tracing)})
    this.#tracing = tracing
  }

  protected verdictOf(code: number): Verdict {
    return code === OK ? 'success' : code
  }

  protected ownFields(admitted: Admitted, afterMs: number): string {
    return this.#timeout(afterMs) + this.#trace(admitted)
  }

  protected override answerFields(): string {
    return baggageFields(this.requestHead, this.#tracing)
  }

  protected deniedStatus({error, status, isUnknown, down}: Denied): GrpcStatus {
    if (down !== undefined) return {code: UNAVAILABLE, message: notListening(down.address, down.reason)}
    if (isUnknown === true) return {code: UNKNOWN, message: error}
    return statusFrom(error, status === 403 ? PERMISSION_DENIED : UNKNOWN)
  }

  protected failedStatus(why: string): GrpcStatus {
    const {protocol = ''} = this.passage.admitted?.pool ?? {}
    const isGrpc = protocol === '' || protocol.startsWith('grpc')
    const hint = isGrpc ? '' : ` ("${this.call.callee}" has appProtocol ${protocol}, not grpc)`
    return {code: UNAVAILABLE, message: why + hint}
  }

  protected fixedFields(admitted: Admitted, pool: Pool): string {
    const {call, requestHead: head} = this
    const first = headFields(pool, call.path, answerType(head))
    return first + head.protocol + head.metadata + this.#identityFields(admitted)
  }

  /** Returns the fields that name caller and callee, also to another run's sidecar, and the token of the callee or of its sidecar. */
  #identityFields({isLocal, token, grpcFields}: Admitted): string {
    const {caller, callee} = this.call
    const own = token || (isLocal ? this.sidecar.appToken : '')
    const tokenField = own === '' ? '' : encodeField('dapr-api-token', own)
    const ids = isLocal ? '' : encodeField('dapr-caller-app-id', caller) + encodeField('dapr-callee-app-id', callee)
    const lead = grpcFields?.map(([name, value]) => encodeField(name, value)).join('') ?? ''
    return ids + tokenField + lead
  }

  /** Returns the rest of the caller's deadline as a field; '': the caller set none. */
  #timeout(afterMs: number): string {
    const {timeout} = this.requestHead
    if (timeout === '') return ''
    const ms = timeoutMs(timeout) ?? 0
    return encodeField('grpc-timeout', afterMs < AT_ONCE_MS ? timeout : timeoutText(ms - afterMs))
  }

  #trace({isLocal, grpcPool}: Admitted): string {
    const {requestHead: head, spans} = this
    if (isLocal || !this.#tracing.isTracing) return head.trace
    // another run's sidecar creates its own span
    const span = grpcPool === undefined ? spans?.callee : spans?.own
    if (span !== undefined) {
      this.journal.trace = formatTraceparent(span.context)
      return spanFields(span)
    }
    const {traceparent, fields} = grpcTraceOf(head)
    this.journal.trace = traceparent
    return head.tracestate === '' ? fields : fields + encodeField('tracestate', head.tracestate)
  }
}
