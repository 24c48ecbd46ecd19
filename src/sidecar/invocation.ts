import {messageOf} from '../errors.ts'
import type {AnswerHead} from '../wire/answer.ts'
import {withoutFields} from '../wire/bytes.ts'
import {TOO_LARGE, type Carrier, type Conduct} from '../wire/forwarding.ts'
import type {Copy, CopyOf} from '../wire/mirror.ts'
import type {Reply} from '../wire/reply.ts'
import type {Failure} from '../wire/upstream.ts'
import type {Admission, Admit, Admitted, Held} from './admission.ts'
import {answerRules, HAS_CONTENT_TYPE, HAS_TRACEPARENT, type RequestFields} from './fields.ts'
import {channelError, invokeError} from './reply.ts'
import type {Target} from './target.ts'

/** Takes copies of the calls to an app for its shadows; undefined where it has none. */
export type CopierOf = (callee: string) => ((of: CopyOf) => Copy) | undefined

/** What all calls through one door have in common. */
export interface Door {
  readonly appId: string
  readonly admit: Admit
  readonly maxBodyBytes: number
  /** The own app's APP_API_TOKEN, '' = none. */
  readonly appToken: string
  readonly warn: (text: string) => void
  readonly copierOf?: CopierOf | undefined
  /** The lines that introduce this door to a callee. */
  introduce(callee: string, isLocal: boolean): string
  /** Keeps account of bodies that wait: false = no room for this one. */
  hold(bytes: number): boolean
  release(bytes: number): void
}

export interface InvocationOptions {
  readonly door: Door
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
  readonly carrier: (conduct: Conduct) => Carrier
}

const VERBS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])

/** Dapr knows eight verbs; any other one reaches the app as POST (pkg/messaging/v1/invoke_method_request.go). */
export const verbOf = (method: string): string => (VERBS.has(method) ? method : 'POST')

const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH'])

/** What node reads ahead of a body that nobody takes. */
const READ_AHEAD = 131_072

/** Refusals in a row from a gate that lets through at once: then it is no gate. */
const REFUSALS_MOST = 3

const BAD_GATEWAY = 502

const isHeld = (answer: Admission | Held): answer is Held => 'admitted' in answer

/** One call through a door: asks the callee's gate, sends it on, and sees to the contract's headers both ways. */
export class Invocation implements Conduct {
  readonly rules = answerRules
  readonly copy: Copy | undefined
  readonly #options: InvocationOptions
  readonly #method: string
  readonly #carrier: Carrier
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
    this.#carrier = options.carrier(this)
  }

  /** Asks to be let through, and goes. */
  start(isRefused = false): void {
    const {door, target, fields} = this.#options
    const {maxBodyBytes} = door
    if (target.fault !== '') return this.#reply(invokeError(target.sentId, target.fault))
    if (maxBodyBytes > 0 && fields.length > maxBodyBytes) return this.failed(TOO_LARGE)
    const answer = door.admit({
      caller: door.appId,
      callee: target.id,
      method: this.#method,
      path: target.path,
      refused: isRefused
    })
    if (isHeld(answer)) this.#wait(answer)
    else this.#go(answer)
  }

  fieldsFor(answer: AnswerHead): string {
    const {fields, answerTrace} = this.#options
    this.#isBroken = false
    let lines = answer.fields
    if ((answer.marks & HAS_TRACEPARENT) === 0) lines += answerTrace
    if (fields.baggage.length > 0) lines += `Baggage: ${fields.baggage.join(',')}\r\n`
    // An error whose body Dapr would have read whole.
    if (answer.status >= 400 && fields.length >= 0 && (answer.marks & HAS_CONTENT_TYPE) === 0) {
      lines += 'Content-Type: application/json\r\n'
    }
    return lines
  }

  refused(why: string): void {
    const isStubborn = this.#held === undefined && ++this.#refusals >= REFUSALS_MOST
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
    const {door, target} = this.#options
    this.#isBroken = true
    door.warn(`${target.id} broke off its answer to ${door.appId}, who was cut off: ${this.#describe(why)}`)
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
      path: (outside === undefined ? '' : pathPrefix) + this.#options.target.path,
      why
    })
  }

  #wait(held: Held): void {
    const {door, fields, target} = this.#options
    const bytes = fields.length < 0 ? READ_AHEAD : Math.min(fields.length, READ_AHEAD)
    this.#held = held
    if (!door.hold(bytes)) {
      held.cancel()
      this.#held = undefined
      return this.#reply(invokeError(target.sentId, 'too much is waiting for this app already'))
    }
    this.#heldBytes = bytes
    void this.#await(held)
  }

  async #await(held: Held): Promise<void> {
    try {
      this.#arrived(await held.admitted)
    } catch (error) {
      this.#arrived({ok: false, status: 500, error: messageOf(error)})
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
    const {door, extraLines} = this.#options
    const framing = fields.framing === '' && TAKES_BODY.has(this.#method) ? 'Content-Length: 0\r\n' : fields.framing
    if (answer.outside !== undefined) return this.#goOut(answer, answer.outside, framing)
    const introduction = door.introduce(target.id, answer.isLocal) + (answer.callerLine ?? '')
    this.#carrier.send(answer.pool, `${this.#head(answer, introduction)}${extraLines}${framing}\r\n`)
  }

  /** To somebody who is no app: no token travels, and no name of ours. */
  #goOut({pool, pathPrefix}: Admitted, outside: NonNullable<Admitted['outside']>, framing: string): void {
    const {trace, target, fields} = this.#options
    const lines = outside.names.length === 0 ? fields.lines : withoutFields(fields.lines, outside.names)
    this.#carrier.send(
      pool,
      `${this.#method} ${pathPrefix}${target.path} HTTP/1.1\r\nHost: ${pool.authority}\r\n${lines}${outside.lines}${trace}${framing}\r\n`
    )
  }

  /** Up to the lines that tell the body's length. */
  #head(
    {pool, pathPrefix, isLocal, token: own}: Pick<Admitted, 'pool' | 'pathPrefix' | 'isLocal' | 'token'>,
    introduction: string
  ): string {
    const {door, trace, target, fields} = this.#options
    const token = own || (isLocal && door.appToken) || fields.apiToken
    const tokenLine = token === '' ? '' : `Dapr-Api-Token: ${token}\r\n`
    return `${this.#method} ${pathPrefix}${target.path} HTTP/1.1\r\nHost: ${pool.authority}\r\n${fields.lines}${trace}${introduction}${tokenLine}`
  }

  /** Of a plain call, for the shadows of its callee. */
  #copy(): Copy | undefined {
    const {door, target, extraLines} = this.#options
    const take = extraLines === '' && target.fault === '' ? door.copierOf?.(target.id) : undefined
    return take?.({
      method: this.#method,
      path: target.path,
      headFor: pool => {
        const isLocal = door.appId === target.id
        return this.#head({pool, pathPrefix: '', isLocal, token: door.appToken}, door.introduce(target.id, isLocal))
      }
    })
  }

  #reply(answer: Reply): void {
    this.#carrier.reply({...answer, lines: answer.lines + this.#options.answerTrace})
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
    this.#options.door.release(this.#heldBytes)
    this.#heldBytes = 0
  }
}
