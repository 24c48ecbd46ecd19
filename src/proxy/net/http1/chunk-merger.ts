import {Chunks} from './chunked.ts'

/** A head that is longer is refused by node:http. */
const MAX_HEAD = 128 * 1024

const END = '\r\n\r\n'

/** The kind of the next bytes: a head, this many bytes of a body, chunks, or bytes that are not ours to read. */
type Part = 'head' | number | Chunks | 'unknown'

/**
 * Merges the chunks of request bodies before node:http reads them: that creates a Buffer and an event for each chunk, 3 µs and
 * some hundred bytes, so that a body in chunks of one byte stops all other calls. Heads, and bodies with a length, stay as they
 * are. It decides nothing: what it cannot read is passed on, and node:http refuses what is invalid.
 */
export class ChunkMerger {
  #part: Part = 'head'
  #head = ''

  /** The bytes for node:http; those that are given may change. Nothing is held back. */
  merge(bytes: Buffer): Buffer {
    const merged: Buffer[] = []
    let at = 0
    while (at < bytes.length) at = this.#next(bytes, at, merged)
    return Buffer.concat(merged)
  }

  /** Returns the index after what has been read. */
  #next(bytes: Buffer, at: number, merged: Buffer[]): number {
    const part = this.#part
    if (part instanceof Chunks) return this.#mergeChunks(part, bytes, at, merged)
    const end = part === 'head' ? this.#readHead(bytes, at) : part === 'unknown' ? bytes.length : at + part
    if (typeof part === 'number') this.#part = end > bytes.length ? end - bytes.length : 'head'
    merged.push(bytes.subarray(at, end))
    return end
  }

  #readHead(bytes: Buffer, at: number): number {
    const before = this.#head.length
    this.#head += bytes.toString('latin1', at)
    const end = this.#head.indexOf(END, Math.max(0, before - END.length + 1))
    if (end < 0) {
      if (this.#head.length > MAX_HEAD) this.#part = 'unknown'
      return bytes.length
    }
    const head = this.#head.slice(0, end + 2)
    this.#head = ''
    this.#part = partAfter(head)
    return at + end + END.length - before
  }

  #mergeChunks(chunks: Chunks, bytes: Buffer, start: number, merged: Buffer[]): number {
    const stop = chunks.parse(bytes, start, bytes.length, (from, at, to) => {
      merged.push(Buffer.from(`${(to - at).toString(16)}\r\n`), from.subarray(at, to), CRLF)
    })
    if (stop < 0) {
      // node:http refuses it, as it would the original
      this.#part = 'unknown'
      merged.push(INVALID)
      return bytes.length
    }
    if (!chunks.done) return stop
    this.#part = 'head'
    merged.push(LAST)
    return stop
  }
}

const CRLF = Buffer.from('\r\n')
const LAST = Buffer.from('0\r\n\r\n')
const INVALID = Buffer.from('?\r\n')

/** What follows a head: its lines, each with its CRLF. */
function partAfter(head: string): Part {
  const valueOf = (name: string): string => new RegExp(`\\r\\n${name}:([^\\r]*)`, 'i').exec(head)?.[1]?.trim() ?? ''
  const coding = valueOf('transfer-encoding').toLowerCase()
  const isSwitch = /upgrade/i.test(valueOf('connection')) && /^(?:websocket|h2c)$/i.test(valueOf('upgrade'))
  if (isSwitch || head.startsWith('CONNECT ')) return 'unknown'
  if (coding !== '') return coding === 'chunked' ? new Chunks() : 'unknown'
  const length = Number(valueOf('content-length'))
  return length > 0 ? length : 'head'
}
