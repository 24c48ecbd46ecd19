import type {ServerHttp2Stream} from 'node:http2'
import {withHeaders} from './http2-adapter.ts'
import {replyPairs, type Reply} from '../reply.ts'

/**
 * Sends the head of a response; `isLast`: there is no body. Returns whether a body may follow. For a stream that the caller
 * has reset it does nothing: `respond()` throws for one that is closed and not destroyed yet.
 */
export const respond = (
  stream: ServerHttp2Stream,
  {status, pairs, isLast}: {readonly status: number; readonly pairs: readonly string[]; readonly isLast: boolean}
): boolean => {
  if (stream.destroyed || stream.closed || stream.headersSent) return false
  withHeaders(pairs, headers => stream.respond({...headers, ':status': status}, {endStream: isLast}))
  // 204, 205, 304 and responses to HEAD have no body: node ends them with their head.
  return !stream.writableEnded
}

/** Replies on a stream; the rest of its request is read and discarded. */
export const replyStream = (stream: ServerHttp2Stream, response: Reply, toHead: boolean): void => {
  const {status, body, bytes = Buffer.from(body)} = response
  const isLast = toHead || bytes.length === 0
  if (respond(stream, {status, pairs: replyPairs(response), isLast})) stream.end(bytes)
  stream.resume()
}
