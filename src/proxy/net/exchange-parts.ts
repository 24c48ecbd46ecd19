/* proxy/net/ sends one request to a callee and passes one response back, both streamed. This module knows no app ids and nothing of Dapr. */
import type {BrokenResponse} from './broken-response.ts'
import type {CallJournal} from './call-journal.ts'
import type {HeaderRules, ResponseHead} from './http1/response-head.ts'
import type {Failure} from './upstream.ts'
import type {Copy} from './copy.ts'
import type {Reply} from './reply.ts'

/** Makes the decisions about a call and writes its record, while the exchange transfers the bytes. */
export interface CallHandler {
  readonly journal: CallJournal
  readonly rules: HeaderRules
  /** Interruption of the response by a fault; undefined: none. */
  readonly broken: BrokenResponse | undefined
  /** Copy of the call for shadows; undefined: the call is not mirrored. */
  readonly copy: Copy | undefined
  /** Returns the header lines of a response for the caller. */
  headersFor(head: ResponseHead): string
  /** Called when the callee has refused the connection before anything was sent. Calls `send` again, or replies. */
  refused(why: string): void
  /** Called when the connection closed before a response began, and the exchange sends the request again. */
  resent(): void
  /** Called when there is no response. Replies. `failure`: omitted if the request was rejected before it was sent. */
  failed(why: string, failure?: Failure): void
  /** Called when the callee closed the connection within its response, and the exchange aborts the response to the caller. */
  cut(why: string): void
  /** Called when an internal error has closed the caller's connection. */
  crashed(error: unknown): void
  /** Called exactly once, when the call has ended, successfully or not. */
  over(): void
}

/** The body of a request that is being received, as its reader needs it. */
export interface IncomingBody {
  /** Length in bytes; 0: no body, -1: unknown. */
  readonly length: number
  /** Maximum size in bytes; 0: no limit. */
  readonly maxBytes: number
  /** Called with each piece, which it may change in place. */
  readonly onPiece?: ((piece: Buffer) => void) | undefined
}

/** The caller's side of a call, for one protocol. Transfers bytes and makes no decisions. */
export interface Downstream {
  /** Whether the request is a HEAD, so that the response has no body. */
  readonly toHead: boolean
  /** Whether a response 101 makes the connection a tunnel. Omitted: no. */
  readonly isTunnel?: boolean
  /** Whether a response 101 is an error, as in HTTP/2. Omitted: no. */
  readonly refusesSwitch?: true
  /** Whether heads, chunks and trailers pass unchanged in both directions, as at published ports. Omitted: they are rewritten. */
  readonly isVerbatim?: boolean
  /** Called when the callee accepts data. Passes the bytes so far, then later ones, to `exchange.sendBody`. Omitted: no body. */
  sendBody?(): void
  /** Called when the callee accepts more of the body. Omitted: the body is sent in one piece. */
  resume?(): void
  /** Sends an interim response (1xx) to the caller. Omitted: drops it. */
  interim?(text: string): void
  /** Sends a complete response to the caller. */
  whole(head: ResponseHead, lines: string, body: string): void
  head(head: ResponseHead, lines: string): void
  /** Sends a piece of the body to the caller. The buffer is reused afterwards. Returns false to pause until it calls `exchange.resume()`. */
  body(bytes: Buffer): boolean
  /** Called when the response is complete. Omitted: the framing shows the end. */
  end?(): void
  /** Aborts the response in a way that the caller notices. */
  cut(why: string): void
  /** Sends a response of Pillion itself. */
  reply(response: Reply): void
  /** Resets the caller's connection, or its stream. */
  reset(): void
  /** Closes the caller's connection. */
  destroy(): void
  /** Called when the call has ended, for example to discard the rest of the request's body. Omitted: nothing to do. */
  done?(): void
}
