import {encodeField} from '#h2-frames'
import type {Call, CallRecord, SentRequest} from '../model/call.ts'
import {codeText} from '../model/grpc-code.ts'
import type {BrokenResponse} from '../net/broken-response.ts'
import {clientsOf} from '../net/grpc/clients-of.ts'
import {headFields} from '../net/grpc/head-fields.ts'
import {framed, PREFIX_BYTES} from '../net/grpc/message-gauge.ts'
import {OK, UNAVAILABLE, type GrpcStatus} from '../net/grpc/status.ts'
import {UnaryCall, type UnaryOutcome} from '../net/grpc/unary-call.ts'
import {isHeld, type Admission, type Admitted, type Held} from './admission.ts'
import type {CallContext} from './call-context.ts'
import {brokenBy, delayOf, RESET} from './faulted-call.ts'
import {grpcStatusOf} from './faulted-grpc-call.ts'
import {howEnded} from './how-ended.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'
import {admitTo, type Callee} from './local-apps.ts'
import {Refusals} from './refusals.ts'

export interface GrpcAppRequestOptions {
  readonly app: Callee
  /** The observer of the call, and the faults that may hit it. */
  readonly context?: Pick<CallContext, 'observer' | 'faults'>
  /** What it is recorded as coming from: a topic, a binding; left out: the sidecar. */
  readonly from?: string | undefined
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
export type GrpcAppResponse = Answered | {readonly kind: 'unreachable'; readonly why: string; readonly wasSent: boolean}

interface Answered {
  readonly kind: 'answer'
  readonly status: GrpcStatus
  readonly message: Buffer
}

/** Dapr's callbacks never respond with more. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const GIVEN_UP: GrpcAppResponse = {kind: 'unreachable', why: 'it was given up', wasSent: false}

/** One call of the sidecar to its own app over gRPC. It waits while the app starts or reloads. Never rejects. */
export async function requestGrpcApp(options: GrpcAppRequestOptions): Promise<GrpcAppResponse> {
  const {app, path, from, context: {observer} = {}} = options
  const call: Call = {caller: app.id, callee: app.id, method: 'POST', path, isOwn: true, isGrpc: true, from}
  const times: Times = {startedAt: performance.now(), admittedAt: 0, connectedAt: 0, firstByteAt: 0, attempts: 0}
  observer?.started(call, requestOf(call), times.startedAt)
  const response = await respond(options, call, times)
  observer?.ended(recordOf(call, options.message.length, response, times))
  return response
}

/** Points of a call that were reached, 0: not yet. */
interface Times {
  readonly startedAt: number
  admittedAt: number
  connectedAt: number
  firstByteAt: number
  attempts: number
}

async function respond(options: GrpcAppRequestOptions, call: Call, times: Times): Promise<GrpcAppResponse> {
  const {app, attempt, context: {observer, faults} = {}} = options
  const end = endOf(options)
  const hit = faults?.active?.hit(call)
  const delay = hit && delayOf(hit)
  if (delay !== undefined) {
    observer?.held(call, delay.reason ?? '')
    await waited(delay, end)
  }
  if (isAborted(end)) return GIVEN_UP
  if (hit?.kind === 'status') return {kind: 'answer', status: grpcStatusOf(hit), message: NOTHING}
  if (hit?.kind === 'abort') return {kind: 'unreachable', why: RESET, wasSent: true}
  const refusals = new Refusals()
  for (;;) {
    if (isAborted(end)) return GIVEN_UP
    const asked = admitTo(app, call)
    if (isHeld(asked)) observer?.held(call, asked.reason ?? '')
    const admission = isHeld(asked) ? await admitted(asked, attempt, end) : asked
    if (isAborted(end) && admission.ok) {
      admission.leave()
      return GIVEN_UP
    }
    if (!admission.ok) return {kind: 'unreachable', why: admission.error, wasSent: false}
    times.admittedAt = performance.now()
    times.attempts++
    observer?.admitted(call, admission.pid ?? 0, times.admittedAt - times.startedAt)
    const broken = hit && brokenBy(hit, call, admission.pid)
    const outcome = await send(admission, options, {end, times, broken})
    if (typeof outcome !== 'string') return finished(outcome, {admission, options, call, times, broken})
    admission.leave()
    if (refusals.isLast(admission.pool)) return {kind: 'unreachable', why: outcome, wasSent: false}
    app.recheck()
  }
}

/** Records the answer of the app, and gives back the permit. */
function finished(
  {status, message: answer, isCut}: Exclude<Awaited<ReturnType<typeof send>>, string>,
  {admission, options, call, times, broken}: SentCall
): GrpcAppResponse | Promise<GrpcAppResponse> {
  const {message, context: {observer} = {}} = options
  if (observer !== undefined) {
    observer.text(call, 'request', framed(message))
    if (answer.length > 0) observer.text(call, 'response', framed(answer))
  }
  const response: Answered = {kind: 'answer', status, message: answer}
  admission.recorded?.(recordOf(call, message.length, response, times))
  admission.leave(isCut)
  return isCut ? cut(admission, status.message) : brokenOff(response, broken)
}

/** A call that was admitted and sent. */
interface SentCall {
  readonly admission: Admitted
  readonly options: GrpcAppRequestOptions
  readonly call: Call
  readonly times: Times
  readonly broken: BrokenResponse | undefined
}

/** An answer is one message: one that breaks off within it has not come. */
function brokenOff(response: Answered, broken: BrokenResponse | undefined): GrpcAppResponse {
  if (broken === undefined || (broken.left >= 0 && PREFIX_BYTES + response.message.length <= broken.left))
    return response
  return {kind: 'unreachable', why: 'cut by a fault', wasSent: true}
}

const NOTHING = Buffer.alloc(0)

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

/** Settles when the call is over, or cancelled. */
async function waited<T>(
  held: {readonly admitted: Promise<T>; cancel(): void},
  end: AbortSignal | undefined
): Promise<T> {
  const cancel = (): void => held.cancel()
  end?.addEventListener('abort', cancel, {once: true})
  const result = await held.admitted
  end?.removeEventListener('abort', cancel)
  return result
}

async function admitted(
  held: Held,
  attempt: AttemptControl | undefined,
  end: AbortSignal | undefined
): Promise<Admission> {
  if (held.isCounted !== true) attempt?.pause()
  const admission = await waited(held, end)
  attempt?.resume()
  return admission
}

interface Sending {
  readonly end: AbortSignal | undefined
  readonly times: Times
  readonly broken: BrokenResponse | undefined
}

/** A string is the reason why no connection was accepted. */
async function send(
  {pool, token}: Admitted,
  {path, fields, message, warn}: GrpcAppRequestOptions,
  {end, times, broken}: Sending
): Promise<UnaryOutcome | string> {
  return new Promise(resolve => {
    const tokenField = token === '' ? '' : encodeField('dapr-api-token', token)
    const cancel = (): void => {
      call.cancel()
      resolve({status: {code: 1, message: 'it was given up'}, head: '', message: NOTHING, isCut: true})
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
      opened: () => {
        times.connectedAt = performance.now()
        broken?.opened?.()
      },
      responded: () => (times.firstByteAt = performance.now()),
      done: settle,
      refused: settle
    })
    end?.addEventListener('abort', cancel, {once: true})
    call.start()
  })
}

const requestOf = ({path}: Call): SentRequest => ({method: 'POST', path, lines: ''})

function recordOf(call: Call, bytes: number, response: GrpcAppResponse, times: Times): CallRecord {
  const {status, message} =
    response.kind === 'answer' ? response : {status: {code: UNAVAILABLE, message: response.why}, message: NOTHING}
  return {
    call,
    request: requestOf(call),
    status: 200,
    grpcStatus: status.code,
    calleeMethod: call.path,
    ...times,
    endedAt: performance.now(),
    requestBytes: bytes,
    responseBytes: message.length,
    isRemote: false,
    trace: '',
    spans: undefined,
    failure: status.code === OK ? '' : status.message || codeText(status.code)
  }
}
