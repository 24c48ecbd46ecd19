import type {ServerHttp2Stream} from 'node:http2'
import {withHeaders} from './http2-adapter.ts'
import {replyPairs, type Reply} from '../reply.ts'

/**
 * Sends the head of an answer: names and values in turn; `isLast`: there is no body. Returns whether a body may follow.
 * A stream that its caller has reset is no error: `respond()` throws for one that is closed and not destroyed yet.
 */
export const respond = (
  stream: ServerHttp2Stream,
  {status, pairs, isLast}: {readonly status: number; readonly pairs: readonly string[]; readonly isLast: boolean}
): boolean => {
  if (stream.destroyed || stream.closed || stream.headersSent) return false
  withHeaders(pairs, headers => stream.respond({...headers, ':status': status}, {endStream: isLast}))
  // 204, 205, 304 and the answer to a HEAD have no body: node ends them with their head.
  return !stream.writableEnded
}

/** Answers a stream; what is left of its request is read and dropped. */
export const replyStream = (stream: ServerHttp2Stream, answer: Reply, toHead: boolean): void => {
  const {status, body} = answer
  const isLast = toHead || body === ''
  if (respond(stream, {status, pairs: replyPairs(answer), isLast})) stream.end(body)
  stream.resume()
}
