import {write} from 'node:fs'

/** Maximum bytes of one write; longer texts are written in pieces. */
const PIECE_BYTES = 64 * 1024
/** Length below which Node copies the text, in characters. */
const SHORT = 4 * 1024
/** Number of buffers that are kept for the next writes. */
const MAX_KEPT = 4

type Written = (error: Error | null, written: number) => void

const kept: Buffer[] = []

/**
 * Writes all of a latin1 text to a descriptor in the thread pool, then calls `done` once with the number of written characters, fewer
 * after an error. The system may write less than requested, for example on a nearly full disk. Reuses buffers for long texts: Node would
 * copy each into malloc's memory, which is not returned after a flood.
 */
export function writeText(fd: number, text: string, done: Written): void {
  if (text.length > SHORT) return writePieces(fd, text, done)
  write(fd, text, null, 'latin1', (error, written) => {
    if (error !== null || written === text.length) done(error, error === null ? written : 0)
    else writeText(fd, text.slice(written), (failure, more) => done(failure, written + more))
  })
}

function writePieces(fd: number, text: string, done: Written): void {
  const buffer = kept.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES)
  let at = 0
  const next = (error: Error | null, written = 0): void => {
    if (error === null) at += written
    if (error === null && at < text.length) {
      const bytes = buffer.write(text.slice(at, at + PIECE_BYTES), 'latin1')
      return write(fd, buffer, 0, bytes, null, next)
    }
    if (kept.length < MAX_KEPT) kept.push(buffer)
    done(error, at)
  }
  next(null)
}
