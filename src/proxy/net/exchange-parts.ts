/* proxy/net/ sends one request to a callee and passes one response back, both streamed. This module knows no app ids and nothing of Dapr. */
import type {BrokenResponse} from './broken-response.ts'
import type {CallJournal} from './call-journal.ts'
import type {HeaderRules, ResponseHead} from './http1/response-head.ts'
import type {Failure} from './upstream.ts'
import type {Copy} from './copy.ts'
import type {Reply} from './reply.ts'

/** The decisions about a call; the exchange moves the bytes. */
export interface CallHandler {
  readonly journal: CallJournal
  readonly rules: HeaderRules
  /** The fault that breaks off the response; undefined: none. */
  readonly broken: BrokenResponse | undefined
  /** The call is mirrored to shadows. */
  readonly copy: Copy | undefined
  /** Returns the header lines of a response for the caller. */
  headersFor(head: ResponseHead): string
  /** The connection was refused before anything was sent: call `send` again, or reply. */
  refused(why: string): void
  /** The connection closed before a response began; the request is sent again. */
  resent(): void
  /** Called if there is no response: reply. `failure` is omitted if the request was rejected before it was sent. */
  failed(why: string, failure?: Failure): void
  /** The callee closed the connection within its response; the response to the caller is aborted. */
  cut(why: string): void
  /** An internal error has closed the caller's connection. */
  crashed(error: unknown): void
  /** The call has ended, successfully or not. Called exactly once. */
  over(): void
}

/** The body of a request that is being received. */
export interface IncomingBody {
  /** Bytes of the body; 0: none, -1: unknown. */
  readonly length: number
  /** 0: no limit. */
  readonly maxBytes: number
  /** Called with each piece, which it may change in place. */
  readonly onPiece?: ((piece: Buffer) => void) | undefined
}

/** The caller's side of a call, for one protocol, which moves bytes and decides nothing. */
export interface Downstream {
  /** The request was a HEAD: the response has no body. */
  readonly toHead: boolean
  /** Whether the connection is a tunnel after a response 101. Omitted: no. */
  readonly isTunnel?: boolean
  /** Whether a response 101 is an error: HTTP/2 has none. Omitted: no. */
  readonly refusesSwitch?: true
  /** Whether heads, chunks and trailers pass unchanged in both directions, so that bodies have their framing. Omitted: they are rewritten. */
  readonly isVerbatim?: boolean
  /** Called when the callee accepts data: pass the bytes so far to `exchange.sendBody`, then later ones. Omitted without a body. */
  sendBody?(): void
  /** The callee accepts more of the body. Omitted: it was sent whole. */
  resume?(): void
  /** Passes on an interim response (1xx) unchanged. Omitted: none is passed on. */
  interim?(text: string): void
  /** A complete response. */
  whole(head: ResponseHead, lines: string, body: string): void
  head(head: ResponseHead, lines: string): void
  /** A piece of the body, in a buffer that is reused afterwards; false: wait for `exchange.resume()`. */
  body(bytes: Buffer): boolean
  /** Called when the response is complete. Omitted if its framing shows that. */
  end?(): void
  /** Aborts the response so that the caller notices it. */
  cut(why: string): void
  /** A response of our own. */
  reply(response: Reply): void
  /** Resets the caller's connection, or its stream. */
  reset(): void
  /** Closes the caller's connection. */
  destroy(): void
  /** Called when the call has ended, to read and discard the rest of the request's body. Omitted without a body. */
  done?(): void
}
