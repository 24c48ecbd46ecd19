import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Call} from '../../model/call.ts'
import {pairsOf} from './http1/header-lines.ts'
import {isAwaitingContinue, isRefused} from './http1/collect-request.ts'
import {reasonOf, statusLine} from './status.ts'

/** A response that Pillion itself sends, in place of an app. */
export interface Reply {
  readonly status: number
  /** Content type of the body; '': no body. */
  readonly type: string
  readonly body: string
  /** Binary content that replaces `body`; omitted: `body` counts. */
  readonly bytes?: Buffer
  /** Further header lines, each with its CRLF. */
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

/** Returns the headers of a response: names and values alternate. */
export const replyPairs = (response: Reply): string[] => pairsOf(linesOf(response))

/** Returns head and body of a response as latin1 text. `more`: further header lines. */
export const replyTexts = (reply: Reply, more = ''): {readonly head: string; readonly body: string} => {
  const {status, body, bytes = Buffer.from(body)} = reply
  return {head: `${statusLine(status)}${linesOf(reply)}${more}\r\n`, body: bytes.toString('latin1')}
}

/** Returns a complete response as latin1 text, for connections that node:http does not serve. */
export const replyText = (reply: Reply, toHead: boolean, more = ''): string => {
  const {head, body} = replyTexts(reply, more)
  return toHead ? head : head + body
}

/** Replies to a request of node:http, and discards the rest of its body. */
export const reply = (request: IncomingMessage, response: ServerResponse, answer: Reply): void => {
  if (response.headersSent || response.destroyed) return
  // closes the connection of a caller that waits for `100 Continue`: after a final response it may or may not send the body
  if (isAwaitingContinue(request) || isRefused(request)) response.shouldKeepAlive = false
  if (response.shouldKeepAlive && request.httpVersionMinor === 1) response.removeHeader('connection')
  response.writeHead(answer.status, reasonOf(answer.status), replyPairs(answer))
  response.end(answer.bytes ?? answer.body)
  request.resume()
}
