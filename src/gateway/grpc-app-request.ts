import type {Call} from '../model/call.ts'
import {codeText} from '../model/grpc-code.ts'
import {clientsOf} from '../net/grpc/clients-of.ts'
import {headFields} from '../net/grpc/head-fields.ts'
import {OK, type GrpcStatus} from '../net/grpc/status.ts'
import {UnaryCall, type UnaryOutcome} from '../net/grpc/unary-call.ts'
import {encodeField} from '../net/http2/field-text.ts'
import {isHeld, type Admission, type Admitted, type Held} from './admission.ts'
import {howEnded} from './how-ended.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'
import {admitTo, type Callee} from './local-apps.ts'

export interface GrpcAppRequestOptions {
  readonly app: Callee
  /** `/package.Service/Method` */
  readonly path: string
  /** Metadata, as fields of HTTP/2; without the token. */
  readonly fields: string
  readonly message: Uint8Array
  /** Gives up when it is aborted. */
  readonly signal?: AbortSignal | undefined
  /** The attempt of a policy that this request is: it can end it, and does not count the time in which it is held. */
  readonly attempt?: AttemptControl | undefined
  readonly warn: (text: string) => void
}

/** `unreachable`: the app was not asked, or has not answered; `wasSent`: it may have got the request. */
export type GrpcAppResponse =
  | {readonly kind: 'answer'; readonly status: GrpcStatus; readonly message: Buffer}
  | {readonly kind: 'unreachable'; readonly why: string; readonly wasSent: boolean}

/** An answer that is longer is none of what Dapr's callbacks give. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
/** Connections refused in a row although the queue admits at once: then the call fails. */
const MAX_REFUSALS = 3
const GIVEN_UP: GrpcAppResponse = {kind: 'unreachable', why: 'it was given up', wasSent: false}

/** One call of the sidecar to its own app over gRPC. It waits while the app starts or reloads. Never rejects. */
export async function requestGrpcApp(options: GrpcAppRequestOptions): Promise<GrpcAppResponse> {
  const {app, path, attempt} = options
  const end = endOf(options)
  const call: Call = {caller: app.id, callee: app.id, method: 'POST', path, isOwn: true}
  const startedAt = performance.now()
  for (let refusals = 0; ;) {
    if (isAborted(end)) return GIVEN_UP
    const asked = admitTo(app, call)
    if (isHeld(asked)) refusals = 0
    const admission = isHeld(asked) ? await admitted(asked, attempt, end) : asked
    if (isAborted(end) && admission.ok) {
      admission.leave()
      return GIVEN_UP
    }
    if (!admission.ok) return {kind: 'unreachable', why: admission.error, wasSent: false}
    const admittedAt = performance.now()
    const outcome = await send(admission, options, end)
    if (typeof outcome !== 'string') {
      record(admission, {call, outcome, startedAt, admittedAt, bytes: options.message.length})
      admission.leave(outcome.isCut)
      const {status, message, isCut} = outcome
      return isCut ? cut(admission, status.message) : {kind: 'answer', status, message}
    }
    admission.leave()
    if (++refusals >= MAX_REFUSALS) return {kind: 'unreachable', why: outcome, wasSent: false}
    app.recheck()
  }
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true

/** If the process has ended, that is known when this resolves. */
async function cut({pool: {process}}: Admitted, why: string): Promise<GrpcAppResponse> {
  const how = process === undefined ? '' : await howEnded(process)
  return {kind: 'unreachable', why: how === '' ? why : `${why} (${how})`, wasSent: true}
}

function endOf({signal, attempt}: GrpcAppRequestOptions): AbortSignal | undefined {
  if (attempt === undefined) return signal
  return signal === undefined ? attempt.signal : AbortSignal.any([signal, attempt.signal])
}

async function admitted(
  held: Held,
  attempt: AttemptControl | undefined,
  end: AbortSignal | undefined
): Promise<Admission> {
  const cancel = (): void => held.cancel()
  end?.addEventListener('abort', cancel, {once: true})
  if (held.isCounted !== true) attempt?.pause()
  const admission = await held.admitted
  attempt?.resume()
  end?.removeEventListener('abort', cancel)
  return admission
}

/** A text: why nobody took the connection. */
async function send(
  {pool, token}: Admitted,
  {path, fields, message, warn}: GrpcAppRequestOptions,
  end: AbortSignal | undefined
): Promise<UnaryOutcome | string> {
  return new Promise(resolve => {
    const tokenField = token === '' ? '' : encodeField('dapr-api-token', token)
    const cancel = (): void => {
      call.cancel()
      resolve({status: {code: 1, message: 'it was given up'}, head: '', message: Buffer.alloc(0), isCut: true})
    }
    const settle = (result: UnaryOutcome | string): void => {
      end?.removeEventListener('abort', cancel)
      resolve(result)
    }
    const call = new UnaryCall({
      clients: clientsOf(pool, warn),
      block: headFields(pool, path, 'application/grpc') + fields + tokenField,
      message,
      maxBytes: MAX_ANSWER_BYTES,
      done: settle,
      refused: settle
    })
    end?.addEventListener('abort', cancel, {once: true})
    call.start()
  })
}

interface Told {
  readonly call: Call
  readonly outcome: UnaryOutcome
  readonly startedAt: number
  readonly admittedAt: number
  readonly bytes: number
}

function record({recorded}: Admitted, {call, outcome, startedAt, admittedAt, bytes}: Told): void {
  const {status, message} = outcome
  const endedAt = performance.now()
  recorded?.({
    call,
    request: {method: 'POST', path: call.path, lines: ''},
    status: 200,
    grpcStatus: status.code,
    calleeMethod: call.path,
    attempts: 1,
    startedAt,
    admittedAt,
    connectedAt: admittedAt,
    firstByteAt: endedAt,
    endedAt,
    requestBytes: bytes,
    responseBytes: message.length,
    isRemote: false,
    trace: '',
    spans: undefined,
    failure: status.code === OK ? '' : status.message || codeText(status.code)
  })
}
