import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Call} from '../../model/call.ts'
import {pairsOf} from './http1/header-lines.ts'
import {isAwaitingContinue, isRefused} from './http1/collect-request.ts'
import {reasonOf, statusLine} from './status.ts'

/** A response of our own. */
export interface Reply {
  readonly status: number
  /** The body's content type, '': no body. */
  readonly type: string
  readonly body: string
  /** Binary content, in place of `body`. */
  readonly bytes?: Buffer
  /** Further header lines. */
  readonly lines: string
}

/** Returns the header line with the number of the fault that hit a call; '': none. */
export const faultLine = ({fault}: Call): string => (fault === undefined ? '' : `Pillion-Fault: ${fault}\r\n`)

/** Returns the header line with the number of the call in the record; '': none. */
export const numberLine = ({number = 0, isNumbered}: Call): string =>
  isNumbered === true && number > 0 ? `Pillion-Call: ${number}\r\n` : ''

const linesOf = ({status, type, body, bytes = Buffer.from(body), lines}: Reply): string => {
  const typeLine = type === '' ? '' : `Content-Type: ${type}\r\n`
  return lines + typeLine + (status === 204 ? '' : `Content-Length: ${bytes.length}\r\n`)
}

/** The headers of a response as alternating names and values. */
export const replyPairs = (response: Reply): string[] => pairsOf(linesOf(response))

/** Head and body of a response as latin1 text; `more`: further header lines. */
export const replyTexts = (reply: Reply, more = ''): {readonly head: string; readonly body: string} => {
  const {status, body, bytes = Buffer.from(body)} = reply
  return {head: `${statusLine(status)}${linesOf(reply)}${more}\r\n`, body: bytes.toString('latin1')}
}

/** A complete response as latin1 text, for connections without node:http. */
export const replyText = (reply: Reply, toHead: boolean, more = ''): string => {
  const {head, body} = replyTexts(reply, more)
  return toHead ? head : head + body
}

/** Replies to a request; the rest of its body is read and discarded. */
export const reply = (request: IncomingMessage, response: ServerResponse, answer: Reply): void => {
  if (response.headersSent || response.destroyed) return
  // after the final response, a caller with `Expect: 100-continue` may or may not send its body: the connection cannot be reused
  if (isAwaitingContinue(request) || isRefused(request)) response.shouldKeepAlive = false
  if (response.shouldKeepAlive && request.httpVersionMinor === 1) response.removeHeader('connection')
  response.writeHead(answer.status, reasonOf(answer.status), replyPairs(answer))
  response.end(answer.bytes ?? answer.body)
  request.resume()
}
