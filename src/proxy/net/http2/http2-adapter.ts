import {authorityOf} from '../../../model/address.ts'
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Session,
  type OutgoingHttpHeaders
} from 'node:http2'
import {HEAD_LIMIT, MAX_INTERIM, TOO_MANY_INTERIM} from '../http1/response-head.ts'
import type {Connect} from '../protocol-adapter.ts'
import {UpstreamError} from '../dialer.ts'
import {headersByName} from '../http1/header-lines.ts'
import {codeOf, messageOf} from '../../../model/errors.ts'
import {ownOf} from '../../../model/own.ts'
import {CaughtBug, contain} from '../error-boundary.ts'

/**
 * Calls `use` with headers. Some headers may appear only once in HTTP/2, and node refuses a head that repeats one: then only its first value is used.
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
 * Keeps the parts of a session until its streams are freed, one tick after their end. If both end in one tick, node
 * frees the session first, and aborts if a stream still holds refused headers (Node 26:
 * `current_nghttp2_memory_ == 0`).
 */
const keepHandle = (session: Http2Session): void => {
  const parts = Object.getOwnPropertySymbols(session).map(name => Reflect.get(session, name) as unknown)
  session.once('close', () => setImmediate(() => parts.splice(0)))
}

const worded = (error: Error & {code?: string}): Error =>
  error.code?.startsWith('ERR_HTTP2') === true ? new UpstreamError(`http2: ${error.message}`) : error

/**
 * Returns a function that says whether the callee ended its side of a stream. A stream that is reset with NO_ERROR or CANCEL, or whose connection
 * closes, also emits `end`, but is closed before that.
 */
const watchEnd = (stream: ClientHttp2Stream): (() => boolean) => {
  let isEnded = false
  const push = stream.push.bind(stream)
  stream.push = (piece, encoding) => {
    if (piece === null && !stream.closed) isEnded = true
    return push(piece, encoding)
  }
  return () => isEnded
}

/** Connects to an app that speaks HTTP/2 without TLS from the first byte on (RFC 9113 §3.3). */
export const connectTo =
  (host: string, port: number): Connect =>
  ({opened, failed}) => {
    const authority = authorityOf(host, port)
    const session: ClientHttp2Session = connect(`http://${authority}`, {maxHeaderListPairs: HEAD_LIMIT})
    const crashed = (error: unknown): void => failed(new CaughtBug(error))
    contain(session, crashed)
    session
      .on('connect', () => {
        keepHandle(session)
        opened()
      })
      .on('error', error => failed(worded(error)))
      .on('close', () => failed(undefined))
      // the app may keep its side open: no call is to be tried here
      .on('goaway', () => failed(undefined))
    return {
      request: ({method, path, pairs, hasBody}, sink) => {
        const stream = withHeaders(pairs, ({host: named = authority, ...headers}) =>
          session.request(
            {...headers, ':method': method, ':path': path, ':authority': named, ':scheme': 'http'},
            {endStream: !hasBody}
          )
        )
        let hasResponse = false
        let interim = 0
        const isWhole = watchEnd(stream)
        contain(stream, crashed)
        stream
          .on('headers', () => {
            if (++interim > MAX_INTERIM) stream.destroy(new UpstreamError(TOO_MANY_INTERIM))
          })
          .on('response', (headers, _flags, raw?: readonly string[]) => {
            hasResponse = true
            const own = (raw ?? []).filter((_, at, all) => !(all[at - (at % 2)] ?? '').startsWith(':'))
            sink.respond(headers[':status'] ?? 0, own, stream)
          })
          .on('end', () => {
            if (!isWhole()) sink.fail(new UpstreamError('unexpected EOF'))
          })
          .on('error', error => sink.fail(worded(error)))
          .on('close', () => {
            if (!hasResponse) sink.fail(new UpstreamError('http2: stream closed'))
          })
        return stream
      },
      end: () => session.destroy()
    }
  }
