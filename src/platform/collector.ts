import {bodyTurn} from './own-turn.ts'

/** Counts the bytes of several bodies; see `Budget`. */
export type Room = Pick<Budget, 'take' | 'give'>

/** Limit of bytes for all bodies, each of which its collector counts. */
export class Budget {
  readonly max: number
  #used = 0

  constructor(max: number) {
    this.max = max
  }

  /** Counts more bytes of a body that has `held` already. Returns false without room. */
  take(bytes: number, held: number): boolean {
    // while there is only one body, only its own limit counts, which a user may have set above the common one
    if (this.#used + bytes > this.max && this.#used > held) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
  }
}

/** The error for a body that exceeds the limit (Dapr: kit/streams). */
export const TOO_LARGE = 'stream too large'

const MIB = 1024 * 1024

/** Limit for bodies that are read as a whole before they are used: requests to Pillion's own APIs, responses to its own requests. */
export const READ_BODIES = new Budget(64 * MIB)

/** Reason of a refused body, after the name of the body. */
export const NO_ROOM = `bodies of ${READ_BODIES.max / MIB} MiB are being read already: send it again later`

const MIN_BLOCK = 4096
const MAX_BLOCK = MIB
/** Maximum bytes to reserve for an announced body. */
const MAX_EXPECTED = 128 * 1024

/**
 * Collects a body from pieces. Copies them into few growing blocks: a Buffer has an overhead of some hundred bytes, too much for pieces
 * of one byte. The owner must call `release` at the end.
 */
export class Collector {
  size = 0
  readonly #maxBytes: number
  readonly #room: Room
  readonly #firstBytes: number
  #blocks: Buffer[] = []
  /** Bytes of the last block that are in use. */
  #end = 0

  /** `maxBytes`: limit of this body, 0: none of its own. `expected`: its probable size. */
  constructor(maxBytes: number, room: Room = READ_BODIES, expected = 0) {
    this.#maxBytes = maxBytes
    this.#room = room
    this.#firstBytes = Math.min(expected, MAX_EXPECTED)
  }

  get blocks(): number {
    return this.#blocks.length
  }

  /** Copies a piece: bytes, or latin1 text. Adds nothing if the body is `too large`, or there is `no room` next to all others. */
  add(piece: Buffer | string): 'added' | 'too large' | 'no room' {
    const {length} = piece
    if (this.#maxBytes > 0 && this.size + length > this.#maxBytes) return 'too large'
    if (!this.#room.take(length, this.size)) return 'no room'
    const last = this.#blocks.at(-1)
    const fits = last === undefined ? 0 : Math.min(length, last.length - this.#end)
    if (last !== undefined && fits > 0) this.#end += copied(piece, 0, fits, last, this.#end)
    if (fits < length) {
      // the first piece is often the only one
      const size = this.size === 0 ? this.#firstBytes : Math.min(MAX_BLOCK, Math.max(MIN_BLOCK, this.size))
      const block = Buffer.allocUnsafe(Math.max(size, length - fits))
      this.#end = copied(piece, fits, length, block, 0)
      this.#blocks.push(block)
    }
    this.size += length
    return 'added'
  }

  /** The whole body, as one buffer. */
  whole(): Buffer {
    const [first] = this.#blocks
    if (this.#blocks.length === 1 && first !== undefined) return first.subarray(0, this.size)
    const whole = Buffer.concat(this.#blocks, this.size)
    // replaces the blocks, so that the body is not held twice
    this.#blocks = [whole]
    this.#end = this.size
    return whole
  }

  /** Returns the whole body, and releases it. */
  take(): Buffer {
    const whole = this.whole()
    this.release()
    return whole
  }

  /** Frees its memory. The collector may be used again. */
  release(): void {
    this.#room.give(this.size)
    this.#blocks = []
    this.#end = 0
    this.size = 0
  }
}

/** Copies a part of a piece; returns its length. */
function copied(piece: Buffer | string, from: number, to: number, block: Buffer, at: number): number {
  if (typeof piece !== 'string') return piece.copy(block, at, from, to)
  return block.write(from === 0 && to === piece.length ? piece : piece.slice(from, to), at, 'latin1')
}

/** A body that cannot be collected. */
export class UncollectedBody extends Error {
  /** Whether this body exceeds its own limit. Otherwise other bodies use up the room. */
  readonly isTooLarge: boolean

  constructor(isTooLarge: boolean) {
    super(isTooLarge ? TOO_LARGE : NO_ROOM)
    this.isTooLarge = isTooLarge
  }
}

/** Size in bytes above which work on a body takes longer than everything else in a turn of the event loop. */
export const LARGE_BODY = 256 * 1024

/**
 * Reads a stream to its end. Throws an UncollectedBody, and errors of the stream. Otherwise the caller must release the result. Large
 * bodies that end together are returned one after the other.
 */
export async function collect(stream: AsyncIterable<Buffer>, maxBytes: number, room?: Room): Promise<Collector> {
  const collector = new Collector(maxBytes, room)
  try {
    for await (const piece of stream) {
      const added = collector.add(piece)
      if (added !== 'added') throw new UncollectedBody(added === 'too large')
    }
    if (collector.size >= LARGE_BODY) await bodyTurn()
    return collector
  } catch (error) {
    collector.release()
    throw error
  }
}

/** Reads the first bytes of a stream, at most `maxBytes` (0: all), and no more: the stream may be endless. Throws without room, and errors of the stream. */
export async function collectFirst(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const collector = new Collector(0)
  try {
    for await (const piece of stream) {
      const kept = maxBytes === 0 ? piece : piece.subarray(0, maxBytes - collector.size)
      if (kept.length > 0 && collector.add(kept) !== 'added') throw new UncollectedBody(false)
      if (maxBytes > 0 && collector.size === maxBytes) break
    }
    return collector.whole()
  } finally {
    collector.release()
  }
}
