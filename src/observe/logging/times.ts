/** A part of a log, and the times at which its first and last text were written, in ms since 1970. */
interface LogPart {
  readonly first: number
  last: number
  /** The offset in characters. */
  readonly from: number
}

const WIDTH_MS = 1000
/** Divisor of the age: a part spans at most a hundredth of it, such as 15 minutes after a day. */
const SHARE = 100
const MAX = 4096

/**
 * The times of the parts of a log, as lines have no times. The precision is one second, or a hundredth of the age of older
 * parts, so that a run of months uses no more memory than a run of one day.
 */
export class Times {
  #parts: LogPart[] = []
  #isLineOpen = false

  /** Records that text at offset `from` was written now. */
  note(text: string, from: number, now = Date.now()): void {
    const part = this.#parts.at(-1)
    const at = Math.max(now, part?.last ?? 0) // the clock may be set back
    if (part !== undefined && (this.#isLineOpen || at - part.first < WIDTH_MS)) part.last = at
    else this.#parts.push({first: at, last: at, from})
    this.#isLineOpen = !text.endsWith('\n')
    if (this.#parts.length > MAX) this.#thin(at)
  }

  /** Forgets the unwritten text from this offset on. */
  cut(from: number): void {
    this.#parts = this.#parts.filter(part => part.from < from)
    this.#isLineOpen = false
  }

  /** Returns the offset of the text since a time, or of slightly older text, if there is any. */
  startSince(time: number): number | undefined {
    return this.#parts.find(({last}) => last >= time)?.from
  }

  #thin(now: number): void {
    const kept: LogPart[] = []
    for (const part of this.#parts) {
      const before = kept.at(-1)
      if (before !== undefined && part.last - before.first < (now - part.last) / SHARE) before.last = part.last
      else kept.push(part)
    }
    this.#parts = kept
  }
}
