import type {Writable} from 'node:stream'

/** Maximum size of pieces that are written as text, which avoids an allocation. */
export const SMALL = 16_000

const uncork = (stream: Writable): void => stream.uncork()

/** Gathers the writes to a stream in this tick into one packet. */
export function corkTurn(stream: Writable): void {
  stream.cork()
  process.nextTick(uncork, stream)
}

let waiting: LateText[] = []

function writeAll(): void {
  for (const text of waiting.splice(0)) text.write()
}

/**
 * Collects text for a connection, and writes it at the end of the turn of the event loop, together with the text for all other connections.
 * So callers and callees wake up once for many connections. With 32 connections that saves 2 % of Pillion's processor time per call on a
 * quiet machine, 16 % on busy cores.
 */
export class LateText {
  /** Text that was not written yet; '': none. */
  text = ''
  /** Number of calls of `write`, which shows whether text was written since a moment. */
  writes = 0
  readonly #stream: Writable

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Adds text for the end of the turn. Returns false to wait for `drain`. `write` has to precede other writes to the stream. */
  add(latin1: string): boolean {
    if (waiting.length === 0) setImmediate(writeAll)
    if (this.text === '') waiting.push(this)
    this.text += latin1
    return !this.#stream.writableNeedDrain
  }

  /** Adds text like `add`, but writes it a turn later, after all connections that are ready now were read. */
  addLater(latin1: string): boolean {
    if (this.text !== '') this.write()
    waiting = waiting.filter(each => each !== this)
    this.text = latin1
    setImmediate(() => setImmediate(() => this.write()))
    return !this.#stream.writableNeedDrain
  }

  /** Writes the text now. */
  write(): void {
    this.writes++
    const {text} = this
    if (text === '') return
    this.text = ''
    this.#stream.write(text, 'latin1')
  }
}
