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
const MOST = 4096

/**
 * When which part of a log came: lines carry no times of their own. As exact as a second, and of what is older as a
 * hundredth of its age, so that a run of months takes no more memory than one of a day.
 */
export class Times {
  #marks: Mark[] = []
  #isLineOpen = false

  /** Text comes at the place `from`, now. */
  note(text: string, from: number, now = Date.now()): void {
    const mark = this.#marks.at(-1)
    const at = Math.max(now, mark?.last ?? 0) // clocks are set back at times
    if (mark !== undefined && (this.#isLineOpen || at - mark.first < WIDTH_MS)) mark.last = at
    else this.#marks.push({first: at, last: at, from})
    this.#isLineOpen = !text.endsWith('\n')
    if (this.#marks.length > MOST) this.#thin(at)
  }

  /** Where that begins which has come since; undefined: nothing has. Never too late a place. */
  startSince(time: number): number | undefined {
    return this.#marks.find(({last}) => last >= time)?.from
  }

  #thin(now: number): void {
    const kept: Mark[] = []
    for (const mark of this.#marks) {
      const before = kept.at(-1)
      if (before !== undefined && mark.last - before.first < (now - mark.last) / SHARE) before.last = mark.last
      else kept.push(mark)
    }
    this.#marks = kept
  }
}
