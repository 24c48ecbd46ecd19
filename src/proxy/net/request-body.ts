import type {Upstream} from './http1/upstream.ts'

/** A piece may also be kept for another attempt, or for a copy. */
export function changed(piece: Buffer, change: (piece: Buffer) => void): Buffer {
  const copy = Buffer.from(piece)
  change(copy)
  return copy
}

/** Writes `text`, then the piece as a chunk, and the end of the body if it is the last one. */
export function writeChunk(
  to: Pick<Upstream, 'writeAll'>,
  text: string,
  bytes: Buffer | undefined,
  isLast: boolean
): boolean {
  const size = bytes?.length ?? 0
  const before = size > 0 ? `${text}${size.toString(16)}\r\n` : text
  const after = `${size > 0 ? '\r\n' : ''}${isLast ? '0\r\n\r\n' : ''}`
  return before + after === '' ? true : to.writeAll(before, size > 0 ? bytes : undefined, after)
}

/** What one connection was given of a request, and has not written: it waits until another one is open. */
export class Unsent {
  text: string

  constructor(text: string) {
    this.text = text
  }

  /** False: wait until the connection is open. */
  writeAll(before: string, bytes: Buffer | undefined, after = ''): boolean {
    this.text += before + (bytes?.toString('latin1') ?? '') + after
    return false
  }
}
