import {bugText} from '../../net/error-boundary.ts'
import {messageOf} from '../../model/errors.ts'
import type {ResponseHead} from '../../net/http1/response-head.ts'
import {withoutFields} from '../../net/http1/header-lines.ts'
import {TOO_LARGE, type Exchange, type CallHandler} from '../../net/http1/http1-call.ts'
import type {Copy, CopyOf} from '../../net/mirror.ts'
import type {Reply} from '../../net/reply.ts'
import type {Failure} from '../../net/http1/upstream.ts'
import type {Admission, Admit, Admitted, Held} from '../../gateway/admission.ts'
import {answerRules, HAS_CONTENT_TYPE, HAS_TRACEPARENT, type RequestFields} from './fields.ts'
import {channelError, invokeError} from './errors.ts'
import type {Target} from './target.ts'

/** Takes copies of the calls to an app for its shadows; undefined where it has none. */
export type CopierOf = (callee: string) => ((of: CopyOf) => Copy) | undefined

/** What all calls through one sidecar have in common. */
export interface SidecarContext {
  readonly appId: string
  readonly admit: Admit
  readonly maxBodyBytes: number
  /** The own app's APP_API_TOKEN, '' = none. */
  readonly appToken: string
  readonly warn: (text: string) => void
  readonly copierOf?: CopierOf | undefined
  /** The lines that introduce this sidecar to a callee. */
  callerHeaders(callee: string, isLocal: boolean): string
  /** Keeps account of bodies that wait: false = no room for this one. */
  hold(bytes: number): boolean
  release(bytes: number): void
}

export interface InvocationOptions {
  readonly sidecar: SidecarContext
  /** As the caller sent it. */
  readonly method: string
  readonly target: Target
  readonly fields: Pick<RequestFields, 'lines' | 'length' | 'framing' | 'apiToken' | 'baggage'>
  /** For the callee; '' = passed as the caller sent them. */
  readonly trace: string
  /** For the caller, where the app says nothing itself. */
  readonly answerTrace: string
  /** More lines for the callee: what asks for a websocket. */
  readonly extraLines: string
  readonly exchange: (handler: CallHandler) => Exchange
}

const VERBS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])

/** Dapr knows eight verbs; any other one reaches the app as POST (pkg/messaging/v1/invoke_method_request.go). */
export const verbOf = (method: string): string => (VERBS.has(method) ? method : 'POST')

const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH'])

/** What node reads ahead of a body that nobody takes. */
const READ_AHEAD = 131_072

/** Refusals in a row from a queue that lets through at once: then it is no queue. */
const MAX_REFUSALS = 3

const BAD_GATEWAY = 502

const isHeld = (answer: Admission | Held): answer is Held => 'admitted' in answer

/** One call through a sidecar: asks the callee's queue, sends it on, and sees to the contract's headers both ways. */
export class Invocation implements CallHandler {
  readonly rules = answerRules
  readonly copy: Copy | undefined
  readonly #options: InvocationOptions
  readonly #method: string
  readonly #exchange: Exchange
  #admitted: Admitted | undefined
  #held: Held | undefined
  #heldBytes = 0
  #refusals = 0
  #isOver = false
  /** The callee ended the connection under this call. */
  #isBroken = false

  constructor(options: InvocationOptions) {
    this.#options = options
    this.#method = verbOf(options.method)
    this.copy = this.#copy()
    this.#exchange = options.exchange(this)
  }

  /** Asks to be let through, and goes. */
  start(isRefused = false): void {
    const {sidecar, target, fields} = this.#options
    const {maxBodyBytes} = sidecar
    if (target.fault !== '') return this.#reply(invokeError(target.sentId, target.fault))
    if (maxBodyBytes > 0 && fields.length > maxBodyBytes) return this.failed(TOO_LARGE)
    const answer = sidecar.admit({
      caller: sidecar.appId,
      callee: target.id,
      method: this.#method,
      path: target.path,
      refused: isRefused
    })
    if (isHeld(answer)) this.#wait(answer)
    else this.#go(answer)
  }

  fieldsFor(answer: ResponseHead): string {
    const {fields, answerTrace} = this.#options
    this.#isBroken = false
    let lines = answer.fields
    if ((answer.flags & HAS_TRACEPARENT) === 0) lines += answerTrace
    if (fields.baggage.length > 0) lines += `Baggage: ${fields.baggage.join(',')}\r\n`
    // An error whose body Dapr would have read whole.
    if (answer.status >= 400 && fields.length >= 0 && (answer.flags & HAS_CONTENT_TYPE) === 0) {
      lines += 'Content-Type: application/json\r\n'
    }
    return lines
  }

  refused(why: string): void {
    const isStubborn = this.#held === undefined && ++this.#refusals >= MAX_REFUSALS
    if (isStubborn) return this.#fail(why)
    this.#leave()
    this.start(true)
  }

  resent(): void {
    this.#isBroken = true
  }

  failed(why: string, failure?: Failure): void {
    const isAnswered = failure === 'bad-status'
    this.#isBroken = why !== TOO_LARGE && !isAnswered
    this.#fail(why, isAnswered ? BAD_GATEWAY : undefined)
  }

  #fail(why: string, status?: number): void {
    const {target} = this.#options
    const error = why === TOO_LARGE ? why : this.#describe(why)
    this.#reply(invokeError(target.sentId, error, status))
  }

  cut(why: string): void {
    const {sidecar, target} = this.#options
    this.#isBroken = true
    sidecar.warn(`${target.id} broke off its answer to ${sidecar.appId}, who was cut off: ${this.#describe(why)}`)
  }

  crashed(error: unknown): void {
    this.#options.sidecar.warn(bugText(error))
  }

  over(): void {
    this.#isOver = true
    this.#letGo()
    this.#leave()
  }

  #describe(why: string): string {
    const {pool, isLocal = false, outside, pathPrefix = ''} = this.#admitted ?? {}
    return channelError({
      isLocal,
      method: this.#method,
      scheme: pool?.dial?.scheme ?? 'http',
      authority: pool?.authority ?? '',
      path: outside === undefined ? this.#options.target.path : this.#outsidePath(pathPrefix, outside.root),
      why: pool === undefined || pool.hint === '' ? why : `${why} (${pool.hint})`
    })
  }

  #wait(held: Held): void {
    const {sidecar, fields, target} = this.#options
    const bytes = fields.length < 0 ? READ_AHEAD : Math.min(fields.length, READ_AHEAD)
    this.#held = held
    if (!sidecar.hold(bytes)) {
      held.cancel()
      this.#held = undefined
      return this.#reply(invokeError(target.sentId, 'too much is waiting for this app already'))
    }
    this.#heldBytes = bytes
    void this.#await(held)
  }

  async #await(held: Held): Promise<void> {
    let answer: Admission
    try {
      answer = await held.admitted
    } catch (error) {
      answer = {ok: false, status: 500, error: messageOf(error)}
    }
    try {
      this.#arrived(answer)
    } catch (error) {
      this.#exchange.crash(error)
    }
  }

  #arrived(answer: Admission): void {
    if (this.#isOver) {
      if (answer.ok) answer.leave()
      return
    }
    this.#held = undefined
    this.#refusals = 0
    this.#letGo()
    this.#go(answer)
  }

  #go(answer: Admission): void {
    const {target, fields} = this.#options
    if (!answer.ok) return this.#reply(invokeError(target.sentId, answer.error, answer.status))
    if (this.#isOver) return answer.leave()
    this.#admitted = answer
    const {sidecar, extraLines} = this.#options
    const framing = fields.framing === '' && TAKES_BODY.has(this.#method) ? 'Content-Length: 0\r\n' : fields.framing
    if (answer.outside !== undefined) return this.#goOut(answer, answer.outside, framing)
    const callerHeaders = sidecar.callerHeaders(target.id, answer.isLocal) + (answer.callerLine ?? '')
    this.#exchange.send(answer.pool, `${this.#head(answer, callerHeaders)}${extraLines}${framing}\r\n`)
  }

  /** To somebody who is no app: no token travels, and no name of ours. */
  #goOut({pool, pathPrefix}: Admitted, outside: NonNullable<Admitted['outside']>, framing: string): void {
    const {trace, fields} = this.#options
    const path = this.#outsidePath(pathPrefix, outside.root)
    const lines = outside.names.length === 0 ? fields.lines : withoutFields(fields.lines, outside.names)
    this.#exchange.send(
      pool,
      `${this.#method} ${path} HTTP/1.1\r\nHost: ${pool.authority}\r\n${lines}${outside.lines}${trace}${framing}\r\n`
    )
  }

  /** Nothing is added to a base path where no method is called. */
  #outsidePath(prefix: string, root: string): string {
    const {path} = this.#options.target
    return path === '/' || path.startsWith('/?') ? root + path.slice(1) : prefix + path
  }

  /** Up to the lines that tell the body's length. */
  #head(
    {pool, pathPrefix, isLocal, token: own}: Pick<Admitted, 'pool' | 'pathPrefix' | 'isLocal' | 'token'>,
    callerHeaders: string
  ): string {
    const {sidecar, trace, target, fields} = this.#options
    const token = own || (isLocal && sidecar.appToken) || fields.apiToken
    const tokenLine = token === '' ? '' : `Dapr-Api-Token: ${token}\r\n`
    return `${this.#method} ${pathPrefix}${target.path} HTTP/1.1\r\nHost: ${pool.authority}\r\n${fields.lines}${trace}${callerHeaders}${tokenLine}`
  }

  /** Of a plain call, for the shadows of its callee. */
  #copy(): Copy | undefined {
    const {sidecar, target, extraLines} = this.#options
    const take = extraLines === '' && target.fault === '' ? sidecar.copierOf?.(target.id) : undefined
    return take?.({
      method: this.#method,
      path: target.path,
      headFor: pool => {
        const isLocal = sidecar.appId === target.id
        return this.#head(
          {pool, pathPrefix: '', isLocal, token: sidecar.appToken},
          sidecar.callerHeaders(target.id, isLocal)
        )
      }
    })
  }

  #reply(answer: Reply): void {
    this.#exchange.reply({...answer, lines: answer.lines + this.#options.answerTrace})
  }

  #leave(): void {
    const admitted = this.#admitted
    this.#admitted = undefined
    admitted?.leave(this.#isBroken)
    this.#isBroken = false
  }

  /** Waits no more. */
  #letGo(): void {
    this.#held?.cancel()
    this.#held = undefined
    this.#options.sidecar.release(this.#heldBytes)
    this.#heldBytes = 0
  }
}
