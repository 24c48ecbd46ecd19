import {hostname} from 'node:os'
import {messageOf} from '../model/errors.ts'
import {bugText} from '../net/error-boundary.ts'
import type {ResponseHead} from '../net/http1/response-head.ts'
import type {Exchange, CallHandler} from '../net/http1/http1-call.ts'
import type {Copy} from '../net/mirror.ts'
import type {Failure} from '../net/http1/upstream.ts'
import type {Admission, Admitted, Held, Service} from './admission.ts'
import {answerRules, HAS_LOCATION, type CallFields} from './fields.ts'
import {BAD_GATEWAY, NOT_FOUND} from './replies.ts'
import {rewriteLocation, type Target} from './target.ts'

export interface ServiceCallOptions {
  readonly sidecar: {readonly caller: string; readonly warn: (text: string) => void}
  readonly service: Service
  readonly method: string
  readonly target: Target
  readonly fields: CallFields
  /** More lines for the service: what asks for a websocket. */
  readonly extraLines: string
  readonly exchange: (handler: CallHandler) => Exchange
}

const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH'])

/** Refusals in a row from a queue that lets through at once: then it is no queue. */
const MAX_REFUSALS = 3

const SERVER = hostname()

/** One call to a service: waits for its queue, sends it on without the prefix, and shows redirects with it. */
export class ServiceCall implements CallHandler {
  readonly rules = answerRules
  readonly copy: Copy | undefined
  readonly #options: ServiceCallOptions
  readonly #exchange: Exchange
  #admitted: Admitted | undefined
  #held: Held | undefined
  #refusals = 0
  #isOver = false
  #isBroken = false

  constructor(options: ServiceCallOptions) {
    const {service, method, target, extraLines} = options
    this.#options = options
    const isPlain = extraLines === ''
    this.copy = isPlain ? service.copy?.({method, path: target.path, headFor: () => this.#head()}) : undefined
    this.#exchange = options.exchange(this)
  }

  /** Asks to be let through, and goes. */
  start(isRefused = false): void {
    const {sidecar, service, method, target} = this.#options
    const answer = service.admit({caller: sidecar.caller, method, path: target.path, refused: isRefused})
    if (!('admitted' in answer)) return this.#go(answer)
    this.#held = answer
    void this.#await(answer)
  }

  fieldsFor(answer: ResponseHead): string {
    if ((answer.flags & HAS_LOCATION) === 0) return answer.fields
    const {service, target, fields} = this.#options
    const {name, version} = service
    return answer.fields.replaceAll(
      /^(location:[ \t]*)(.*?)[ \t]*\r$/gim,
      (_, start: string, location: string) =>
        `${start}${rewriteLocation({location, host: fields.host, name, version, segment: target.segment})}\r`
    )
  }

  refused(why: string): void {
    if (this.#held === undefined && ++this.#refusals >= MAX_REFUSALS) return this.#fail(why)
    this.#leave()
    this.start(true)
  }

  resent(): void {
    this.#isBroken = true
  }

  failed(why: string, failure?: Failure): void {
    const isAnswered = failure === 'bad-status'
    this.#isBroken = !isAnswered
    this.#fail(why, isAnswered ? {...BAD_GATEWAY, body: `${BAD_GATEWAY.body}: ${why}`} : BAD_GATEWAY)
  }

  cut(why: string): void {
    this.#isBroken = true
    this.#options.sidecar.warn(`${this.#names()}: the answer broke off, and the caller was cut off: ${why}`)
  }

  crashed(error: unknown): void {
    this.#options.sidecar.warn(`${this.#names()}: ${bugText(error)}`)
  }

  over(): void {
    this.#isOver = true
    this.#held?.cancel()
    this.#held = undefined
    this.#leave()
  }

  #names(): string {
    const {method, target} = this.#options
    return `${method} /services/${target.segment}${target.path}`
  }

  async #await(held: Held): Promise<void> {
    let answer: Admission
    try {
      answer = await held.admitted
    } catch (error) {
      answer = {ok: false, isUnknown: false, error: messageOf(error)}
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
    this.#go(answer)
  }

  #go(answer: Admission): void {
    if (!answer.ok) return answer.isUnknown ? this.#exchange.reply(NOT_FOUND) : this.#fail(answer.error)
    if (this.#isOver) return answer.leave()
    this.#admitted = answer
    const {fields, method, extraLines} = this.#options
    const {length, hasLength} = fields
    const framing =
      length < 0
        ? 'Transfer-Encoding: chunked\r\n'
        : hasLength || TAKES_BODY.has(method)
          ? `Content-Length: ${length.toString()}\r\n`
          : ''
    this.#exchange.send(answer.pool, `${this.#head(answer.pathPrefix)}${answer.lines}${extraLines}${framing}\r\n`)
  }

  /** Without the lines that tell the body's length, and without the empty line. */
  #head(pathPrefix = ''): string {
    const {fields, method, target} = this.#options
    const {host, lines, peer} = fields
    const port = /:(\d+)$/.exec(host)?.[1] ?? '80'
    return (
      `${method} ${pathPrefix}${target.path} HTTP/1.1\r\nHost: ${host}\r\n${lines}` +
      `X-Forwarded-For: ${peer}\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\n` +
      `X-Forwarded-Prefix: /services/${target.segment}\r\nX-Forwarded-Proto: http\r\n` +
      `X-Forwarded-Server: ${SERVER}\r\nX-Real-Ip: ${peer}\r\n`
    )
  }

  #fail(why: string, answer = BAD_GATEWAY): void {
    this.#options.sidecar.warn(`${this.#names()}: ${why}`)
    this.#exchange.reply(answer)
  }

  #leave(): void {
    const admitted = this.#admitted
    this.#admitted = undefined
    admitted?.leave(this.#isBroken)
    this.#isBroken = false
  }
}
