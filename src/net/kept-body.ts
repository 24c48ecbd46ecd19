/** Maximum size of all kept bodies. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024

let all = 0

/** A request's body, kept while it may have to be sent again. Its pieces are buffers, or latin1 text. */
export class KeptBody<Piece extends {readonly length: number} = Buffer> {
  readonly pieces: Piece[] = []
  /** The first attempt has started to send it. */
  isStarted = false
  /** It has arrived completely. */
  isWhole = false
  /** It exceeded the limit: the call cannot be sent again. */
  isLost = false
  readonly #maxBytes: number
  #size = 0

  /** `maxBytes`: 0 = only limited by the total of all calls. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** A buffer must not be reused afterwards. */
  add(bytes: Piece | undefined, isLast: boolean): void {
    if (isLast) this.isWhole = true
    if (bytes === undefined || this.isLost) return
    if (all + bytes.length > MAX_KEPT_BYTES || (this.#maxBytes > 0 && this.#size + bytes.length > this.#maxBytes)) {
      this.isLost = true
      return this.release()
    }
    all += bytes.length
    this.#size += bytes.length
    this.pieces.push(bytes)
  }

  /** Frees the body: it will not be sent again. */
  release(): void {
    all -= this.#size
    this.#size = 0
    this.pieces.length = 0
  }
}
