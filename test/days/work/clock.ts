import type {Clock} from '../../../src/platform/clock.ts'
import {isOfEnd} from './disk.ts'

interface Entry {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/** Time that a walk lets pass. What a run waits for ends with the run. */
export class WalkClock {
  #now = 1_000_000
  /** What the machine's date is ahead of it. */
  #ahead = 0
  #due: Entry[] = []
  #order = 0

  /** As a run sees it. */
  clock(): Clock {
    return {
      now: () => this.#now,
      date: () => this.date(),
      after: (ms, fire) => {
        const entry = {at: this.#now + Math.max(0, ms), order: this.#order++, fire}
        this.#due.push(entry)
        return () => {
          const at = this.#due.indexOf(entry)
          if (at >= 0) this.#due.splice(at, 1)
        }
      }
    }
  }

  date(): number {
    return this.#now + this.#ahead
  }

  /** Somebody sets the date. */
  jump(ms: number): void {
    this.#ahead += ms
  }

  /** A run has ended. */
  forget(): void {
    this.#due = []
  }

  #fire({fire}: Entry): void {
    try {
      fire()
    } catch (error) {
      if (!isOfEnd(error)) throw error
    }
  }

  /** Lets time pass, from one thing that is due to the next; each has its consequences before the next one. */
  async pass(ms: number, settle: () => Promise<void>): Promise<void> {
    const end = this.#now + ms
    for (let steps = 0; steps < 2000; steps++) {
      let next: Entry | undefined
      for (const each of this.#due)
        if (next === undefined || each.at < next.at || (each.at === next.at && each.order < next.order)) next = each
      if (next === undefined || next.at > end) break
      this.#due.splice(this.#due.indexOf(next), 1)
      this.#now = Math.max(this.#now, next.at)
      this.#fire(next)
      await settle()
    }
    this.#now = Math.max(this.#now, end)
  }
}
