/** Buckets for each doubling of the time. */
const PER_OCTAVE = 4
const OCTAVES = 22
/** The end of the first bucket, in ms; the last one ends after 18 hours. */
const FIRST_MS = 0.016

/** Times in buckets that grow with them: a percentile is right to a fifth of itself. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(PER_OCTAVE * OCTAVES)
  #count = 0

  add(ms: number): void {
    const at = ms <= FIRST_MS ? 0 : Math.ceil(Math.log2(ms / FIRST_MS) * PER_OCTAVE)
    const bucket = Math.min(at, PER_OCTAVE * OCTAVES - 1)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count++
  }

  /** In ms: so many of all times (0.95) were not longer; 0: there are none. */
  percentile(share: number): number {
    if (this.#count === 0) return 0
    let left = Math.ceil(share * this.#count)
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count
      if (left <= 0) return FIRST_MS * 2 ** (bucket / PER_OCTAVE)
    }
    return FIRST_MS * 2 ** OCTAVES
  }
}
