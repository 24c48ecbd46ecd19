import {type WrittenPiece, WholeLines} from './open-line.ts'
import type {LogRecord} from './log-record.ts'
import {Times} from './times.ts'

const MAX_LINES = 10_000
const MAX_BYTES = 8 * 1024 * 1024
/** Text is packed into a buffer at this size: many small strings would use far more memory. */
const PACK_SIZE = 64 * 1024

/** The last lines of an app that has no log file: 10,000 lines, at most 8 MiB. Bytes are limited on writing, lines on reading, so that writing is cheap. */
export class Memory implements LogRecord {
  readonly isWriting = false
  length = 0
  readonly #most: {readonly lines: number; readonly bytes: number}
  readonly #closing = new AbortController()
  readonly closed = this.#closing.signal
  readonly #taps = new Set<(text: string) => void>()
  readonly lines = new WholeLines(text => this.#add(text))
  readonly #times = new Times()
  #packs: Buffer[] = []
  #packed = 0
  #latest = ''

  constructor({lines = MAX_LINES, bytes = MAX_BYTES} = {}) {
    this.#most = {lines, bytes}
  }

  /** Adds lines or pieces of lines of several writers. */
  write(piece: WrittenPiece): undefined {
    this.#add(this.lines.take(piece))
  }

  /** Releases waiting text, and ends the log. */
  async close(): Promise<void> {
    this.#add(this.lines.release())
    this.#closing.abort()
  }

  tap(take: (text: string) => void): () => void {
    this.#taps.add(take)
    return () => this.#taps.delete(take)
  }

  async *read(from: number, to: number): AsyncGenerator<string> {
    const {text, start} = this.#kept()
    yield text.slice(Math.max(0, from - start), Math.max(0, to - start))
  }

  async startOfLast(count: number, end: number): Promise<number> {
    const {text, start} = this.#kept()
    return start + startOfLastLines(text.slice(0, Math.max(0, end - start)), count)
  }

  startSince(time: number): number {
    return this.#times.startSince(time) ?? this.length
  }

  #add(text: string): void {
    if (text === '') return
    this.#times.note(text, this.length)
    this.length += text.length
    this.#latest += text
    if (this.#latest.length >= PACK_SIZE) this.#pack()
    for (const take of this.#taps) take(text)
  }

  #pack(): void {
    this.#packs.push(Buffer.from(this.#latest, 'latin1'))
    this.#packed += this.#latest.length
    this.#latest = ''
    while (this.#packed > this.#most.bytes) this.#packed -= this.#packs.shift()?.length ?? 0
  }

  /** Returns the text that is kept, and its offset in all text so far. */
  #kept(): {readonly text: string; readonly start: number} {
    const all = Buffer.concat(this.#packs).toString('latin1') + this.#latest
    const isWhole = all.length === this.length
    const first = isWhole ? 0 : all.indexOf('\n') + 1
    const begin = Math.max(first, startOfLastLines(all, this.#most.lines), firstLineWithin(all, this.#most.bytes))
    return {text: all.slice(begin), start: this.length - all.length + begin}
  }
}

/** Returns the index of the last `count` lines of a text. A last line without a newline counts. */
export function startOfLastLines(text: string, count: number): number {
  let at = text.endsWith('\n') ? text.length - 1 : text.length
  for (let lines = 0; lines < count && at >= 0; lines++) at = at === 0 ? -1 : text.lastIndexOf('\n', at - 1)
  return count === 0 ? text.length : at + 1
}

/** Returns the index of the first line that lies completely within the last `most` characters. */
const firstLineWithin = (text: string, most: number): number => {
  if (text.length <= most) return 0
  const end = text.indexOf('\n', text.length - most - 1)
  return end < 0 ? text.length : end + 1
}
