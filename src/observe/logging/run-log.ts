import type {Lines} from '../../model/events.ts'
import {withoutColours} from '../../model/text-lines.ts'

const MAX_LINES = 50_000
const MAX_BYTES = 32 * 1024 * 1024
/** Maximum number of characters of a line; the rest of a longer one is only in the log file. */
const MAX_LINE = 1024 * 1024
const PACK_SIZE = 256 * 1024

type Stream = Lines['stream']
const STREAMS: readonly Stream[] = ['stdout', 'stderr', 'status']

/** Lines that one stream wrote together: latin1, each with its newline. */
export interface LogBatch {
  /** Number of the batch, from 0. */
  readonly number: number
  readonly writer: RunLogWriter
  readonly stream: Stream
  /** Arrival, by `performance.now()`. */
  readonly at: number
  /** The same in ms since 1970; this clock may be set back. */
  readonly time: number
  /** Offset in the app's log at which the batch begins, or the rest of its first line if that line began earlier. Infinity: unknown. */
  readonly place: number
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
  #next = 0

  constructor({lines = MAX_LINES, bytes = MAX_BYTES} = {}) {
    this.#max = {lines, bytes}
  }

  /** Creates a writer for an app; `name` is the name in the prefix of its lines. */
  writer(name: string): RunLogWriter {
    const first = this.#sources.length
    const writer = new RunLogWriter(name, (stream, text, lines, place) =>
      this.#add(first + STREAMS.indexOf(stream), text, lines, place)
    )
    for (const stream of STREAMS) this.#sources.push({writer, stream})
    return writer
  }

  /** Yields the kept batches, newest first. Batches stay intact while they are read. */
  latest(): Iterable<LogBatch> {
    return this.#read(this.#held(0, this.#next).toReversed(), true)
  }

  /** Yields the kept batches from one number up to another, oldest first. Batches stay intact while they are read. */
  between(from: number, to: number): Generator<LogBatch> {
    return this.#read(this.#held(from, to), false)
  }

  get next(): number {
    return this.#next
  }

  get oldest(): number {
    return this.#packs[0]?.first ?? this.#next
  }

  /** Passes new batches to `take` until the returned function is called. */
  tap(take: (batch: LogBatch) => void): () => void {
    this.#taps.add(take)
    return () => this.#taps.delete(take)
  }

  /** Returns the packs with these batches, and counts one more reader of each, so that it is not reused. */
  #held(from: number, to: number): HeldPacks {
    const held = this.#packs
      .map(pack => ({pack, begin: Math.max(0, from - pack.first), end: Math.min(pack.count, to - pack.first)}))
      .filter(({begin, end}) => begin < end)
    for (const {pack} of held) pack.readers++
    return held
  }

  *#read(held: HeldPacks, isBackwards: boolean): Generator<LogBatch> {
    try {
      for (const {pack, begin, end} of held)
        for (let i = begin; i < end; i++) {
          const batch = this.#batch(pack, isBackwards ? begin + end - 1 - i : i)
          if (batch !== undefined) yield batch
        }
    } finally {
      for (const {pack} of held) pack.readers--
    }
  }

  #batch(pack: Pack, index: number): LogBatch | undefined {
    const source = this.#sources[pack.sources[index] ?? 0]
    const [at = 0, time = 0, place = 0] = pack.numbers.subarray(3 * index, 3 * index + 3)
    const coloured = pack.text(index)
    return source && {...source, number: pack.first + index, at, time, place, text: withoutColours(coloured), coloured}
  }

  #add(source: number, text: string, lines: number, place: number): void {
    let pack = this.#packs.at(-1)
    if (pack === undefined || !pack.hasRoom(text.length)) {
      pack = this.#forget(text.length) ?? new Pack(Math.max(PACK_SIZE, text.length))
      pack.first = this.#next
      this.#packs.push(pack)
      this.#size += pack.bytes.length
    }
    pack.add(source, text, lines, place)
    this.#next++
    this.#lines += lines
    const batch = this.#taps.size > 0 ? this.#batch(pack, pack.count - 1) : undefined
    if (batch !== undefined) for (const take of this.#taps) take(batch)
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

/** Packs that a reader has reserved, each with a range of batches. */
type HeldPacks = readonly {readonly pack: Pack; readonly begin: number; readonly end: number}[]

/** A buffer of consecutive batches, with time and source of each. */
class Pack {
  readonly bytes: Buffer
  /** The number of its first batch. */
  first = 0
  lines = 0
  count = 0
  readers = 0
  /** `at`, `time` and `place` of each batch. */
  numbers = new Float64Array(3 * 64)
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

  add(source: number, text: string, lines: number, place: number): void {
    if (this.count === this.sources.length) this.#grow()
    this.bytes.write(text, this.#used, 'latin1')
    this.#used += text.length
    this.numbers.set([performance.now(), Date.now(), place], 3 * this.count)
    this.sources[this.count] = source
    this.#ends[this.count++] = this.#used
    this.lines += lines
  }

  text(index: number): string {
    return this.bytes.toString('latin1', index === 0 ? 0 : this.#ends[index - 1], this.#ends[index])
  }

  #grow(): void {
    this.numbers = new Float64Array(this.numbers.buffer.transfer(2 * this.numbers.byteLength))
    this.sources = new Uint16Array(this.sources.buffer.transfer(2 * this.sources.byteLength))
    this.#ends = new Uint32Array(this.#ends.buffer.transfer(2 * this.#ends.byteLength))
  }
}

type Add = (stream: Stream, text: string, lines: number, place: number) => void

/** Writes the lines of one app into the log of its run. */
export class RunLogWriter {
  name: string // changes once the app's id has several versions
  readonly #add: Add
  /** The beginnings of lines that have no newline yet. */
  readonly #open: Record<Stream, string> = {stdout: '', stderr: '', status: ''}

  constructor(name: string, add: Add) {
    this.name = name
    this.#add = add
  }

  get isOpen(): boolean {
    return this.#open.stdout !== '' || this.#open.stderr !== ''
  }

  /** Adds latin1 text in any pieces, with colours, without prefix. `lines`: approximate number of newlines. `place`: begin of the text in the app's log. */
  write(stream: Stream, text: string, lines: number, place: number): void {
    if (text === '') return
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) {
      this.#add(stream, this.#open[stream] + text.slice(0, end), lines, place)
      this.#open[stream] = ''
    }
    this.#open[stream] = (this.#open[stream] + text.slice(end)).slice(0, MAX_LINE)
  }

  /** Completes open lines, since no more text follows. The log of the app ends at `place`. */
  end(place: number): void {
    for (const stream of STREAMS) if (this.#open[stream] !== '') this.write(stream, '\n', 1, place)
  }
}
