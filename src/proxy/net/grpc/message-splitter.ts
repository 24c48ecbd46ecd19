import {Collector, READ_BODIES} from '../../../platform/collector.ts'
import {messageLength, PREFIX_BYTES} from './message-gauge.ts'

/** A received message with its compression flag. */
export interface FlaggedMessage {
  readonly flag: number
  readonly bytes: Buffer
}

/** Splits the bytes of one direction of a call into its gRPC messages. */
export class MessageSplitter {
  readonly #max: number
  #prefix = ''
  /** Bytes of the current message that have not arrived. */
  #left = 0
  #message: Collector | undefined

  /** `max`: maximum size of a message; 0: no limit. */
  constructor(max: number) {
    this.#max = max
  }

  get isWithin(): boolean {
    return this.#prefix !== ''
  }

  /** Returns the messages that are complete now, and perhaps a reason to end the call: the size of a too large message, or `no room` (memory limit). */
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

  /** Frees an incomplete message. */
  release(): void {
    this.#message?.release()
  }
}
