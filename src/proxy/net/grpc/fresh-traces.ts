import {fillRandom} from '../../../platform/random.ts'
import {textCopy} from '#h2-frames'
import {BINARY_BYTES, BINARY_LENGTH, TRACE_BIN, TRACEPARENT, TRACEPARENT_LENGTH} from './trace-fields.ts'

/** Number of traces that are created together: a batch costs hardly more than one trace. */
const COUNT = 128
/** Size of a binary trace and a filler byte, a multiple of 3, so that each trace begins at a group of base64. */
const ROOM = BINARY_BYTES + 1
const FIELDS_LENGTH = TRACEPARENT.length + TRACEPARENT_LENGTH + TRACE_BIN.length + BINARY_LENGTH

/** A new trace that is not sampled. `fields`: encoded fields `traceparent` and `grpc-trace-bin`. */
export interface FreshTrace {
  readonly traceparent: string
  readonly fields: string
}

let binary: Buffer | undefined
/** Fields of all traces of the batch in one text, of which each trace is a slice. */
let text = ''
let used = 0

function refill(): void {
  binary ??= Buffer.allocUnsafeSlow(COUNT * ROOM)
  fillRandom(binary)
  for (let at = 0; at < binary.length; at += ROOM) {
    binary[at] = 0
    binary[at + 1] = 0
    binary[at + 18] = 1
    binary[at + 27] = 2
    binary[at + 28] = 0
    binary[at + 29] = 0
  }
  const digits = binary.toString('hex')
  const base64 = binary.toString('base64')
  let all = ''
  for (let at = 0; at < COUNT; at++) {
    const hex = at * ROOM * 2
    const from = at * ((ROOM / 3) * 4)
    all += `${TRACEPARENT}00-${digits.slice(hex + 4, hex + 36)}-${digits.slice(hex + 38, hex + 54)}-00`
    all += TRACE_BIN + base64.slice(from, from + BINARY_LENGTH)
  }
  text = textCopy(all)
  used = 0
}

/** Returns a new trace. */
export function freshTrace(): FreshTrace {
  if (used === text.length) refill()
  const fields = text.slice(used, (used += FIELDS_LENGTH))
  return {traceparent: fields.slice(TRACEPARENT.length, TRACEPARENT.length + TRACEPARENT_LENGTH), fields}
}
