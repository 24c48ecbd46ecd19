import {Budget, Collector} from '../../platform/collector.ts'

/** Maximum size of all kept bodies. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024

const KEPT_BODIES = new Budget(MAX_KEPT_BYTES)

/** A request's body, kept while it may have to be sent again. */
export class KeptBody {
  /** The first attempt has started to send it. */
  isStarted = false
  /** The body has arrived completely. */
  isWhole = false
  /** The body has exceeded the limit: the call cannot be sent again. */
  isLost = false
  readonly #collector: Collector

  /** `maxBytes`: 0 = only limited by the total of all calls. */
  constructor(maxBytes: number) {
    this.#collector = new Collector(maxBytes === 0 ? MAX_KEPT_BYTES : Math.min(maxBytes, MAX_KEPT_BYTES), KEPT_BODIES)
  }

  /** Copies a piece: bytes, or latin1 text. */
  add(bytes: Buffer | string | undefined, isLast: boolean): void {
    if (isLast) this.isWhole = true
    if (bytes === undefined || this.isLost || this.#collector.add(bytes) === 'added') return
    this.isLost = true
    this.release()
  }

  /** The bytes that have been kept so far. */
  whole(): Buffer {
    return this.#collector.whole()
  }

  /** Frees the body: it will not be sent again. */
  release(): void {
    this.#collector.release()
  }
}
