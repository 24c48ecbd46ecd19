import type {Dial} from './dialer.ts'
import type {HeaderRules, ResponseHead} from './http1/response-head.ts'
import type {ResponseHeads} from './http1/response-heads.ts'

/**
 * How a call failed on its connection. `refused`: nothing listens, so nothing was sent. `unreachable`: connecting failed for another reason.
 * `silent`: the connection closed before the response. `malformed`: the response is invalid. `bad-status`: its status is invalid. `cut`: the
 * connection closed within the response.
 */
export type Failure = 'refused' | 'unreachable' | 'silent' | 'malformed' | 'bad-status' | 'cut'

/** Receives the response of one call from its upstream. */
export interface ResponseHandler {
  /** Whether the request is a HEAD, so that the response has no body. */
  readonly toHead: boolean
  /** Whether the complete request has been sent. */
  readonly isSent: boolean
  /** Whether a response 101 makes the connection a tunnel, which relays bytes until one side closes. Omitted: no. */
  readonly isTunnel?: boolean
  readonly rules: HeaderRules
  /** Whether a chunked body is passed with its framing, while `content` gets the bytes without framing. Omitted: no. */
  readonly isVerbatim?: boolean
  /** Receives an interim response (1xx). Omitted: it is dropped. */
  interim?(text: string): void
  /** Receives the content of the chunks of a body that is passed with its framing. */
  content?(bytes: Buffer): void
  /** Called when the connection is open. Sends the request. `wasOpen`: the connection is a reused one. */
  open(wasOpen: boolean): void
  /** Receives a response with a length that arrived completely in one read. */
  whole(head: ResponseHead, body: string): void
  head(head: ResponseHead): void
  /** Receives a piece of the body, in a buffer that is reused afterwards. Returns false to pause until it calls `resume()`. */
  body(bytes: Buffer): boolean
  /** Called when the response is complete. */
  end(): void
  fail(failure: Failure, why: string): void
  /** Called when the callee accepts more of the request. Omitted: the request is written in one piece. */
  drain?(): void
  /** Called after an internal error in the handling of the response. The connection to the callee is closed by then. */
  crash(error: unknown): void
}

/** A connection to a callee, over any protocol, for one call at a time. */
export interface Upstream {
  /** Number of calls that its callee has answered on this connection. */
  readonly served: number
  /** Time without a call in ms, counted by its pool. */
  idleMs: number
  readonly isOpen: boolean
  /** Bytes of the request so far, if the callee has certainly not processed them, to be sent on another connection; '': it may have. */
  readonly unsent: string
  /** Whether bodies are written without the framing of HTTP/1. Omitted: with it. */
  readonly isUnframed?: true | undefined
  /** Starts a call. Calls `open` of the handler, at once if the connection is open. */
  serve(handler: ResponseHandler): void
  /** Writes bytes with latin1 text around them. Returns false to wait for `drain()`. `isLast`: the request ends here. */
  writeAll(before: string, bytes: Buffer | undefined, after?: string, isLast?: boolean): boolean
  /** Writes like `writeAll`, but in a later turn: the caller of a large queued request may have disconnected unnoticed. */
  writeLate?(before: string, bytes?: Buffer, after?: string): boolean
  /** Sends bytes through a tunnel. Returns false to wait for `drain()`. */
  write(data: string | Buffer): boolean
  /** Ends the sending side of a tunnel. The callee may still send. */
  finishSending(): void
  /** Called when the handler accepts more of the response. */
  resume(): void
  /** Closes the connection without notifying the handler. */
  drop(): void
  /** Closes the connection. The handler is notified as if the callee had closed it. */
  cut(): void
}

/** The pool that owns a connection. */
export interface UpstreamOwner {
  /** Addresses of the callee, tried in this order. */
  readonly hosts: readonly string[]
  readonly port: number
  /** Opens a connection; undefined: plain TCP. */
  readonly dial: Pick<Dial, 'open'> | undefined
  readonly responseHeads: ResponseHeads
  /** Keeps an idle connection for another call. Returns false if the connection has to be closed. */
  keep(upstream: Upstream): boolean
  forget(upstream: Upstream): void
}
