/** Buckets for each doubling of the time, of the same width. */
const PER_OCTAVE = 4
const OCTAVES = 32
const BUCKETS = PER_OCTAVE * OCTAVES
/** End of the first bucket, in ms; the last ends after 16 hours. */
const FIRST_MS = 0.016

// Buffer for a double, whose exponent and next two bits number the bucket: a logarithm would take ten times as long.
const double = new Float64Array(1)
const halves = new Uint32Array(double.buffer)
const BITS_BEHIND = 18
const ONE = 1023 * PER_OCTAVE

/** Counts times in buckets that grow: a percentile is accurate to a quarter of its value. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #count = 0
  #longest = 0

  add(ms: number): void {
    double[0] = ms / FIRST_MS
    const above = ((halves[1] ?? 0) >>> BITS_BEHIND) - ONE + 1
    const bucket = ms <= FIRST_MS ? 0 : Math.min(above, BUCKETS - 1)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count++
    if (ms > this.#longest) this.#longest = ms
  }

  clear(): void {
    this.#counts.fill(0)
    this.#count = this.#longest = 0
  }

  /** Returns the percentile (`share`: 0.95) in ms, over both histograms, at most the longest time; 0 without any. */
  percentile(share: number, other = NO_TIMES): number {
    let left = Math.ceil(share * (this.#count + other.#count))
    if (left === 0) return 0
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count + (other.#counts[bucket] ?? 0)
      if (left <= 0) return Math.min(endOf(bucket), Math.max(this.#longest, other.#longest))
    }
    return endOf(BUCKETS - 1)
  }
}

const endOf = (bucket: number): number =>
  FIRST_MS * 2 ** Math.floor(bucket / PER_OCTAVE) * (1 + (bucket % PER_OCTAVE) / PER_OCTAVE)

const NO_TIMES = new LatencyHistogram()
