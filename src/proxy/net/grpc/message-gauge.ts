/** Bytes before a message: whether it is compressed, and its length (gRPC over HTTP/2, Length-Prefixed-Message). */
export const PREFIX_BYTES = 5

export const messageLength = (text: string, at: number): number =>
  text.charCodeAt(at + 1) * 0x1_00_00_00 +
  ((text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 8) | text.charCodeAt(at + 4))

/** Follows the messages in one direction of a call, without keeping them. */
export class MessageGauge {
  /** The number of complete messages. */
  count = 0
  /** Bytes of one message, 0: any number. */
  max: number
  /** Bytes of the largest message that has begun. */
  #largest = 0
  #left = 0
  #prefix = ''

  constructor(max: number) {
    this.max = max
  }

  /** Sets a further limit of messages, 0: none. Returns the bytes of an earlier message that exceeds it, else 0. */
  limit(max: number): number {
    if (max === 0) return 0
    if (this.max === 0 || max < this.max) this.max = max
    return this.#largest > max ? this.#largest : 0
  }

  get isWithin(): boolean {
    return this.#left > 0 || this.#prefix !== ''
  }

  /** Whether the first message is not complete, so that it may be the only one. */
  get isWithinFirst(): boolean {
    return this.count === 0 && this.isWithin
  }

  /** Whether a second message has begun. */
  get isBehindFirst(): boolean {
    return this.count > 1 || (this.count === 1 && this.isWithin)
  }

  /** Returns the bytes of a too large message, 0 without one. */
  measure(bytes: string): number {
    let at = 0
    while (at < bytes.length) {
      if (this.#left === 0) {
        const need = PREFIX_BYTES - this.#prefix.length
        if (need < PREFIX_BYTES || bytes.length - at < PREFIX_BYTES) {
          this.#prefix += bytes.slice(at, at + need)
          at += need
          if (this.#prefix.length < PREFIX_BYTES) return 0
          this.#left = messageLength(this.#prefix, 0)
          this.#prefix = ''
        } else {
          this.#left = messageLength(bytes, at)
          at += PREFIX_BYTES
        }
        if (this.#left > this.#largest) this.#largest = this.#left
        if (this.max > 0 && this.#left > this.max) return this.#left
      }
      const taken = Math.min(this.#left, bytes.length - at)
      this.#left -= taken
      at += taken
      if (this.#left === 0) this.count++
    }
    return 0
  }
}

/** grpc-go's text for a message that is too large. */
export const tooLargeText = (bytes: number, max: number): string =>
  `grpc: received message larger than max (${bytes} vs. ${max})`

/** Returns Go's error for a too large message of its own. */
export const tooLargeToSend = (bytes: number, max: number): string =>
  `trying to send message larger than max (${bytes} vs. ${max})`

/** The prefix of a message of `length` bytes. */
export const messagePrefix = (length: number, isCompressed: boolean): string =>
  String.fromCharCode(isCompressed ? 1 : 0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255)

/** Bytes as text, a character for each. */
export const latin1 = ({buffer, byteOffset, length}: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('latin1')

/** A message with its prefix, as latin1 text. */
export const framed = (message: Uint8Array, isCompressed = false): string =>
  messagePrefix(message.length, isCompressed) + latin1(message)

/** A message in pieces with its prefix, as latin1 text. */
export const framedPieces = (pieces: readonly Uint8Array[]): string => {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return pieces.reduce((text, piece) => text + latin1(piece), messagePrefix(length, false))
}
