import {http1Request} from './http1-requests.ts'
import {
  block,
  bytesOf,
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  mutatedFrames,
  PREFACE,
  SETTINGS,
  oddFrame,
  type Frame
} from './http2-frames.ts'
import type {Random} from './random.ts'
import {endOf, inPieces, type Script} from './script.ts'

const PATHS = [
  '/v1.0/invoke/echo/method/x',
  '/v1.0/invoke/echo/method/never',
  '/v1.0/invoke/nobody/method/x',
  '/v1.0/invoke/web/method/x',
  '/v1.0/healthz',
  '/v1.0/metadata',
  '/v1.0/metadata/a%C3%A4%25',
  '/v1.0/state/x/y',
  '/v1.0/%',
  '/x',
  '*',
  ''
]
const FIELDS: readonly (readonly [string, string])[] = [
  ['host', 'localhost'],
  ['content-length', '3'],
  ['content-length', '4'],
  ['cookie', 'a=b'],
  ['cookie', 'c=d'],
  ['te', 'trailers'],
  ['te', 'gzip'],
  ['connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'websocket'],
  ['expect', '100-continue'],
  ['dapr-app-id', 'echo'],
  ['dapr-app-id', '%'],
  ['traceparent', '00-zz--01'],
  ['X-Capital', 'a'],
  ['x-high', '\xe9\x80'],
  ['x-line', 'a\r\nb: c'],
  ['x-zero', 'a\0b'],
  ['', 'empty'],
  ['x y', 'space'],
  [':status', '200'],
  [':protocol', 'websocket'],
  ['x-long', 'v'.repeat(6000)]
]

function headOf(random: Random): readonly (readonly [string, string])[] {
  const pseudo: readonly (readonly [string, string])[] = [
    [':method', random.pick(['GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'PUT', 'X-Y', 'get'])],
    [':scheme', random.pick(['http', 'http', 'https', ''])],
    [':path', random.pick(PATHS)],
    [':authority', random.pick(['localhost', 'localhost', '[::1', ''])]
  ]
  const kept = random.oneIn(6) ? pseudo.filter(() => !random.oneIn(3)) : pseudo
  const fields = random.some(FIELDS, random.oneIn(2) ? 0 : 3)
  return random.oneIn(12) ? [...fields, ...kept] : [...kept, ...fields]
}

function streamOf(random: Random, stream: number): readonly Frame[] {
  const hasBody = random.oneIn(2)
  const head = {type: HEADERS, flags: END_HEADERS | (hasBody ? 0 : END_STREAM), stream, payload: block(headOf(random))}
  const sizes = hasBody ? [...random.some([0, 3, 1000, 16_384], 2), 3] : []
  const body = sizes.map((size, at): Frame => {
    const isLast = at === sizes.length - 1 && !random.oneIn(4)
    return {type: DATA, flags: isLast ? END_STREAM : 0, stream, payload: Buffer.alloc(size, 'd')}
  })
  return [head, ...body, ...(random.oneIn(3) ? [oddFrame(random, stream)] : [])]
}

function framesFrom(random: Random, first: number): readonly Frame[] {
  const count = 1 + random.below(random.oneIn(3) ? 8 : 2)
  const streams = Array.from({length: count}, (_, index) => streamOf(random, first + 2 * index))
  return [{type: SETTINGS}, ...streams.flat()]
}

const upgrade = (target: string): string =>
  `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`

/** HTTP/2 from the first byte on, or after an upgrade, which may stand behind other requests. */
export function http2Client(random: Random): Script {
  const isUpgrade = random.oneIn(3)
  // who waits, and has sent more ahead than is read, cannot be seen to leave
  const ahead = isUpgrade && random.oneIn(2) ? http1Request(random).replaceAll('/never', '/x') : ''
  const begin = isUpgrade ? ahead + upgrade(random.pick(PATHS.slice(0, 8))) : ''
  const frames = framesFrom(random, isUpgrade ? 3 : 1)
  const sent = random.oneIn(4) ? Buffer.concat(frames.map(bytesOf)) : mutatedFrames(random, frames)
  const preface = random.oneIn(30) ? PREFACE.subarray(0, random.below(24)) : PREFACE
  const bytes = Buffer.concat([Buffer.from(begin, 'latin1'), preface, sent])
  return {pieces: inPieces(random, bytes), end: endOf(random)}
}

const POST = 'POST /v1.0/invoke/echo/method/x HTTP/1.1\r\nHost: localhost\r\n'
const STREAM = Buffer.concat([
  PREFACE,
  ...[
    {type: SETTINGS},
    {
      type: HEADERS,
      flags: END_HEADERS,
      stream: 1,
      payload: block([
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', PATHS[0] ?? '']
      ])
    },
    {type: DATA, flags: END_STREAM, stream: 1, payload: Buffer.from('abc')}
  ].map(bytesOf)
])

/** Short exchanges of each kind that callers begin. */
export const EXCHANGES: readonly Buffer[] = [
  Buffer.from(`${POST}Content-Length: 3\r\n\r\nabc`),
  Buffer.from(`${POST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`),
  Buffer.from(`${POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`),
  Buffer.from(`GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n${POST}Content-Length: 3\r\n\r\nabc`),
  Buffer.from(`${POST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nframes`),
  STREAM,
  Buffer.concat([Buffer.from(upgrade('/v1.0/invoke/echo/method/x')), STREAM.subarray(0, PREFACE.length + 9)]),
  Buffer.concat([
    Buffer.from(`${POST}Content-Length: 3\r\n\r\nabc${upgrade('/v1.0/healthz')}`),
    STREAM.subarray(0, PREFACE.length + 9)
  ])
]
