import type {Protocol} from '../../model/call-protocol.ts'
import type {SentRequest} from '../../model/call.ts'
import type {Admission, Admitted, Denied, Held} from '../gateway/admission.ts'
import type {CallContext} from '../gateway/call-context.ts'
import {ProxiedCall} from '../gateway/proxied-call.ts'
import type {Exchange} from '../net/exchange.ts'
import type {Failure} from '../net/upstream.ts'
import type {Pool} from '../net/pool.ts'
import {freshTrace} from '../net/grpc/fresh-traces.ts'
import type {PublishedConnection} from './published-connection.ts'
import {refusal} from './refusal.ts'
import type {VerbatimHead} from './verbatim-head.ts'

/** Data and functions that all calls to one app at a published port share. */
export interface PublishedContext extends CallContext {
  /** Id of the called app. */
  readonly callee: string
  admit(call: PublishedPortCall['call'], isRefused: boolean): Admission | Held
  /** Whether responses to callers that are not apps have a header with the number of their call; omitted: no. */
  readonly namesCalls?: () => boolean
  /** Whether the app accepts calls. */
  readonly isOpen: () => boolean
  /** Whether a port number is the one of the app's process or its published port; omitted: always false. */
  readonly isOwnPort?: (port: number) => boolean
  /** Returns the last log lines of the app, for a caller that gets no response from it. */
  readonly lastLines: () => readonly string[]
  /** Returns advice for a caller that gets no response; '': none. */
  readonly hint?: () => string
  readonly warn: (text: string) => void
  /** Returns the other app that answers a path, by a route in the template; undefined: the called app answers. */
  readonly routed?: (path: string) => Routed | undefined
}

/** The app that answers a path in place of the called app. */
export interface Routed {
  readonly context: PublishedContext
  /** Prefix to remove from the path; empty: none. */
  readonly strips: string
}

/** The header by which a caller asks for a WebSocket (RFC 6455 §4.1). */
const IS_WEBSOCKET = /^upgrade:[ \t]*websocket[ \t]*\r?$/im

/** Returns the connections for a request: over TLS if the app speaks HTTPS, otherwise plain TCP with the caller's protocol. */
const reached = (pool: Pool): Pool => (pool.protocol === 'https' ? pool : pool.plain)

/** The caller's side of a call, with a `tunnel` if the caller asks to switch the protocol. */
type Connection = Pick<PublishedConnection, 'protocol' | 'tunnel' | 'begin'>

/** An HTTP/1 call at a published port. The app gets the request unchanged, except for a `traceparent` and added lines. */
export class PublishedPortCall extends ProxiedCall {
  protected readonly isInterceptable = false
  protected readonly exchange: Exchange
  readonly #context: PublishedContext
  readonly #head: VerbatimHead
  readonly #lines: string

  /** `lines`: header lines to add for the app. */
  constructor(context: PublishedContext, caller: string, head: VerbatimHead, connection: Connection, lines = '') {
    const {tunnel} = connection
    const {method, target, path, text, size, length} = head
    const protocol = tunnel !== undefined && IS_WEBSOCKET.test(head.lines) ? 'WebSocket' : connection.protocol
    const request: SentRequest = {protocol, method, path, lines: head.lines, target, text, size}
    const call = {caller, callee: context.callee, method, path: target, number: 0, isPublished: true, sent: request}
    super(context, tunnel === undefined ? call : {...call, isTunnel: true, stream: tunnel}, request, length)
    this.#context = context
    this.#head = head
    this.#lines = lines
    this.exchange = connection.begin(this)
  }

  ask(isRefused: boolean): Admission | Held {
    return this.#context.admit(this.call, isRefused)
  }

  override protocolAt(pool: Pool): Protocol {
    return super.protocolAt(reached(pool))
  }

  send({pool}: Admitted): void {
    const {text, size, hasTrace} = this.#head
    if (!hasTrace && this.journal.trace === '') this.journal.trace = `traceparent: ${freshTrace().traceparent}\r\n`
    this.exchange.send(reached(pool), `${text.slice(0, size - 2)}${this.journal.trace}${this.#lines}\r\n`)
  }

  /** Sends the request without Dapr's middleware, which does not apply to published ports. */
  override filter(admitted: Admitted): void {
    this.send(admitted)
  }

  protected responseHeaders(): string {
    return '' // the connection sends the app's head unchanged
  }

  protected replyDenied({error, down}: Denied): void {
    this.#refuse(503, down?.reason ?? error)
  }

  protected replyFailed(why: string, failure: Failure | undefined): void {
    this.#refuse(failure === 'refused' || failure === 'unreachable' ? 503 : 502, why)
  }

  protected warn(text: string): void {
    this.#context.warn(text)
  }

  protected warnCut(why: string): void {
    this.warn(`${this.call.callee} closed the connection within its response to ${this.call.caller}: ${why}`)
  }

  #refuse(status: 502 | 503, why: string): void {
    const {callee, lastLines, hint} = this.#context
    const {lines} = this.#head
    this.exchange.reply(refusal({status, callee, why, lastLines: lastLines(), hint: hint?.(), lines}))
  }
}
