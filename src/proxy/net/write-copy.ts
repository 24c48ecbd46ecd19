import type {Writable} from 'node:stream'

/** Largest piece that is read at once. */
const SIZE = 64 * 1024
/** Size below which a buffer would be mostly empty while it waits for a slow reader. */
const SMALL = 16 * 1024
/** Buffers that are kept: 1 MB. */
const MAX_FREE = 16

const free: Buffer[] = []

/**
 * Writes a copy of bytes that their owner will overwrite. After false, wait for `drain`. Reuses the buffers of large copies: V8 does not
 * count the size of dead buffers, and leaves 80 MB.
 */
export function writeCopy(stream: Writable, bytes: Buffer): boolean {
  if (bytes.length < SMALL || bytes.length > SIZE) return stream.write(Buffer.from(bytes))
  const whole = free.pop() ?? Buffer.allocUnsafeSlow(SIZE)
  bytes.copy(whole)
  return stream.write(whole.subarray(0, bytes.length), () => {
    if (free.length < MAX_FREE) free.push(whole)
  })
}
