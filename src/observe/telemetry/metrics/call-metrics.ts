import type {AccessDecision, CallRecord, GrpcInvocation} from '../../../model/call.ts'
import type {Caller} from './invocation.ts'
import {codeText} from '../../../model/grpc-code.ts'
import type {MetricsSettings} from '../../../files/resources/metrics-settings.ts'
import type {FinishedGrpcCall} from './grpc.ts'
import {SidecarMetrics} from './sidecar-metrics.ts'
import {API} from '../../../model/dapr/api/api.ts'
import type {BlockApi} from '../../../model/dapr/api/block-api.ts'

/** Dapr's status for a call that ended without one. */
const NO_STATUS = 500

/** The bytes before each message of gRPC. */
const PREFIX_BYTES = 5

/** Returns the sizes of the two messages of a call. Undefined for a stream, which Dapr does not count. */
const messageBytes = ({call, calleeMethod, requestBytes, responseBytes}: CallRecord): FinishedGrpcCall['bytes'] => {
  if (call.isProxied === true) return undefined
  const prefix = calleeMethod === undefined ? 0 : PREFIX_BYTES
  return {request: Math.max(0, requestBytes - prefix), response: Math.max(0, responseBytes - prefix)}
}

/** Time in ms within which the text of the metrics is rendered at most `MAX_RENDERED` times. */
const WINDOW_MS = 100
const MAX_RENDERED = 5

/** Counts the calls of one sidecar from their records. Disabled metrics count nothing. */
export class CallMetrics extends SidecarMetrics {
  readonly #appId: string
  readonly #settings: MetricsSettings
  #text = ''
  /** How often the text was rendered since `#since` (`performance.now()`). */
  #rendered = 0
  #since = -Infinity

  /** Counts for one app. `namespace`: of its sidecar. */
  constructor(appId: string, namespace: string, settings: MetricsSettings) {
    super(appId, namespace, settings)
    this.#appId = appId
    this.#settings = settings
  }

  /** Returns the metrics in Prometheus' text format. Repeats an earlier text if it is asked too often, so that calls do not wait. */
  override text(now = performance.now()): string {
    if (now - this.#since > WINDOW_MS) [this.#since, this.#rendered] = [now, 0]
    if (this.#rendered++ < MAX_RENDERED) this.#text = super.text()
    return this.#text
  }

  /** Counts an HTTP request to the sidecar, except calls of other runs' sidecars. */
  served(record: CallRecord): void {
    const {call, request, status, startedAt, endedAt, requestBytes, responseBytes, failure} = record
    if (!this.#settings.isEnabled || call.caller !== this.#appId) return
    if (record.grpcStatus !== undefined) return this.#servedGrpc(record, record.grpcStatus)
    const elapsedMs = endedAt - startedAt
    const code = status === 0 ? NO_STATUS : status
    this.http.served({verb: request.method, path: request.path, status: code, requestBytes, responseBytes, elapsedMs})
    this.#called(record, code, 'unary')
    if (failure !== '' && this.#settings.hasErrorCodes) this.#failed(call.callee, failure)
  }

  /** Counts each attempt, which is a request from one sidecar to another. */
  #called(record: CallRecord, code: number, type: 'unary' | 'streaming'): void {
    const {call, calleeMethod, earlier, isRemote, startedAt, admittedAt, endedAt} = record
    const {invocation} = this
    const since = earlier === undefined ? startedAt : admittedAt
    if (isRemote) invocation.called(call.callee, code, endedAt - since, type)
    if (earlier === undefined) return
    for (const attempt of earlier) {
      const {status, admittedAt: from, endedAt: to} = attempt
      const shown = calleeMethod === undefined ? status || NO_STATUS : status
      if (attempt.isRemote) invocation.called(call.callee, shown, to - from, type)
    }
  }

  #servedGrpc(record: CallRecord, code: number): void {
    const {request, calleeMethod, status, startedAt, endedAt} = record
    const elapsedMs = endedAt - startedAt
    const bytes = messageBytes(record)
    this.grpc.served({method: request.path, status: codeText(code), elapsedMs, bytes})
    // an app that speaks HTTP has answered with an HTTP status
    const shown = calleeMethod === undefined && status !== 0 ? status : code
    this.#called(record, shown, record.isStream ? 'streaming' : 'unary')
  }

  /** Counts a call to the sidecar's app, or to an external endpoint. */
  sent(record: CallRecord): void {
    const {call, status, admittedAt, firstByteAt, endedAt, requestBytes, responseBytes, calleeMethod} = record
    if (!this.#settings.isEnabled) return
    if (calleeMethod !== undefined) {
      const code = codeText(record.grpcStatus ?? 0)
      const elapsedMs = endedAt - admittedAt
      return this.grpc.sent({method: calleeMethod, status: code, elapsedMs, bytes: messageBytes(record)})
    }
    const code = firstByteAt === 0 || status === 0 ? NO_STATUS : status
    this.http.sent({
      verb: call.method,
      path: call.path,
      status: code,
      requestBytes,
      responseBytes,
      elapsedMs: endedAt - admittedAt
    })
  }

  /** Counts a call to an app that speaks gRPC, for a caller that uses HTTP. */
  invoked({method, code, elapsedMs, requestBytes, responseBytes}: GrpcInvocation): void {
    if (!this.#settings.isEnabled) return
    const bytes = {request: requestBytes, response: responseBytes}
    this.grpc.sent({method, status: codeText(code), elapsedMs, bytes})
  }

  /** Counts a call to the app, perhaps for another app's sidecar. `isGrpc`: the app speaks gRPC; then calls over HTTP count in `invoked`. */
  answered(record: CallRecord, isGrpc: boolean): void {
    if (!isGrpc || record.calleeMethod !== undefined) this.sent(record)
    const {call, status, calleeMethod, grpcStatus = 0} = record
    if (!this.#settings.isEnabled || call.caller === this.#appId) return
    this.invocation.answered(call.caller, calleeMethod === undefined ? status || NO_STATUS : grpcStatus)
  }

  decided(decision: AccessDecision, caller: Caller | undefined): void {
    if (this.#settings.isEnabled) this.invocation.decided(decision, caller)
  }

  /** Counts a health check; status 0: no answer. */
  probed(status: number, elapsedMs: number): void {
    if (this.#settings.isEnabled) this.http.probed(status === 0 ? NO_STATUS : status, elapsedMs)
  }

  /** Counts the error code of a failed call, with which error responses of the sidecar itself begin. */
  #failed(callee: string, failure: string): void {
    const code = callee === '' ? (/^\{"errorCode":"(\w+)"/.exec(failure)?.[1] ?? '') : 'ERR_DIRECT_INVOKE'
    if (code !== '') this.failed(code, errorCategory(code))
  }
}

const CATEGORIES = (Object.values(API) as BlockApi[])
  .flatMap(({errors}) => (errors === undefined ? [] : [errors.split(' ')]))
  .map(([parts = '', category = '']) => ({parts: parts.split('|'), category}))

export const errorCategory = (code: string): string =>
  CATEGORIES.find(({parts}) => parts.some(part => code.includes(part)))?.category ?? 'common'
