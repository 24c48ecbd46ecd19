import {open as openFile, type FileHandle} from 'node:fs/promises'
import {asBytes} from '../../model/bytes.ts'
import {codeOf} from '../../model/errors.ts'

const PIECE_SIZE = 64 * 1024

/** An open file, and the offset of its first byte in its log. */
export interface OpenPart {
  readonly file: FileHandle
  readonly from: number
}

interface LogEnd {
  readonly size: number
  readonly mtimeMs: number
}

/** Opens a part of a log. Resolves with undefined if the file does not exist. */
export async function openPart(path: string, from: number): Promise<OpenPart | undefined> {
  try {
    return {file: await openFile(path), from}
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The text of a log: the former file and the current one, open, so that a reader keeps rotated text. */
export class LogText {
  readonly #parts: readonly OpenPart[]

  constructor(parts: readonly OpenPart[]) {
    this.#parts = parts
  }

  /** The offset of the first byte that is kept. */
  get start(): number {
    return this.#parts[0]?.from ?? 0
  }

  /** Returns the offset behind the last byte, and the time of the last write (ms since 1970). */
  async end(): Promise<LogEnd> {
    const last = this.#parts.at(-1)
    if (last === undefined) return {size: 0, mtimeMs: 0}
    const {size, mtimeMs} = await last.file.stat()
    return {size: last.from + size, mtimeMs}
  }

  /** Returns the offset at which the file begins that contains an offset. */
  fileStart(at: number): number {
    return this.#parts.findLast(({from}) => from <= at)?.from ?? this.start
  }

  /** Reads at most `size` bytes of one file from an offset; none at the end. */
  async read(at: number, size: number): Promise<Buffer> {
    const index = this.#parts.findLastIndex(({from}) => from <= at)
    const part = this.#parts[index]
    if (part === undefined) return Buffer.alloc(0)
    const most = Math.min(size, PIECE_SIZE, (this.#parts[index + 1]?.from ?? Infinity) - at)
    const {bytesRead, buffer} = await part.file.read(Buffer.allocUnsafe(most), {position: at - part.from})
    return buffer.subarray(0, bytesRead)
  }

  async close(): Promise<void> {
    await Promise.all(this.#parts.map(async ({file}) => file.close()))
  }
}

const GONE = asBytes('… older lines are no longer kept\n')

type OpenLog = () => Promise<LogText>

/** Returns size and last write of a log, as `LogText.end` does. */
export async function endOfLog(open: OpenLog): Promise<LogEnd> {
  const text = await open()
  try {
    return await text.end()
  } finally {
    await text.close()
  }
}

/** Yields a part of a log as latin1 text. Ends early at the end of the log. Adds a notice if the beginning was removed. */
export async function* readPart(open: OpenLog, from: number, to: number): AsyncGenerator<string> {
  const text = await open()
  try {
    if (from > 0 && from < text.start && to > from) yield GONE
    for (let at = Math.max(from, text.start); at < to;) {
      const bytes = await text.read(at, to - at)
      if (bytes.length === 0) return
      yield bytes.toString('latin1')
      at += bytes.length
    }
  } finally {
    await text.close()
  }
}

/** Returns the offset of the last `count` lines before `end`. Reads backwards, so that large logs are not slower. */
export async function startOfLastIn(open: OpenLog, count: number, end: number): Promise<number> {
  if (count === 0) return end
  const text = await open()
  try {
    let lines = 0
    for (let to = end; to > text.start;) {
      const from = Math.max(text.fileStart(to - 1), to - PIECE_SIZE)
      const buffer = await text.read(from, to - from)
      // the final newline starts no line
      let at = Math.min(buffer.length, end - 1 - from)
      while (at > 0 && (at = buffer.lastIndexOf(10, at - 1)) >= 0) if (++lines === count) return from + at + 1
      to = from
    }
    return text.start
  } finally {
    await text.close()
  }
}
