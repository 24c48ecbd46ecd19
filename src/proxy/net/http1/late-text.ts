import type {Writable} from 'node:stream'

/** Pieces up to this size are written as text. */
export const SMALL = 16_000

const uncork = (stream: Writable): void => stream.uncork()

/** Gathers direct writes of this turn. */
export function corkTurn(stream: Writable): void {
  stream.cork()
  process.nextTick(uncork, stream)
}

let waiting: LateText[] = []

function writeAll(): void {
  for (const text of waiting.splice(0)) text.write()
}

/**
 * Text for a connection, written at the end of this turn of the event loop with that of all others. So callers and callees wake up once
 * for many connections. With 32 connections that saves 2 % of our processor time per call on a quiet machine, 16 % on busy cores.
 */
export class LateText {
  /** Waiting text. */
  text = ''
  /** How often `write` was called. */
  writes = 0
  readonly #stream: Writable

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Adds text for the end of the turn. Call `write` before other writes to the stream. After false, wait for `drain`. */
  add(latin1: string): boolean {
    if (waiting.length === 0) setImmediate(writeAll)
    if (this.text === '') waiting.push(this)
    this.text += latin1
    return !this.#stream.writableNeedDrain
  }

  /** As `add`, written when all connections have been read that are ready now. */
  addLater(latin1: string): boolean {
    if (this.text !== '') this.write()
    waiting = waiting.filter(each => each !== this)
    this.text = latin1
    setImmediate(() => setImmediate(() => this.write()))
    return !this.#stream.writableNeedDrain
  }

  /** Writes it now. */
  write(): void {
    this.writes++
    const {text} = this
    if (text === '') return
    this.text = ''
    this.#stream.write(text, 'latin1')
  }
}
