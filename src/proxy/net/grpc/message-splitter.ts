import {Collector, READ_BODIES} from '../../../platform/collector.ts'
import {messageLength, PREFIX_BYTES} from './message-gauge.ts'

/** A message as received, with its compression flag. */
export interface FlaggedMessage {
  readonly flag: number
  readonly bytes: Buffer
}

/** Cuts the bytes of one direction of a call into its messages. */
export class MessageSplitter {
  readonly #max: number
  #prefix = ''
  /** Bytes of the message still to come. */
  #left = 0
  #message: Collector | undefined

  /** `max`: bytes of one message, 0: any number. */
  constructor(max: number) {
    this.#max = max
  }

  get isWithin(): boolean {
    return this.#prefix !== ''
  }

  /** Returns the whole messages so far, then the reason to end the call, if any: the bytes of a too large message as a number, or `no room` among all bodies. */
  take(data: string | Buffer): readonly (FlaggedMessage | number | 'no room')[] {
    const messages: (FlaggedMessage | number | 'no room')[] = []
    for (let at = 0; at < data.length;) {
      if (this.#prefix.length < PREFIX_BYTES) {
        const need = PREFIX_BYTES - this.#prefix.length
        this.#prefix += typeof data === 'string' ? data.slice(at, at + need) : data.toString('latin1', at, at + need)
        at += need
        if (this.#prefix.length < PREFIX_BYTES) break
        this.#left = messageLength(this.#prefix, 0)
        if (this.#max > 0 && this.#left > this.#max) return [...messages, this.#left]
        this.#message = new Collector(0, READ_BODIES, this.#left)
      }
      const end = at + this.#left
      const piece = typeof data === 'string' ? data.slice(at, end) : data.subarray(at, end)
      if (this.#message?.add(piece) === 'no room') return [...messages, 'no room']
      at += piece.length
      this.#left -= piece.length
      if (this.#left > 0) break
      messages.push({flag: this.#prefix.charCodeAt(0), bytes: this.#message?.take() ?? Buffer.alloc(0)})
      this.#prefix = ''
    }
    return messages
  }

  /** Frees a message that will not be whole. */
  release(): void {
    this.#message?.release()
  }
}
