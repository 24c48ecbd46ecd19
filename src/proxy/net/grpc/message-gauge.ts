/** Size of the prefix of a message: a compression flag and the length (gRPC over HTTP/2, Length-Prefixed-Message). */
export const PREFIX_BYTES = 5

export const messageLength = (text: string, at: number): number =>
  text.charCodeAt(at + 1) * 0x1_00_00_00 +
  ((text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 8) | text.charCodeAt(at + 4))

/** Counts and measures the gRPC messages in one direction of a call, without storing them. */
export class MessageGauge {
  /** Number of complete messages. */
  count = 0
  /** Maximum size of a message; 0: no limit. */
  max: number
  /** Size of the largest message that has begun. */
  #largest = 0
  #left = 0
  #prefix = ''

  constructor(max: number) {
    this.max = max
  }

  /** Sets a further maximum size; 0: none. Returns the size of an earlier message that exceeds it; 0: none does. */
  limit(max: number): number {
    if (max === 0) return 0
    if (this.max === 0 || max < this.max) this.max = max
    return this.#largest > max ? this.#largest : 0
  }

  get isWithin(): boolean {
    return this.#left > 0 || this.#prefix !== ''
  }

  /** Whether the first message has begun and is not complete: the call may be unary. */
  get isWithinFirst(): boolean {
    return this.count === 0 && this.isWithin
  }

  /** Whether a second message has begun: the call is a stream. */
  get isBehindFirst(): boolean {
    return this.count > 1 || (this.count === 1 && this.isWithin)
  }

  /** Measures a piece of the call. Returns the size of a message that exceeds `max`; 0: none does. */
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

/** Returns grpc-go's error for a received message that is too large. */
export const tooLargeText = (bytes: number, max: number): string =>
  `grpc: received message larger than max (${bytes} vs. ${max})`

/** Returns grpc-go's error for a message that is too large to be sent. */
export const tooLargeToSend = (bytes: number, max: number): string =>
  `trying to send message larger than max (${bytes} vs. ${max})`

/** Returns the prefix of a message. */
export const messagePrefix = (length: number, isCompressed: boolean): string =>
  String.fromCharCode(isCompressed ? 1 : 0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255)

/** Returns bytes as latin1 text. */
export const latin1 = ({buffer, byteOffset, length}: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('latin1')

/** Returns a message with its prefix, as latin1 text. */
export const framed = (message: Uint8Array, isCompressed = false): string =>
  messagePrefix(message.length, isCompressed) + latin1(message)

/** Returns a message that consists of pieces with its prefix, as latin1 text. */
export const framedPieces = (pieces: readonly Uint8Array[]): string => {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return pieces.reduce((text, piece) => text + latin1(piece), messagePrefix(length, false))
}
