import type {Lines} from '../../model/events.ts'
import {withoutColours} from './prefix.ts'

const MAX_LINES = 50_000
const MAX_BYTES = 32 * 1024 * 1024
/** The rest of a longer line is only in the log file. */
const MAX_LINE = 1024 * 1024
const PACK_SIZE = 256 * 1024

type Stream = Lines['stream']
const STREAMS: readonly Stream[] = ['stdout', 'stderr', 'status']

/** Lines that one stream wrote at the same time: latin1, each with its newline. */
export interface LogBatch {
  /** The number of the batch; they count from 0. */
  readonly number: number
  readonly writer: RunLogWriter
  readonly stream: Stream
  /** ms since 1970. */
  readonly time: number
  readonly text: string
  /** The text with the colours of the app. */
  readonly coloured: string
}

/**
 * The last lines of all apps of a run, in order, with their times: at least 50,000 lines, up to 32 MiB. Adding a batch
 * costs a copy of its bytes; it is split into lines only when it is read.
 */
export class RunLog {
  readonly #max: {readonly lines: number; readonly bytes: number}
  readonly #sources: {readonly writer: RunLogWriter; readonly stream: Stream}[] = []
  readonly #taps = new Set<(batch: LogBatch) => void>()
  #packs: Pack[] = []
  #lines = 0
  #size = 0
  #time = 0
  #next = 0

  constructor({lines = MAX_LINES, bytes = MAX_BYTES} = {}) {
    this.#max = {lines, bytes}
  }

  /** Creates a writer for an app; `name` is the name in the prefix of its lines. */
  writer(name: string): RunLogWriter {
    const first = this.#sources.length
    const writer = new RunLogWriter(name, (stream, text, lines) =>
      this.#add(first + STREAMS.indexOf(stream), text, lines)
    )
    for (const stream of STREAMS) this.#sources.push({writer, stream})
    return writer
  }

  /** The batches kept now, newest first. They stay intact while they are read. */
  latest(): Iterable<LogBatch> {
    const kept = this.#packs.map(pack => ({pack, count: pack.count})).toReversed()
    for (const {pack} of kept) pack.readers++
    return this.#read(kept)
  }

  /** The number of the next batch. */
  get next(): number {
    return this.#next
  }

  /** The number of the oldest batch that is kept. */
  get oldest(): number {
    return this.#packs[0]?.first ?? this.#next
  }

  /** The batches from one number up to another, oldest first, as far as they are kept. They stay intact while they are read. */
  *between(from: number, to: number): Generator<LogBatch> {
    const kept = this.#packs
      .map(pack => ({pack, count: pack.count}))
      .filter(({pack: {first}, count}) => first < to && first + count > from)
    for (const {pack} of kept) pack.readers++
    try {
      for (const {pack, count} of kept)
        for (let i = Math.max(0, from - pack.first); i < Math.min(count, to - pack.first); i++) {
          const batch = this.#batch(pack, i)
          if (batch !== undefined) yield batch
        }
    } finally {
      for (const {pack} of kept) pack.readers--
    }
  }

  /** Passes new batches to `take` until the returned function is called. */
  tap(take: (batch: LogBatch) => void): () => void {
    this.#taps.add(take)
    return () => this.#taps.delete(take)
  }

  *#read(kept: readonly {readonly pack: Pack; readonly count: number}[]): Generator<LogBatch> {
    try {
      for (const {pack, count} of kept) {
        for (let i = count - 1; i >= 0; i--) {
          const batch = this.#batch(pack, i)
          if (batch !== undefined) yield batch
        }
      }
    } finally {
      for (const {pack} of kept) pack.readers--
    }
  }

  #batch(pack: Pack, index: number): LogBatch | undefined {
    const source = this.#sources[pack.sources[index] ?? 0]
    const {times, first} = pack
    const coloured = pack.text(index)
    return (
      source && {...source, number: first + index, time: times[index] ?? 0, text: withoutColours(coloured), coloured}
    )
  }

  #add(source: number, text: string, lines: number): void {
    const time = Math.max(Date.now(), this.#time) // the clock may be set back
    this.#time = time
    let pack = this.#packs.at(-1)
    if (pack === undefined || !pack.hasRoom(text.length)) {
      pack = this.#forget(text.length) ?? new Pack(Math.max(PACK_SIZE, text.length))
      pack.first = this.#next
      this.#packs.push(pack)
      this.#size += pack.bytes.length
    }
    pack.add(source, time, text, lines)
    const number = this.#next++
    this.#lines += lines
    const from = this.#taps.size > 0 ? this.#sources[source] : undefined
    if (from !== undefined)
      for (const take of this.#taps) take({...from, number, time, text: withoutColours(text), coloured: text})
  }

  /**
   * Makes space for `length` bytes by dropping the oldest packs. A pack without readers is reused: allocating memory for
   * all output would cost more than writing it.
   */
  #forget(length: number): Pack | undefined {
    let spare: Pack | undefined
    for (let [first] = this.#packs; first !== undefined; [first] = this.#packs) {
      if (this.#lines - first.lines < this.#max.lines && this.#size + length <= this.#max.bytes) break
      this.#packs.shift()
      this.#lines -= first.lines
      this.#size -= first.bytes.length
      if (first.readers === 0 && first.bytes.length === PACK_SIZE && length <= PACK_SIZE) spare = first
    }
    spare?.clear()
    return spare
  }
}

/** A buffer of consecutive batches, with the time and the source of each. */
class Pack {
  readonly bytes: Buffer
  /** The number of its first batch. */
  first = 0
  lines = 0
  count = 0
  /** The number of current readers. */
  readers = 0
  times = new Float64Array(64)
  sources = new Uint16Array(64)
  #ends = new Uint32Array(64)
  #used = 0

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size)
  }

  clear(): void {
    this.lines = 0
    this.count = 0
    this.#used = 0
  }

  hasRoom(length: number): boolean {
    return this.#used + length <= this.bytes.length
  }

  add(source: number, time: number, text: string, lines: number): void {
    if (this.count === this.times.length) this.#grow()
    this.bytes.write(text, this.#used, 'latin1')
    this.#used += text.length
    this.times[this.count] = time
    this.sources[this.count] = source
    this.#ends[this.count++] = this.#used
    this.lines += lines
  }

  text(index: number): string {
    return this.bytes.toString('latin1', index === 0 ? 0 : this.#ends[index - 1], this.#ends[index])
  }

  #grow(): void {
    const {times, sources} = this
    const ends = this.#ends
    const length = 2 * times.length
    this.times = new Float64Array(length)
    this.sources = new Uint16Array(length)
    this.#ends = new Uint32Array(length)
    this.times.set(times)
    this.sources.set(sources)
    this.#ends.set(ends)
  }
}

type Add = (stream: Stream, text: string, lines: number) => void

/** Writes the lines of one app into the log of its run. */
export class RunLogWriter {
  readonly name: string
  readonly #add: Add
  /** The beginnings of lines that have no newline yet. */
  readonly #open: Record<Stream, string> = {stdout: '', stderr: '', status: ''}

  constructor(name: string, add: Add) {
    this.name = name
    this.#add = add
  }

  /** Whether a line is incomplete. */
  get isOpen(): boolean {
    return this.#open.stdout !== '' || this.#open.stderr !== ''
  }

  /** Adds latin1 text in any pieces, with its colours, without prefix; `lines`: approximate number of newlines. */
  write(stream: Stream, text: string, lines: number): void {
    if (text === '') return
    if (text.endsWith('\n') && this.#open[stream] === '') return this.#add(stream, text, lines)
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) {
      this.#add(stream, this.#open[stream] + text.slice(0, end), lines)
      this.#open[stream] = ''
    }
    this.#open[stream] = (this.#open[stream] + text.slice(end)).slice(0, MAX_LINE)
  }

  /** No more text will be written. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) if (this.#open[stream] !== '') this.write(stream, '\n', 1)
  }
}
