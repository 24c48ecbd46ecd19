import type {Random} from './random.ts'
import {mutated} from './script.ts'

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Types of frames (RFC 9113 §6). */
export const DATA = 0
export const HEADERS = 1
const PRIORITY = 2
export const RST_STREAM = 3
export const SETTINGS = 4
const PUSH_PROMISE = 5
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const CONTINUATION = 9

export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
const PADDED = 8

export interface Frame {
  readonly type: number
  readonly flags?: number
  readonly stream?: number
  readonly payload?: Buffer
}

export function bytesOf({type, flags = 0, stream = 0, payload = Buffer.alloc(0)}: Frame): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export const uint32 = (...numbers: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number >>> 0, 4 * index)
  return bytes
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'latin1')
  const size =
    bytes.length < 127
      ? [bytes.length]
      : [127, ((bytes.length - 127) % 128) | 128, Math.floor((bytes.length - 127) / 128)]
  return Buffer.concat([Buffer.from(size), bytes])
}

/** Fields as HPACK writes them in plain (RFC 7541 §6.2.2). */
export const block = (fields: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))

/** A frame that may come at any time, or never. */
export function oddFrame(random: Random, stream: number): Frame {
  const code = random.pick([0, 1, 2, 3, 5, 7, 8, 11, 13, 0xffffffff])
  const increment = random.pick([0, 1, 65_535, 0x7fffffff, 0xffffffff])
  const other = random.pick([0, 1, 2, stream, stream + 2, 0x7fffffff])
  return random.pick<Frame>([
    {type: RST_STREAM, stream, payload: uint32(code)},
    {type: RST_STREAM, stream: other, payload: uint32(code)},
    {type: WINDOW_UPDATE, stream: other, payload: uint32(increment)},
    {type: PING, flags: random.below(2), payload: random.bytes(8)},
    {type: PRIORITY, stream, payload: Buffer.concat([uint32(other), Buffer.from([16])])},
    {type: GOAWAY, payload: uint32(other, code)},
    {type: SETTINGS, payload: Buffer.concat([Buffer.from([0, 1 + random.below(9)]), uint32(increment)])},
    {type: SETTINGS, flags: ACK},
    {type: CONTINUATION, flags: END_HEADERS, stream, payload: block([['x-c', 'd']])},
    {type: PUSH_PROMISE, flags: END_HEADERS, stream, payload: Buffer.concat([uint32(2), block([[':path', '/']])])},
    {type: HEADERS, flags: END_HEADERS | random.below(2), stream: other, payload: block([['x-t', 'u']])},
    {type: HEADERS, stream, payload: block([['x-open', 'never ended']])},
    {type: DATA, flags: random.below(2), stream: other, payload: random.bytes(random.below(20))},
    {type: DATA, flags: PADDED, stream, payload: Buffer.from([random.below(9), 65, 66, 0, 0])},
    {type: 10 + random.below(245), stream: other, payload: random.bytes(random.below(30))}
  ])
}

/** Frames in another order, some left out, doubled, of another kind, or broken. */
export function mutatedFrames(random: Random, frames: readonly Frame[]): Buffer {
  const list = [...frames]
  for (let count = random.below(4); count > 0; count--) {
    const [at, to] = [random.below(list.length), random.below(list.length + 1)]
    const frame = list[at] ?? {type: PING, payload: random.bytes(8)}
    const change = random.below(5)
    if (change !== 1) list.splice(at, change === 0 || change === 2 || change === 3 ? 1 : 0)
    if (change === 1 || change === 2) list.splice(to, 0, frame)
    if (change === 3)
      list.splice(at, 0, {
        ...frame,
        ...random.pick([{flags: random.below(64)}, {type: random.below(11)}, {stream: random.below(9)}])
      })
    if (change === 4) list.splice(to, 0, oddFrame(random, frame.stream ?? 1))
  }
  const bytes = Buffer.concat(list.map(bytesOf))
  return random.oneIn(3) ? mutated(random, bytes, ['\0\0\0', '\0\0\x04\x08', '\xff\xff\xff\0', '\x88']) : bytes
}
