import {
  block,
  bytesOf,
  DATA,
  END_HEADERS,
  HEADERS,
  PREFACE,
  RST_STREAM,
  SETTINGS,
  uint32,
  type Frame
} from './http2-frames.ts'
import type {Random} from './random.ts'
import {endOf, inPieces, type Script} from './script.ts'

const PATHS = ['/v1.0/invoke/echo/method/x', '/v1.0/invoke/echo/method/never', '/v1.0/healthz', '/a.B/C']

const opened = (random: Random, stream: number, flags = END_HEADERS): Frame => ({
  type: HEADERS,
  flags,
  stream,
  payload: block([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', random.pick(PATHS)],
    [':authority', 'localhost'],
    ['content-type', random.pick(['application/grpc', 'text/plain'])]
  ])
})

/** The nth frames of one who sends nothing else. */
const FLOODS: readonly ((random: Random, n: number) => readonly Frame[])[] = [
  (random, n) => [opened(random, 2 * n + 1), {type: RST_STREAM, stream: 2 * n + 1, payload: uint32(8)}],
  (random, n) => [opened(random, 2 * n + 1)],
  (random, n) => [n === 0 ? opened(random, 1) : {type: DATA, stream: 1}],
  (random, n) => [n === 0 ? opened(random, 1, 0) : {type: 9, stream: 1, payload: random.bytes(random.below(3))}],
  (random, n) => [n === 0 ? opened(random, 1) : {type: 8, stream: random.below(2), payload: uint32(1)}],
  (random, n) => [n === 0 ? opened(random, 1) : {type: 2, stream: 1, payload: Buffer.alloc(5)}],
  random => [{type: 6, payload: random.bytes(8)}],
  () => [{type: SETTINGS}],
  random => [{type: SETTINGS, payload: Buffer.concat([Buffer.from([0, 4]), uint32(random.below(70_000))])}],
  random => [{type: 10 + random.below(200), payload: random.bytes(random.below(10))}]
]

/** Frames of one kind, hundreds or thousands of them. */
export function flood(random: Random): Script {
  const make = random.pick(FLOODS)
  const count = random.pick([50, 300, 2000])
  const frames = Array.from({length: count}, (_, n) => make(random, n)).flat()
  const bytes = Buffer.concat([PREFACE, ...[{type: SETTINGS}, ...frames].map(bytesOf)])
  return {pieces: inPieces(random, bytes), end: endOf(random)}
}
