import type {IncomingMessage, ServerResponse} from 'node:http'
import {pairsOf} from './http1/header-lines.ts'
import {isAwaitingContinue} from './http1/expect-continue.ts'
import {reasonOf, statusLine} from './status.ts'

/** An answer of our own. */
export interface Reply {
  readonly status: number
  /** The body's content type, '' = there is no body. */
  readonly type: string
  readonly body: string
  /** More fields, as lines. */
  readonly lines: string
}

const linesOf = ({status, type, body, lines}: Reply): string => {
  const typeLine = type === '' ? '' : `Content-Type: ${type}\r\n`
  return lines + typeLine + (status === 204 ? '' : `Content-Length: ${Buffer.byteLength(body).toString()}\r\n`)
}

/** The fields of an answer, names and values in turn. */
export const replyPairs = (answer: Reply): string[] => pairsOf(linesOf(answer))

/** A whole answer as latin1 text, for connections that node:http does not hold; `more`: further lines. */
export const replyText = (reply: Reply, toHead: boolean, more = ''): string => {
  const {status, body} = reply
  const bytes = toHead ? '' : Buffer.from(body).toString('latin1')
  return `${statusLine(status)}${linesOf(reply)}${more}\r\n${bytes}`
}

/** Answers a request; what is left of its body is read and dropped. */
export const reply = (request: IncomingMessage, response: ServerResponse, answer: Reply): void => {
  if (response.headersSent || response.destroyed) return
  // A caller who waits for leave to send his body may or may not send it now: nobody could tell where it ends.
  if (isAwaitingContinue(request)) response.shouldKeepAlive = false
  if (response.shouldKeepAlive && request.httpVersionMinor === 1) response.removeHeader('connection')
  response.writeHead(answer.status, reasonOf(answer.status), replyPairs(answer))
  response.end(answer.body)
}
