import {Budget, Collector} from '../../platform/collector.ts'
import type {Upstream} from './upstream.ts'

/** Returns a changed copy of a piece, since a retry or a mirrored call may keep the original. */
export function changed(piece: Buffer, change: (piece: Buffer) => void): Buffer {
  const copy = Buffer.from(piece)
  change(copy)
  return copy
}

/** The part of a connection that the pieces of a request are written to. */
export type PartTarget = Pick<Upstream, 'writeAll' | 'writeLate' | 'isUnframed'>

/** Returns the same target, whose `writeAll` is its `writeLate` if it has one. */
export const lateTo = (to: PartTarget): PartTarget =>
  to.writeLate === undefined ? to : {writeAll: to.writeLate.bind(to)}

/** Writes `text`, then the piece as a chunk, and the end of the body after the last one. */
export function writeChunk(to: PartTarget, text: string, bytes: Buffer | undefined, isLast: boolean): boolean {
  const size = bytes?.length ?? 0
  const before = size > 0 ? `${text}${size.toString(16)}\r\n` : text
  const after = `${size > 0 ? '\r\n' : ''}${isLast ? '0\r\n\r\n' : ''}`
  return before + after === '' ? true : to.writeAll(before, size > 0 ? bytes : undefined, after)
}

/** A request that a callee has not begun to handle, and that waits for another connection; may be empty. */
export class Unsent {
  text = ''
  isUnframed: true | undefined
  /** Whether the request was sent again, which happens once. */
  wasSent = false

  /** Takes the request back from a failed connection. Returns false if its callee may have begun to handle it. */
  take(upstream: Upstream | undefined): boolean {
    if (upstream === undefined || upstream.unsent === '' || this.wasSent) return false
    this.text = upstream.unsent
    this.isUnframed = upstream.isUnframed
    return true
  }

  /** Sends the request on another connection; `isLast`: it is complete. */
  sendTo(upstream: Upstream, isLast: boolean): void {
    const end = this.text.indexOf('\r\n\r\n') + 4
    const [head, body] = [this.text.slice(0, end), this.text.slice(end)]
    this.text = ''
    this.wasSent = true
    upstream.writeAll(head, body === '' ? undefined : Buffer.from(body, 'latin1'), '', isLast)
  }

  /** Writes a part of the request. After false, wait until the connection is open. */
  writeAll(before: string, bytes: Buffer | undefined, after = ''): boolean {
    this.text += before + (bytes?.toString('latin1') ?? '') + after
    return false
  }
}

/** Maximum size of all kept bodies. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024

const KEPT_BODIES = new Budget(MAX_KEPT_BYTES)

/** A request's body, kept while it may have to be sent again. */
export class KeptBody {
  /** The first attempt has started to send it. */
  isStarted = false
  isWhole = false
  /** The body has exceeded the limit: the call cannot be sent again. */
  isLost = false
  readonly #collector: Collector

  /** `maxBytes`: 0: only limited by the total of all calls. */
  constructor(maxBytes: number) {
    this.#collector = new Collector(maxBytes === 0 ? MAX_KEPT_BYTES : Math.min(maxBytes, MAX_KEPT_BYTES), KEPT_BODIES)
  }

  /** Copies a piece: bytes, or latin1 text. */
  add(bytes: Buffer | string | undefined, isLast: boolean): void {
    if (isLast) this.isWhole = true
    if (bytes === undefined || this.isLost || this.#collector.add(bytes) === 'added') return
    this.isLost = true
    this.release()
  }

  /** The bytes that have been kept so far. */
  whole(): Buffer {
    return this.#collector.whole()
  }

  /** Frees the body: it will not be sent again. */
  release(): void {
    this.#collector.release()
  }
}

/** Methods of requests without a body that may be sent once more. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A request over any protocol whose callee ended it, or its connection, before a response began. */
interface Unanswered {
  readonly method: string
  readonly hasBody: boolean
  /** Whether the callee has not begun to handle it, and it is kept completely. */
  readonly isUnprocessed: boolean
  /** The connection had carried other requests. */
  readonly wasUsed: boolean
}

/**
 * Decides whether a request is repeated: if its callee has not begun to handle it (RFC 9113 §8.7), or if it has no body, is safe, and
 * used a reused connection (RFC 9110 §9.2.2, but stricter). The caller ensures that the process is the same, and that it happens once.
 */
export const maySendAgain = ({method, hasBody, isUnprocessed, wasUsed}: Unanswered): boolean =>
  isUnprocessed || (wasUsed && !hasBody && SAFE.has(method))
