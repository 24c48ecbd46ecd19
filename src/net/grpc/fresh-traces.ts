import {randomFillSync} from 'node:crypto'
import {BINARY_BYTES, BINARY_LENGTH, TRACE_BIN, TRACEPARENT} from './trace-fields.ts'

/** Traces that are made at once: a call of Node's for all of them costs hardly more than one for each. */
const COUNT = 64
const TRACE_BYTES = 16
const RANDOM_BYTES = 24
/** A binary trace and a byte of 0, so that each begins a group of base64. */
const ROOM = BINARY_BYTES + 1
const ROOM_LENGTH = (ROOM / 3) * 4

/** A new trace, not sampled: its traceparent, and both of its forms as fields. */
export interface FreshTrace {
  readonly traceparent: string
  readonly fields: string
}

let random: Buffer | undefined
let binary = Buffer.alloc(0)
let digits = ''
let base64 = ''
let used = COUNT

function refill(): void {
  if (random === undefined) {
    random = Buffer.allocUnsafeSlow(COUNT * RANDOM_BYTES)
    binary = Buffer.alloc(COUNT * ROOM)
    for (let at = 0; at < binary.length; at += ROOM) {
      binary[at + 2 + TRACE_BYTES] = 1
      binary[at + BINARY_BYTES - 2] = 2
    }
  }
  randomFillSync(random)
  for (let from = 0, to = 0; from < random.length; from += RANDOM_BYTES, to += ROOM) {
    random.copy(binary, to + 2, from, from + TRACE_BYTES)
    random.copy(binary, to + 3 + TRACE_BYTES, from + TRACE_BYTES, from + RANDOM_BYTES)
  }
  digits = random.toString('hex')
  base64 = binary.toString('base64')
  used = 0
}

/** Begins a trace. */
export function freshTrace(): FreshTrace {
  if (used === COUNT) refill()
  const hex = used * RANDOM_BYTES * 2
  const span = hex + TRACE_BYTES * 2
  const at = used++ * ROOM_LENGTH
  const traceparent = `00-${digits.slice(hex, span)}-${digits.slice(span, hex + RANDOM_BYTES * 2)}-00`
  return {traceparent, fields: TRACEPARENT + traceparent + TRACE_BIN + base64.slice(at, at + BINARY_LENGTH)}
}
