/** A part of a log, up to the next one: when its first and its last line came, in ms since 1970. */
interface Mark {
  readonly first: number
  last: number
  /** Where it begins, in characters. */
  readonly from: number
}

const WIDTH_MS = 1000
/** Parts that are so short for their age are told apart: a log of a day to minutes, its last minute to seconds. */
const SHARE = 100
const MAX = 4096

/**
 * When which part of a log came: lines carry no times of their own. As exact as a second, and of what is older as a
 * hundredth of its age, so that a run of months takes no more memory than one of a day.
 */
export class Times {
  #markers: Mark[] = []
  #isLineOpen = false

  /** Text comes at the place `from`, now. */
  note(text: string, from: number, now = Date.now()): void {
    const marker = this.#markers.at(-1)
    const at = Math.max(now, marker?.last ?? 0) // clocks are set back at times
    if (marker !== undefined && (this.#isLineOpen || at - marker.first < WIDTH_MS)) marker.last = at
    else this.#markers.push({first: at, last: at, from})
    this.#isLineOpen = !text.endsWith('\n')
    if (this.#markers.length > MAX) this.#thin(at)
  }

  /** Where that begins which has come since; undefined: nothing has. Never too late a place. */
  startSince(time: number): number | undefined {
    return this.#markers.find(({last}) => last >= time)?.from
  }

  #thin(now: number): void {
    const kept: Mark[] = []
    for (const marker of this.#markers) {
      const before = kept.at(-1)
      if (before !== undefined && marker.last - before.first < (now - marker.last) / SHARE) before.last = marker.last
      else kept.push(marker)
    }
    this.#markers = kept
  }
}
