import type {Random} from './random.ts'
import {endOf, inPieces, mutated, type Script} from './script.ts'

/** What servers of HTTP/1 look for, and what confuses them. */
export const HTTP1_WORDS = [
  '\r\n',
  '\n',
  '\r\n\r\n',
  ' HTTP/1.1\r\n',
  'HTTP/1.0',
  'Host: localhost\r\n',
  'Content-Length: 3\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive, x-a, host\r\n',
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  '0\r\n\r\n',
  'ffffffff\r\n',
  '5;a="b"\r\n',
  '%',
  '%2f',
  '%00',
  '..',
  '//',
  '?',
  '#',
  'dapr-app-id: echo\r\n',
  'dapr-app-id: http://127.0.0.1:1\r\n',
  'Expect: 100-continue\r\n',
  'a'.repeat(5000)
]

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PATCH', 'get', 'PURGE', 'X-Y']
const ECHO = '/v1.0/invoke/echo/method'
const TARGETS = [
  `${ECHO}/x`,
  `${ECHO}/a%2Fb?c=d%20e`,
  `${ECHO}//x/../y`,
  `${ECHO}/never`,
  `${ECHO}/%E4%F6%00%`,
  '/v1.0/invoke/echo.default/method/x',
  '/v1.0/invoke/nobody/method/x',
  '/v1.0/invoke/http://127.0.0.1:1/method/x',
  '/v1.0/invoke/web/method/x',
  '/v1.0/healthz',
  '/v1.0/healthz/outbound',
  '/v1.0/metadata',
  '/v1.0/metadata/a%C3%A4%25',
  '/v1.0/state/store/key',
  '/v1.0/bindings/%C3%A4',
  '/v1.0/publish/a/b?metadata.x=%',
  '/services/x_1.0.0/docs',
  '/services/',
  '/notifications/',
  '/metrics',
  '/',
  '*',
  'http://localhost/v1.0/healthz',
  '//',
  '/%',
  '/x'
]
const FIELDS = [
  'Host: localhost',
  'Host: [::1].evil.example',
  'Host: a b',
  'dapr-app-id: echo',
  'dapr-app-id: %',
  'dapr-app-id: http://[::1',
  'Authorization: Basic ZGFwci1hcHAtaWQ6ZWNobw==',
  'Authorization: Basic %%%',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'traceparent: 00-zz--01',
  'baggage: a=b;c=%ZZ,=,,x',
  'Connection: close',
  'Connection: keep-alive, x-a',
  'TE: trailers',
  'Trailer: X-T',
  'Expect: 100-continue',
  'Expect: tea',
  'Cookie: a=b',
  'Cookie: c=d',
  'X-A: \xe9\xff\x80',
  'X-A:',
  `X-Long: ${'v'.repeat(3000)}`,
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Content-Length: 0',
  'Content-Type: multipart/form-data; boundary=x',
  'Content-Type: application/json',
  'dapr-api-token: x',
  'Origin: http://localhost',
  'Range: bytes=0-1'
]

const chunked = (random: Random): string => {
  const chunks = random.some(['a', 'hello', 'x'.repeat(300), 'y'.repeat(20_000)], 4)
  const extension = random.pick(['', '', ';a', ';a=b', ' ', ';"'])
  const trailer = random.pick(['', '', 'X-T: u\r\n', 'Content-Length: 3\r\n', 'X T: u\r\n'])
  const size = ({length}: string): string => random.pick([length.toString(16), `0${length.toString(16)}`])
  return `${chunks.map(chunk => `${size(chunk)}${extension}\r\n${chunk}\r\n`).join('')}0\r\n${trailer}\r\n`
}

/** One request; each is whole by itself, if odd. */
export function http1Request(random: Random): string {
  const head = `${random.pick(METHODS)} ${random.pick(TARGETS)} HTTP/1.${random.oneIn(8) ? 0 : 1}\r\n`
  const fields = [...(random.oneIn(20) ? [] : ['Host: localhost']), ...random.some(FIELDS, random.oneIn(2) ? 1 : 5)]
  const lines = fields.map(field => `${field}\r\n`).join('')
  const body = random.pick(['', 'abc', '\r\n\r\n', 'z'.repeat(5000)])
  const length = body.length + (random.oneIn(10) ? random.below(5) - 2 : 0)
  const framed = [
    `\r\n`,
    `Content-Length: ${length}\r\n\r\n${body}`,
    `Transfer-Encoding: chunked\r\n\r\n${chunked(random)}`
  ]
  return head + lines + random.pick(framed)
}

const MOST_AHEAD = 6000

/** Requests sent ahead, some of them broken. */
export function http1Client(random: Random): Script {
  const requests = Array.from({length: 1 + random.below(random.oneIn(3) ? 6 : 2)}, () => http1Request(random))
  const text = requests.join('')
  // who waits, and has sent more ahead than is read, cannot be seen to leave; in Go neither
  const bytes = Buffer.from(text.length > MOST_AHEAD ? text.replaceAll('/never', '/x') : text, 'latin1')
  const sent = random.oneIn(3) ? bytes : mutated(random, bytes, HTTP1_WORDS)
  return {pieces: inPieces(random, sent), end: endOf(random)}
}
