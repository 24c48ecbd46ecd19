import type {Writable} from 'node:stream'

/** Size of the reused buffers: the largest piece that one read returns. */
const SIZE = 64 * 1024
/** Size below which a piece gets a buffer of its own size: it would waste most of a reused one. */
const SMALL = 16 * 1024
/** Maximum number of free buffers that are kept (1 MB). */
const MAX_FREE = 16

const free: Buffer[] = []

/** Writes a copy of bytes that their owner will overwrite. Returns false to wait for `drain`. Reuses large buffers: V8 collects dead ones late (80 MB). */
export function writeCopy(stream: Writable, bytes: Buffer): boolean {
  if (bytes.length < SMALL || bytes.length > SIZE) return stream.write(Buffer.from(bytes))
  const whole = free.pop() ?? Buffer.allocUnsafeSlow(SIZE)
  bytes.copy(whole)
  return stream.write(whole.subarray(0, bytes.length), () => {
    if (free.length < MAX_FREE) free.push(whole)
  })
}
