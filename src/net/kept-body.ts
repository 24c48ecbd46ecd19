/** Bytes of bodies that all calls of the process keep together to be sent again. */
const MAX_ALL = 64 * 1024 * 1024

let all = 0

/** A request's body, kept while it may have to be sent again. */
export class KeptBody {
  readonly pieces: Buffer[] = []
  /** The first attempt has begun to send it. */
  isBegun = false
  /** All of it has come. */
  isWhole = false
  /** It was too large: the call cannot be sent again. */
  isLost = false
  readonly #maxBytes: number
  #size = 0

  /** `maxBytes`: 0 = any size, as far as all calls together allow. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The bytes must not change afterwards. */
  add(bytes: Buffer | undefined, isLast: boolean): void {
    if (isLast) this.isWhole = true
    if (bytes === undefined || this.isLost) return
    if (all + bytes.length > MAX_ALL || (this.#maxBytes > 0 && this.#size + bytes.length > this.#maxBytes)) {
      this.isLost = true
      return this.release()
    }
    all += bytes.length
    this.#size += bytes.length
    this.pieces.push(bytes)
  }

  /** It will not be sent again. */
  release(): void {
    all -= this.#size
    this.#size = 0
    this.pieces.length = 0
  }
}
