import type {OutgoingHttpHeaders, ServerHttp2Stream} from 'node:http2'
import {codeOf, messageOf} from '../../../model/errors.ts'
import {ownOf} from '../../../model/own.ts'
import {headersByName} from '../http1/header-lines.ts'
import {replyPairs, type Reply} from '../reply.ts'

/**
 * Calls `use` with headers. Some headers may appear only once in HTTP/2, and node refuses a head that repeats one of them:
 * then only the first value of that one is used.
 */
export const withHeaders = <T>(pairs: readonly string[], use: (headers: OutgoingHttpHeaders) => T): T => {
  const headers = headersByName(pairs, name => name.toLowerCase())
  for (;;)
    try {
      return use(headers)
    } catch (error) {
      const name = /"(.*)"/.exec(messageOf(error))?.[1] ?? ''
      const values = ownOf(headers, name)
      if (codeOf(error) !== 'ERR_HTTP2_HEADER_SINGLE_VALUE' || !Array.isArray(values)) throw error
      headers[name] = values[0] ?? ''
    }
}

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
