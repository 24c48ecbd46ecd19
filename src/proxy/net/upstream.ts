import type {Dial} from './dialer.ts'
import type {HeaderRules, ResponseHead} from './http1/response-head.ts'
import type {ResponseHeads} from './http1/response-heads.ts'

/**
 * Failure of a connection for its call. `refused`: nothing was sent. `unreachable`: connecting failed otherwise. `silent`: it closed
 * before the response. `malformed`: the response is invalid. `bad-status`: its status cannot be passed on. `cut`: it closed within the
 * response.
 */
export type Failure = 'refused' | 'unreachable' | 'silent' | 'malformed' | 'bad-status' | 'cut'

/** Receives the response of one call from its upstream. */
export interface ResponseHandler {
  /** The request was a HEAD: the response has no body. */
  readonly toHead: boolean
  /** The complete request has been sent. */
  readonly isSent: boolean
  /** Whether a response 101 makes the connection a tunnel: bytes both ways until one side closes. Omitted: no. */
  readonly isTunnel?: boolean
  readonly rules: HeaderRules
  /** A body in chunks passes with its framing: `content` reports its content. */
  readonly isVerbatim?: boolean
  /** Passes on an interim response (1xx) unchanged. Omitted: none is passed on. */
  interim?(text: string): void
  /** Bytes within the chunks of a body that passes with its framing. */
  content?(bytes: Buffer): void
  /** Called when the connection is open: send the request. `wasOpen`: it was open before the call. */
  open(wasOpen: boolean): void
  /** A complete response that arrived in one read and has a length. */
  whole(head: ResponseHead, body: string): void
  head(head: ResponseHead): void
  /** A piece of the body, in a buffer that is reused afterwards; false: wait for `resume()`. */
  body(bytes: Buffer): boolean
  /** The response is complete. */
  end(): void
  fail(failure: Failure, why: string): void
  /** The callee accepts more of the request; omitted: it was written whole. */
  drain?(): void
  /** An internal error while the response was handled; the connection to the callee is closed. */
  crash(error: unknown): void
}

/** A connection to a callee, over any protocol, for one call at a time. */
export interface Upstream {
  /** Number of calls that its callee has answered on this connection. */
  readonly served: number
  /** How long it had no call, counted by its pool. */
  idleMs: number
  readonly isOpen: boolean
  /** Head and body so far, to be sent on another connection; '': the callee may have begun to handle them. */
  readonly unsent: string
  /** Bodies are written without the framing of HTTP/1. */
  readonly isUnframed?: true | undefined
  /** Starts a call. `open()` follows: at once if the connection is open. */
  serve(handler: ResponseHandler): void
  /** Writes bytes with latin1 text around them. After false, wait for `drain()`. `isLast`: the request ends here. */
  writeAll(before: string, bytes: Buffer | undefined, after?: string, isLast?: boolean): boolean
  /** As `writeAll`, for the end of a large held request, whose caller may have left unnoticed. */
  writeLate?(before: string, bytes?: Buffer, after?: string): boolean
  /** Sends bytes through a tunnel; false: wait for `drain()`. */
  write(data: string | Buffer): boolean
  /** Ends our side of a tunnel; the callee may still send. */
  finishSending(): void
  /** The consumer accepts more of the response. */
  resume(): void
  /** Closes the connection without notifying the handler. */
  drop(): void
  /** Closes the connection; the handler sees it as closed by the callee. */
  cut(): void
}

/** The pool that owns a connection. */
export interface UpstreamOwner {
  /** Tried in this order. */
  readonly hosts: readonly string[]
  readonly port: number
  /** Opens a connection. Undefined for plain TCP. */
  readonly dial: Pick<Dial, 'open'> | undefined
  readonly responseHeads: ResponseHeads
  /** Keeps an idle connection. Returns false if it is not needed. */
  keep(upstream: Upstream): boolean
  forget(upstream: Upstream): void
}
