import type {ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders} from 'node:http2'
import {codeOf} from '../../../model/errors.ts'
import {headersByName} from '../http1/header-lines.ts'
import {MAX_INTERIM, TOO_MANY_INTERIM} from '../http1/response-head.ts'
import {ProtocolAdapter, type Connect} from '../protocol-adapter.ts'
import {UpstreamError, type Dial} from '../dialer.ts'
import {keepHandle} from './keep-handle.ts'
import {CaughtBug, contain} from '../error-boundary.ts'

/** Loaded when the first app speaks HTTP/2. */
const http2 = (): typeof import('node:http2') => process.getBuiltinModule('node:http2')

/**
 * Calls `use` with headers. Some headers may appear only once in HTTP/2, and node refuses a head that repeats one of them:
 * then only the first values are used.
 */
export const withHeaders = <T>(pairs: readonly string[], use: (headers: OutgoingHttpHeaders) => T): T => {
  const headers = headersByName(pairs, name => name.toLowerCase())
  try {
    return use(headers)
  } catch (error) {
    if (codeOf(error) !== 'ERR_HTTP2_HEADER_SINGLE_VALUE') throw error
    return use(
      Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])
      )
    )
  }
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

const connectTo =
  (host: string, port: number): Connect =>
  ({opened, failed}) => {
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`
    const session: ClientHttp2Session = http2().connect(`http://${authority}`)
    const crashed = (error: unknown): void => failed(new CaughtBug(error))
    let streams = 0
    let isLeft = false
    /** The app has said GOAWAY, and may keep its side open: no call is to be tried here. */
    const leave = (): void => {
      if (isLeft && streams === 0) failed(undefined)
    }
    contain(session, crashed)
    session
      .on('connect', () => {
        keepHandle(session)
        opened()
      })
      .on('error', error => failed(worded(error)))
      .on('close', () => failed(undefined))
      .on('goaway', () => {
        isLeft = true
        leave()
      })
    return {
      request: ({method, path, pairs, hasBody}, sink) => {
        const stream = withHeaders(pairs, ({host: named = authority, ...headers}) =>
          session.request(
            {...headers, ':method': method, ':path': path, ':authority': named, ':scheme': 'http'},
            {endStream: !hasBody}
          )
        )
        streams++
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
            streams--
            leave()
          })
        return stream
      },
      end: () => session.destroy()
    }
  }

/** Apps that speak HTTP/2 without TLS from the first byte on (RFC 9113 §3.3). */
export const http2Dial: Dial = {
  scheme: 'http',
  opens: 'connect',
  open: (host, port) => new ProtocolAdapter(connectTo(host, port))
}
