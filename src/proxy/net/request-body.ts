import {Budget, Collector} from '../../platform/collector.ts'
import type {Upstream} from './upstream.ts'

/** Returns a changed copy of a piece. A retry or a copy for shadows may keep the original. */
export function changed(piece: Buffer, change: (piece: Buffer) => void): Buffer {
  const copy = Buffer.from(piece)
  change(copy)
  return copy
}

/** The methods of a connection that write a request. */
export type PartTarget = Pick<Upstream, 'writeAll' | 'writeLate' | 'isUnframed'>

/** Returns a target that writes by `writeLate`, if the connection has that method. */
export const lateTo = (to: PartTarget): PartTarget =>
  to.writeLate === undefined ? to : {writeAll: to.writeLate.bind(to)}

/** Writes `text`, then the piece as a chunk of HTTP/1.1, and after the last piece the end of the body. */
export function writeChunk(to: PartTarget, text: string, bytes: Buffer | undefined, isLast: boolean): boolean {
  const size = bytes?.length ?? 0
  const before = size > 0 ? `${text}${size.toString(16)}\r\n` : text
  const after = `${size > 0 ? '\r\n' : ''}${isLast ? '0\r\n\r\n' : ''}`
  return before + after === '' ? true : to.writeAll(before, size > 0 ? bytes : undefined, after)
}

/** The bytes of a request that no callee has processed, while it waits for another connection; empty: no such request. */
export class Unsent {
  text = ''
  isUnframed: true | undefined
  /** Whether the request was sent again, which is allowed once. */
  wasSent = false

  /** Takes the request back from a failed connection. Returns false if its callee may have processed it. */
  take(upstream: Upstream | undefined): boolean {
    if (upstream === undefined || upstream.unsent === '' || this.wasSent) return false
    this.text = upstream.unsent
    this.isUnframed = upstream.isUnframed
    return true
  }

  /** Sends the request on another connection. `isLast`: the request is complete. */
  sendTo(upstream: Upstream, isLast: boolean): void {
    const end = this.text.indexOf('\r\n\r\n') + 4
    const [head, body] = [this.text.slice(0, end), this.text.slice(end)]
    this.text = ''
    this.wasSent = true
    upstream.writeAll(head, body === '' ? undefined : Buffer.from(body, 'latin1'), '', isLast)
  }

  /** Stores a part of the request. Returns false, so that the caller waits until the connection is open. */
  writeAll(before: string, bytes: Buffer | undefined, after = ''): boolean {
    this.text += before + (bytes?.toString('latin1') ?? '') + after
    return false
  }
}

/** Maximum size of all kept bodies together. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024

const KEPT_BODIES = new Budget(MAX_KEPT_BYTES)

/** The body of a request, kept while resiliency policies may send it again. */
export class KeptBody {
  /** Whether the first attempt has started to send the body. */
  isStarted = false
  isWhole = false
  /** Whether the body has exceeded the limit, so that the call cannot be sent again. */
  isLost = false
  readonly #collector: Collector

  /** `maxBytes`: maximum size; 0: only limited by `MAX_KEPT_BYTES`. */
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

  /** Returns the bytes so far. */
  whole(): Buffer {
    return this.#collector.whole()
  }

  /** Frees the body. */
  release(): void {
    this.#collector.release()
  }
}

/** Methods of requests that may be sent once more if they have no body. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Facts about a request that ended without a response, over any protocol. */
interface Unanswered {
  readonly method: string
  readonly hasBody: boolean
  /** Whether the callee has certainly not processed the request, and all its bytes are kept. */
  readonly isUnprocessed: boolean
  /** Whether the connection had carried other requests. */
  readonly wasUsed: boolean
}

/**
 * Decides whether a request is sent again: if its callee has not processed it (RFC 9113 §8.7), or if it is safe, has no body, and used a
 * reused connection, which the callee may have just closed (RFC 9110 §9.2.2, but stricter). Callers ensure that the process is the same one,
 * and that they repeat a request once.
 */
export const maySendAgain = ({method, hasBody, isUnprocessed, wasUsed}: Unanswered): boolean =>
  isUnprocessed || (wasUsed && !hasBody && SAFE.has(method))
