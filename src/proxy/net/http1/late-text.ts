import type {Writable} from 'node:stream'

let waiting: LateText[] = []

function writeAll(): void {
  const all = waiting
  waiting = []
  for (const text of all) text.write()
}

/**
 * Text for a connection that is written at the end of this turn of the event loop, with that for all others. A peer of many
 * connections wakes up once for the lot of them, instead of once for each, and takes the processor from us less often: with 32
 * connections that is 7 % more calls.
 */
export class LateText {
  readonly #stream: Writable
  #text = ''

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Whatever else is written to the stream comes behind it: call `write` first. */
  add(latin1: string): void {
    if (waiting.length === 0) setImmediate(writeAll)
    if (this.#text === '') waiting.push(this)
    this.#text += latin1
  }

  /** Writes it now. */
  write(): void {
    const text = this.#text
    if (text === '') return
    this.#text = ''
    this.#stream.write(text, 'latin1')
  }
}
