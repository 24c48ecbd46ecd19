import type {ResponseHead} from './http1/response-head.ts'
import type {Reply} from './reply.ts'

/** The caller's side of a call, in the protocol that it speaks. It moves bytes and decides nothing. */
export interface Downstream {
  /** The request was a HEAD: its response has no body. */
  readonly toHead: boolean
  /** A response 101 makes two streams of bytes of the call. */
  readonly isTunnel: boolean
  /** HTTP/2 has no 101. */
  readonly refusesSwitch: boolean
  /** The callee can be written to: calls `exchange.sendBody` with what has come of the body, and again as more comes. */
  sendBody(): void
  /** The callee takes more of the body. */
  resume(): void
  /** A whole response. */
  whole(head: ResponseHead, fields: string, body: string): void
  head(head: ResponseHead, fields: string): void
  /** A piece of the body, of bytes that are overwritten afterwards; false: no more until `exchange.resume()`. */
  body(bytes: Buffer): boolean
  end(): void
  /** Breaks the response off, so that the caller sees it. */
  cut(why: string): void
  /** A response of our own. */
  reply(answer: Reply): void
  /** Ends the caller's connection. */
  destroy(): void
  /** The call is over: what is left of the request's body is read and dropped. */
  done(): void
}
