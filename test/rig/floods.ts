import {DATA, frame, HEADERS, PREFACE, request, reset, SETTINGS} from '../integration/dapr/sidecar/frames.ts'

const PRIORITY = 2
const PING = 6
const WINDOW_UPDATE = 8
const CONTINUATION = 9
const UNKNOWN = 200

/** Requests that nobody serves to their end: one that is refused by its head, and one whose message never comes. */
const REFUSED = {':method': 'POST', ':path': '/a.B/C', 'content-type': 'text/plain'}
export const UNFINISHED = {
  ':method': 'POST',
  ':path': '/dapr.proto.runtime.v1.Dapr/SaveState',
  'content-type': 'application/grpc',
  te: 'trailers'
}

/** The nth frames of one who sends nothing else; the first stream is open. */
export const FLOODS: Readonly<Record<string, (stream: number, n: number) => string>> = {
  'rapid resets of refused requests': stream => request(stream, REFUSED, 0) + reset(stream, 8),
  'rapid resets': stream => request(stream, UNFINISHED, 0) + reset(stream, 8),
  'refused streams that never end': stream => request(stream, REFUSED, 0),
  'streams that never end': stream => request(stream, UNFINISHED, 0),
  'empty data': () => frame(DATA, {stream: 1}),
  'empty continuations': (_, n) => (n === 0 ? frame(HEADERS, {stream: 3}) : frame(CONTINUATION, {stream: 3})),
  'resets of one stream': () => reset(1, 8),
  priorities: () => frame(PRIORITY, {stream: 1, payload: '\0\0\0\0\0'}),
  pings: () => frame(PING, {payload: '\0'.repeat(8)}),
  settings: () => frame(SETTINGS),
  'frames of no known type': () => frame(UNKNOWN)
}

const BY_A_BYTE = '\0\0\0\x01'

/** At a port of HTTP nghttp2 reads them, some millions in a second, and nothing comes of them. */
export const WINDOWS: Readonly<Record<string, () => string>> = {
  'windows of the connection that grow by a byte': () => frame(WINDOW_UPDATE, {payload: BY_A_BYTE}),
  'windows of a stream that grow by a byte': () => frame(WINDOW_UPDATE, {stream: 1, payload: BY_A_BYTE})
}

/** The same of HTTP/1: how a connection begins, and what follows without end. */
export interface PlainFlood {
  readonly begin: string
  readonly piece: string
}

const head = (path: string, port: number): string => `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n`

export const plainFloods = (path: string, port: number): Readonly<Record<string, PlainFlood>> => ({
  'pipelined requests': {begin: '', piece: `${head(path, port)}\r\n`},
  'pipelined requests with a body': {
    begin: '',
    piece: `${head(path, port).replace('GET', 'POST')}Content-Length: 1\r\n\r\nx`
  },
  'requests without a host': {begin: '', piece: `GET ${path} HTTP/1.1\r\n\r\n`},
  'heads that never end': {begin: head(path, port), piece: 'x-more: x\r\n'},
  'a body of one-byte chunks': {
    begin: `${head(path, port).replace('GET', 'POST')}Transfer-Encoding: chunked\r\n\r\n`,
    piece: '1\r\nx\r\n'
  },
  'what is no HTTP': {begin: '', piece: '\u0016\u0003\u0001\u0000\u00ff'}
})

/** How a connection of HTTP/2 that floods begins. */
export const BEGINNING = PREFACE + request(1, UNFINISHED, 0)
