import {
  ACK,
  block,
  bytesOf,
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  mutatedFrames,
  SETTINGS,
  oddFrame,
  type Frame
} from './http2-frames.ts'
import {HTTP1_WORDS} from './http1-requests.ts'
import type {Random} from './random.ts'
import {endOf, inPieces, mutated, type Script} from './script.ts'

/** What an app answers, and what its caller must then see. */
export interface Answer {
  readonly script: Script
  /** `whole`: status 200 with this body. `cut`: anything but a whole answer 200. `any`: only an end. */
  readonly expected: 'whole' | 'cut' | 'any'
  readonly body: string
}

const STATUSES = [
  '200 OK',
  '204 X',
  '304 X',
  '100 Continue',
  '103 X',
  '101 X',
  '199',
  '500 X',
  '600 X',
  '999 X',
  '099 X',
  '0 X',
  '2000 X'
]
const FIELDS = [
  'Content-Type: text/plain',
  'Content-Type: a/b',
  'Set-Cookie: a=b',
  'Set-Cookie: c=d',
  'X-High: \xe9\xff',
  'X-Empty:',
  'Connection: close',
  'Connection: keep-alive, x-a',
  'Keep-Alive: timeout=5',
  'Trailer: X-T',
  'Upgrade: h2c',
  'Content-Length: 5',
  'Transfer-Encoding: gzip',
  'Date: x',
  'dapr-app-id: x',
  `X-Long: ${'v'.repeat(3000)}`
]

/** How answers are put; each knows its whole text. */
const FRAMINGS: readonly ((body: string, fields: string) => string)[] = [
  (body, fields) => `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`,
  (body, fields) =>
    `HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  (body, fields) =>
    `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
]

const linesOf = (fields: readonly string[]): string => fields.map(field => `${field}\r\n`).join('')

/** Whole answers of each framing, short ones. */
export const SHORT_ANSWERS = FRAMINGS.map(framing => Buffer.from(framing('hello', 'X-A: b\r\n')))

/** An answer of HTTP/1; its body is never empty. */
export function http1Answer(random: Random, name: string): Answer {
  const body = `${name} ${'b'.repeat(random.pick([0, 10, 3000, 100_000]))}`
  const text = random.pick(FRAMINGS)(body, linesOf(random.some(FIELDS.slice(0, 6), 3)))
  const bytes = Buffer.from(text, 'latin1')
  switch (random.below(5)) {
    case 0:
      return {script: {pieces: inPieces(random, bytes), end: random.pick(['stay', 'fin'])}, expected: 'whole', body}
    case 1: {
      const cut = bytes.subarray(0, random.below(random.oneIn(2) ? bytes.length : Math.min(bytes.length, 250)))
      return {script: {pieces: inPieces(random, cut), end: endOf(random)}, expected: 'cut', body}
    }
    case 2: {
      const head = `HTTP/1.${random.below(3)} ${random.pick(STATUSES)}\r\n${linesOf(random.some(FIELDS, 5))}`
      const odd = Buffer.from(`${head}\r\n${random.pick(['', 'hello', '5\r\nhello\r\n0\r\n\r\n'])}`, 'latin1')
      return {script: {pieces: inPieces(random, odd), end: endOf(random)}, expected: 'any', body}
    }
    default:
      return {
        script: {pieces: inPieces(random, mutated(random, bytes, HTTP1_WORDS)), end: endOf(random)},
        expected: 'any',
        body
      }
  }
}

/** A short whole answer of HTTP/2. */
export const shortStream = (stream: number): Buffer =>
  Buffer.concat(
    [
      {type: HEADERS, flags: END_HEADERS, stream, payload: block([[':status', '200']])},
      {type: DATA, stream, payload: Buffer.from('hel')},
      {type: DATA, flags: END_STREAM, stream, payload: Buffer.from('lo')}
    ].map(bytesOf)
  )

const H2_STATUSES = ['200', '204', '304', '100', '103', '101', '500', '600', '999', '099', 'x', '']
const H2_FIELDS: readonly (readonly [string, string])[] = [
  ['content-type', 'text/plain'],
  ['content-type', 'a/b'],
  ['set-cookie', 'a=b'],
  ['content-length', '5'],
  ['connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['X-Capital', 'a'],
  ['x-high', '\xe9'],
  ['x-line', 'a\r\nb: c'],
  [':status', '200'],
  [':path', '/'],
  ['x-long', 'v'.repeat(6000)]
]
const SIZES = [0, 10, 3000, 16_000]

/** An answer of HTTP/2 on a stream; its body is never empty and its length is not told, so only its end makes it whole. */
export function http2Answer(random: Random, name: string, stream: number): Answer {
  const body = `${name} ${'b'.repeat(random.pick(SIZES))}`
  const head = (status: string, fields: readonly (readonly [string, string])[] = [], flags = END_HEADERS): Frame => ({
    type: HEADERS,
    flags,
    stream,
    payload: block([[':status', status], ...fields])
  })
  const hints = random.oneIn(3) ? [head('103', [['link', '</x>']])] : []
  const data = {type: DATA, stream, payload: Buffer.from(body)}
  const trailers = {type: HEADERS, flags: END_HEADERS | END_STREAM, stream, payload: block([['x-t', 'u']])}
  const end = random.oneIn(3) ? [data, trailers] : [{...data, flags: END_STREAM}]
  // of the settings that came with the connection
  const acknowledgement = stream === 1 ? [{type: SETTINGS, flags: ACK}] : []
  const frames = [...acknowledgement, ...hints, head('200', random.some(H2_FIELDS.slice(0, 3), 2)), ...end]
  const bytes = Buffer.concat(frames.map(bytesOf))
  switch (random.below(5)) {
    case 0:
      return {script: {pieces: inPieces(random, bytes), end: random.pick(['stay', 'fin'])}, expected: 'whole', body}
    case 1:
      return {
        script: {pieces: inPieces(random, bytes.subarray(0, random.below(bytes.length))), end: endOf(random)},
        expected: 'cut',
        body
      }
    case 2: {
      const odd = [head(random.pick(H2_STATUSES), random.some(H2_FIELDS, 4), END_HEADERS | random.below(2)), data]
      const sent = Buffer.concat([...odd, oddFrame(random, stream), data].map(bytesOf))
      return {script: {pieces: inPieces(random, sent), end: endOf(random)}, expected: 'any', body}
    }
    default:
      return {
        script: {pieces: inPieces(random, mutatedFrames(random, frames)), end: endOf(random)},
        expected: 'any',
        body
      }
  }
}
