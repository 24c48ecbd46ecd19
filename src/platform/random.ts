import {openSync, readSync} from 'node:fs'

/** Opened once: a call needs random bytes also while no descriptor is left. */
let file: number | undefined

/** Fills a buffer with random bytes from the system (random(4)), for starts and plain calls: loading node:crypto takes 12 ms and 2 MB. */
export function fillRandom(bytes: NodeJS.ArrayBufferView): void {
  file ??= openSync('/dev/urandom', 'r')
  if (readSync(file, bytes) !== bytes.byteLength) throw new Error('/dev/urandom gave too few bytes')
}

/** Returns random bytes as hexadecimal digits. */
export function randomHex(bytes: number): string {
  const buffer = Buffer.alloc(bytes)
  fillRandom(buffer)
  return buffer.toString('hex')
}
