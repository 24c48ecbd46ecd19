import type {Failure, Upstream} from './upstream.ts'

/** A piece may also be kept for another attempt, or for a copy. */
export function changed(piece: Buffer, change: (piece: Buffer) => void): Buffer {
  const copy = Buffer.from(piece)
  change(copy)
  return copy
}

/** Takes the parts of a request. */
export type PartTarget = Pick<Upstream, 'writeAll' | 'writeLate' | 'isUnframed'>

/** A target whose connection is written late, if it can be. */
export const lateTo = (to: PartTarget): PartTarget =>
  to.writeLate === undefined ? to : {writeAll: to.writeLate.bind(to)}

/** Writes `text`, then the piece as a chunk, and the end of the body if it is the last one. */
export function writeChunk(to: PartTarget, text: string, bytes: Buffer | undefined, isLast: boolean): boolean {
  const size = bytes?.length ?? 0
  const before = size > 0 ? `${text}${size.toString(16)}\r\n` : text
  const after = `${size > 0 ? '\r\n' : ''}${isLast ? '0\r\n\r\n' : ''}`
  return before + after === '' ? true : to.writeAll(before, size > 0 ? bytes : undefined, after)
}

/** Part of a request that a connection has not written, and that waits for another one; may be empty. */
export class Unsent {
  text = ''

  /** Writes a part of the request. After false, wait until the connection is open. */
  writeAll(before: string, bytes: Buffer | undefined, after = ''): boolean {
    this.text += before + (bytes?.toString('latin1') ?? '') + after
    return false
  }
}

/** Methods of requests without a body that may be sent once more. */
export const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a request without a body may be sent once more, after its connection closed. RFC 9110 §9.2.2, but stricter: only if
 * nothing was received, on a reused connection, for safe requests; or if the callee says that it has not begun. The retry uses a new connection, so that it happens only once. The caller ensures that the process is still the same.
 */
export const isSafeAgain = (method: string, failure: Failure, upstream: Upstream | undefined): boolean =>
  failure === 'silent' && (upstream?.isUnprocessed === true || ((upstream?.served ?? 0) > 0 && SAFE.has(method)))
