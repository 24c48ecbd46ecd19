import {Chunks} from './chunked.ts'
import {isHalfLine} from './first-line.ts'
import {PER_TURN} from '../../../platform/own-turn.ts'

/** Size of a head from which on the rest passes unread: node:http refuses such a head. */
const MAX_HEAD = 128 * 1024

/** Maximum length of an incomplete first line that is held back. */
const MAX_LINE = 8192

const END = '\r\n\r\n'

/** The kind of the next bytes. A number: bytes of a body. `unknown`: another protocol or unreadable bytes, which pass unchanged. */
type Part = 'head' | number | Chunks | 'unknown'

/**
 * Changes the bytes of requests before node:http reads them: rewrites first lines by `readable`, and merges small chunks. Node creates a
 * Buffer and an event for each chunk (3 µs, some hundred bytes), so that a body in chunks of one byte would stop all other calls. Header
 * lines, and bodies with a length, stay unchanged. Unreadable bytes pass, since node:http refuses them.
 */
export class ChunkMerger {
  readonly #readable: (line: Buffer) => Buffer
  #part: Part = 'head'
  #head = ''
  /** Whether the last request asked for an upgrade. Later requests go in another piece: after a refused upgrade, node:http drops the rest of its piece. */
  #isAlone = false
  /** Held start of a first line; empty: none. */
  #held: Buffer = Buffer.alloc(0)

  constructor(readable: (line: Buffer) => Buffer) {
    this.#readable = readable
  }

  /** Yields the bytes for node:http in pieces of few requests. May overwrite `read`. Holds back only an incomplete first line. */
  *merge(read: Buffer): Generator<Buffer> {
    const bytes = this.#held.length === 0 ? read : Buffer.concat([this.#held, read])
    this.#held = Buffer.alloc(0)
    let merged: Buffer[] = []
    let requests = 0
    for (let at = 0; at < bytes.length; at = this.#next(bytes, at, merged)) {
      if (this.#part !== 'head' || this.#head !== '' || (++requests % PER_TURN > 0 && !this.#isAlone)) continue
      yield Buffer.concat(merged)
      merged = []
    }
    yield Buffer.concat(merged)
  }

  get isHolding(): boolean {
    return this.#held.length > 0
  }

  /** Returns the held start of a first line. The line passes unchanged then. */
  release(): Buffer {
    const held = this.#held
    this.#held = Buffer.alloc(0)
    this.#head = held.toString('latin1')
    return held
  }

  /** Reads one part of a request. Returns the index after its bytes. */
  #next(bytes: Buffer, at: number, merged: Buffer[]): number {
    const part = this.#part
    if (part instanceof Chunks) return this.#mergeChunks(part, bytes, at, merged)
    if (part === 'head' && this.#head === '') return this.#readLine(bytes, at, merged)
    const end = part === 'head' ? this.#readHead(bytes, at) : part === 'unknown' ? bytes.length : at + part
    if (typeof part === 'number') this.#part = end > bytes.length ? end - bytes.length : 'head'
    merged.push(bytes.subarray(at, end))
    return end
  }

  #readLine(bytes: Buffer, at: number, merged: Buffer[]): number {
    const end = bytes.indexOf(10, at) + 1 || bytes.length
    const isWhole = bytes[end - 1] === 10
    const line = isWhole ? this.#readable(bytes.subarray(at, end)) : bytes.subarray(at, end)
    if (isWhole || line.length > MAX_LINE || !isHalfLine(line)) {
      this.#head = line.toString('latin1')
      merged.push(line)
    } else this.#held = Buffer.from(line)
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
    this.#isAlone = /\r\nupgrade:/i.test(head)
    return at + end + END.length - before
  }

  #mergeChunks(chunks: Chunks, bytes: Buffer, start: number, merged: Buffer[]): number {
    const stop = chunks.parse(bytes, start, bytes.length, (from, at, to) => {
      merged.push(Buffer.from(`${(to - at).toString(16)}\r\n`), from.subarray(at, to), CRLF)
    })
    if (stop < 0) {
      // replaces invalid chunks by other invalid bytes, which node:http refuses as it would the original
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

/** Returns the kind of the bytes after a head. `head`: lines, each with its CRLF. */
function partAfter(head: string): Part {
  const valueOf = (name: string): string => new RegExp(`\\r\\n${name}:([^\\r]*)`, 'i').exec(head)?.[1]?.trim() ?? ''
  const coding = valueOf('transfer-encoding').toLowerCase()
  const length = Number(valueOf('content-length'))
  const protocol = valueOf('upgrade').toLowerCase()
  const isHttp2 = protocol === 'h2c' && valueOf('http2-settings') !== '' && coding === '' && length === 0
  const isSwitch = /\r\nconnection:[^\r]*upgrade/i.test(head) && (protocol === 'websocket' || isHttp2)
  if (isSwitch || head.startsWith('CONNECT ')) return 'unknown'
  if (coding !== '') return coding === 'chunked' ? new Chunks() : 'unknown'
  return length > 0 ? length : 'head'
}
