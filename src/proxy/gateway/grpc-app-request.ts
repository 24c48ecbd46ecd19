import {encodeField} from '#h2-frames'
import type {Hit} from '../faults/hit.ts'
import type {Call, SentRequest} from '../../model/call.ts'
import {codeText} from '../../model/grpc-code.ts'
import type {BrokenResponse} from '../net/broken-response.ts'
import type {CallJournal} from '../net/call-journal.ts'
import {bugText} from '../../model/errors.ts'
import {clientsOf} from '../net/grpc/clients-of.ts'
import {headFields} from '../net/grpc/head-fields.ts'
import {framed, PREFIX_BYTES} from '../net/grpc/message-gauge.ts'
import {OK, UNAVAILABLE, type GrpcStatus} from '../net/grpc/status.ts'
import {UnaryCall, type UnaryOutcome} from '../net/grpc/unary-call.ts'
import type {Admission, Admitted, Denied, Held} from './admission.ts'
import type {CallContext} from './call-context.ts'
import {RESET} from './faulted-call.ts'
import {grpcStatusOf} from './faulted-grpc-call.ts'
import {attemptInterceptor, type CallOutcome} from './interceptor.ts'
import type {AttemptControl} from './interceptors/resiliency/attempt.ts'
import {admitTo, type Callee} from './local-apps.ts'
import {Passage, type Passenger} from './passage.ts'

export interface GrpcAppRequestOptions {
  readonly app: Callee
  /** The observer of the call, and the faults that may hit it. */
  readonly context?: Pick<CallContext, 'observer' | 'faults'>
  /** The caller in the record, a topic or a binding; left out: the sidecar. */
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
const GIVEN_UP = 'it was given up'
const NOTHING = Buffer.alloc(0)

/** A call of the sidecar to its own app over gRPC. Like every call, it waits while the app starts or reloads. */
class GrpcAppRequest implements Passenger {
  readonly #options: GrpcAppRequestOptions
  readonly #done: (response: GrpcAppResponse) => void
  readonly #call: Call
  readonly #journal: CallJournal
  readonly #passage: Passage
  #unary: UnaryCall | undefined
  #answer: Answered | undefined
  #wasSent = false

  constructor(options: GrpcAppRequestOptions, done: (response: GrpcAppResponse) => void) {
    const {app, path, from, message, context = {}} = options
    const call: Call = {caller: app.id, callee: app.id, method: 'POST', path, isOwn: true, isGrpc: true, from}
    const request: SentRequest = {protocol: 'none', method: 'POST', path, lines: ''}
    this.#options = options
    this.#done = done
    this.#call = call
    this.#passage = new Passage(this, {...context, recorded: countedByCallee}, {call, request})
    this.#journal = this.#passage.journal
    this.#journal.status = 200
    this.#journal.calleeMethod = path
    this.#journal.requestBytes = message.length
  }

  start(): void {
    const {attempt} = this.#options
    this.#journal.begun()
    if (attempt !== undefined) this.#passage.under(this.#call, attemptInterceptor(attempt))
    this.#passage.start()
  }

  /** The requester no longer waits. */
  abandon(): void {
    if (this.#passage.isOver) return
    this.drop()
    this.#unreachable(GIVEN_UP)
  }

  ask(isRefused: boolean): Admission | Held {
    if (isRefused) this.#options.app.recheck()
    return admitTo(this.#options.app, this.#call)
  }

  protocolAt(): 'gRPC' {
    return 'gRPC'
  }

  send({pool, token}: Admitted): void {
    const {path, fields, message, warn} = this.#options
    const tokenField = token === '' ? '' : encodeField('dapr-api-token', token)
    this.#journal.attempts++
    this.#wasSent = true
    const unary = new UnaryCall({
      clients: clientsOf(pool, warn),
      block: headFields(pool, path, 'application/grpc') + fields + tokenField,
      message,
      maxBytes: MAX_ANSWER_BYTES,
      opened: () => this.#opened(),
      responded: () => (this.#journal.firstByteAt = performance.now()),
      done: outcome => this.#answered(outcome),
      refused: why => this.#refused(why)
    })
    this.#unary = unary
    unary.start()
  }

  denied(denied: Denied): void {
    this.#passage.settle({kind: 'denied', denied})
  }

  struck(hit: Hit): void {
    this.#wasSent = hit.kind === 'abort'
    if (hit.kind === 'abort') this.#fail(RESET)
    else this.#settle({kind: 'answer', status: grpcStatusOf(hit), message: NOTHING})
  }

  drop(): void {
    this.#unary?.cancel()
  }

  conclude(outcome: CallOutcome): void {
    if (outcome.kind === 'denied') this.#unreachable(outcome.denied.error)
    else if (outcome.kind === 'ended') this.#unreachable(outcome.reason)
    else if (outcome.kind === 'failed') this.#unreachable(outcome.why)
    else if (this.#answer !== undefined) this.#over(this.#answer.status, this.#answer)
  }

  crash(error: unknown): void {
    this.#options.warn(bugText(error))
    this.#unreachable('an internal error')
  }

  #opened(): void {
    const {observer} = this.#journal
    this.#journal.connectedAt = performance.now()
    observer?.text(this.#call, 'request', framed(this.#options.message))
    this.#passage.broken?.opened?.()
  }

  #refused(why: string): void {
    this.#wasSent = false
    if (!this.#passage.refused()) this.#fail(why)
  }

  #answered({status, message, isCut}: UnaryOutcome): void {
    if (message.length > 0) this.#journal.observer?.text(this.#call, 'response', framed(message))
    this.#journal.responseBytes = message.length
    const {broken} = this.#passage
    if (isCut) this.#cut(status.message).catch((error: unknown) => this.crash(error))
    else if (broken !== undefined && !isWhole(message, broken)) this.#fail('cut by a fault')
    else this.#settle({kind: 'answer', status, message})
  }

  /** The connection broke off. If the process has ended, the reason says how. */
  async #cut(why: string): Promise<void> {
    const explained = this.#passage.explained(why)
    this.#passage.isBroken = true
    this.#passage.leave()
    this.#fail(await explained)
  }

  #settle(answer: Answered): void {
    this.#answer = answer
    this.#passage.settle({kind: 'response', verdict: 'success', discard: () => undefined})
  }

  #fail(why: string): void {
    this.#passage.settle({kind: 'failed', why, failure: undefined})
  }

  #unreachable(why: string): void {
    this.#over({code: UNAVAILABLE, message: why}, {kind: 'unreachable', why, wasSent: this.#wasSent})
  }

  #over({code, message}: GrpcStatus, response: GrpcAppResponse): void {
    if (this.#passage.isOver) return
    this.#journal.grpcStatus = code
    this.#journal.failure = code === OK ? '' : message || codeText(code)
    this.#passage.over()
    this.#done(response)
  }
}

/** Does nothing: the app's own sidecar has made the call, which counts as answered by the app. */
const countedByCallee = (): void => undefined

/** Whether an answer is whole: it is one message, which may not break off. */
const isWhole = (message: Buffer, {left}: BrokenResponse): boolean => left >= 0 && PREFIX_BYTES + message.length <= left

/** Calls an app and resolves with its answer. Never rejects. */
export function requestGrpcApp(options: GrpcAppRequestOptions): Promise<GrpcAppResponse> {
  const {signal} = options
  return new Promise(resolve => {
    if (signal?.aborted === true) return resolve({kind: 'unreachable', why: GIVEN_UP, wasSent: false})
    const abandon = (): void => request.abandon()
    const request = new GrpcAppRequest(options, response => {
      signal?.removeEventListener('abort', abandon)
      resolve(response)
    })
    signal?.addEventListener('abort', abandon, {once: true})
    request.start()
  })
}
