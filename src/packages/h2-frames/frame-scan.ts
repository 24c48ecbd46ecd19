import {CONTINUATION, DATA, HEAD_BYTES, HEADERS, RST_STREAM, WINDOW_UPDATE} from './frames.ts'
import {MAX_STREAMS, PREFACE} from './greeting.ts'

/** The cost of a reset stream for node, in pings. */
export const RESET_COST = 10

/** The cost of frames that carry nothing (see `FloodGuard`), by type; those of other types cost one, and so do streams beyond those that a connection may have open. */
const COSTS = new Map([
  [DATA, 0],
  [RST_STREAM, RESET_COST],
  [WINDOW_UPDATE, 0],
  [CONTINUATION, 0]
])

/**
 * The cost of the whole frames at the start of a connection. node:http2 reads all that was sent ahead before it reports the first
 * stream: a flood that is sent ahead has to be found without it.
 */
export function costOf(bytes: Buffer): number {
  let cost = 0
  let opened = 0
  for (let at = PREFACE.length; at + HEAD_BYTES <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3)
    const type = bytes[at + 3] ?? 0
    const isFree = type === HEADERS && ++opened <= MAX_STREAMS
    if (!isFree) cost += type === DATA && length === 0 ? 1 : (COSTS.get(type) ?? 1)
    at += HEAD_BYTES + length
  }
  return cost
}
