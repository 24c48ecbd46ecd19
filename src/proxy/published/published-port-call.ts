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

/** Common part of all calls at one published port. */
export interface PublishedContext extends CallContext {
  /** App that is called at the port. */
  readonly callee: string
  admit(call: PublishedPortCall['call'], isRefused: boolean): Admission | Held
  /** Whether responses name their call to callers that are not apps; omitted: they do not. */
  readonly namesCalls?: () => boolean
  /** Whether the app accepts calls. */
  readonly isOpen: () => boolean
  /** Whether a number is that of the app's process, or the one at which others call it; omitted: none is. */
  readonly isOwnPort?: (port: number) => boolean
  /** The last lines of the app, for a caller without an answer. */
  readonly lastLines: () => readonly string[]
  /** Returns advice for a caller without an answer; '': none. */
  readonly hint?: () => string
  readonly warn: (text: string) => void
  /** Returns the app that answers a path in its place, if any. */
  readonly routed?: (path: string) => Routed | undefined
}

/** The app that answers a path in place of the called one. */
export interface Routed {
  readonly context: PublishedContext
  /** Prefix to remove from the path; empty: none. */
  readonly strips: string
}

/** The header by which a caller asks for a WebSocket (RFC 6455 §4.1). */
const IS_WEBSOCKET = /^upgrade:[ \t]*websocket[ \t]*\r?$/im

/** A request in the clear reaches an app of HTTPS over TLS. All else speaks the caller's protocol. */
const reached = (pool: Pool): Pool => (pool.protocol === 'https' ? pool : pool.plain)

/** The caller's side of a call; it has a `tunnel` if the caller asks for another protocol. */
type Connection = Pick<PublishedConnection, 'protocol' | 'tunnel' | 'begin'>

/** A call at a published port, which is sent unchanged through the passage of every call. */
export class PublishedPortCall extends ProxiedCall {
  protected readonly isInterceptable = false
  protected readonly exchange: Exchange
  readonly #context: PublishedContext
  readonly #head: VerbatimHead

  readonly #lines: string

  /** `lines`: header lines for the app besides the caller's. */
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

  /** The middleware of Dapr does not belong here. */
  override filter(admitted: Admitted): void {
    this.send(admitted)
  }

  protected responseHeaders(): string {
    return '' // the downstream passes on the head as it came
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
