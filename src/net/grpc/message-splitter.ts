import {messageLength, PREFIX_BYTES} from './message-gauge.ts'

/** A message as it came: compressed or not, by its flag. */
export interface FlaggedMessage {
  readonly flag: number
  readonly bytes: Buffer
}

/** Cuts the bytes of one direction of a call into its messages. */
export class MessageSplitter {
  readonly #max: number
  #rest = ''

  /** `max`: bytes of one message, 0 = any number. */
  constructor(max: number) {
    this.#max = max
  }

  /** Within a message. */
  get isWithin(): boolean {
    return this.#rest !== ''
  }

  /** The messages that are whole now; the bytes of one that is too large as a number, behind those before it. */
  take(text: string): readonly (FlaggedMessage | number)[] {
    const messages: (FlaggedMessage | number)[] = []
    let rest = this.#rest === '' ? text : this.#rest + text
    while (rest.length >= PREFIX_BYTES) {
      const length = messageLength(rest, 0)
      if (this.#max > 0 && length > this.#max) {
        messages.push(length)
        break
      }
      const end = PREFIX_BYTES + length
      if (rest.length < end) break
      messages.push({flag: rest.charCodeAt(0), bytes: Buffer.from(rest.slice(PREFIX_BYTES, end), 'latin1')})
      rest = rest.slice(end)
    }
    this.#rest = rest
    return messages
  }
}
