import {TimeHeap} from '../../model/time-heap.ts'
import type {Clock} from '../../platform/clock.ts'

/** An entry of the agenda. */
export interface Due {
  /** When it is due, by the clock's `now`. Must not change while it is in the agenda. */
  at: number
  /** Whether the entry was cancelled, so that it does nothing when it fires. */
  readonly isOver: boolean
  fire(): void
}

/** Number of cancelled entries that always may stay in the heap. More are removed once they are half of it. */
const MAX_OVER = 100

/** The timers of actors, idle times and deadlock checks in memory: a heap of entries, and one timer of the process for the first. */
export class Agenda {
  readonly #clock: Clock
  #heap = new TimeHeap<Due>()
  #cancelTimer: (() => void) | undefined
  /** Number of cancelled entries in the heap, roughly. */
  #over = 0
  /** The time for which the timer runs; Infinity: none runs; -Infinity: none may be started. */
  #armed = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(due: Due): void {
    this.#heap.push(due)
    if (due.at < this.#armed) this.#arm()
  }

  /** Notes that an entry was cancelled. Removes cancelled entries if there are many: an app may replace a timer at each call. */
  ended(): void {
    if (++this.#over <= Math.max(MAX_OVER, this.#heap.size / 2)) return
    this.#over = 0
    this.#heap.keep(({isOver}) => !isOver)
  }

  close(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#heap = new TimeHeap()
    this.#armed = -Infinity
  }

  #arm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const {first} = this.#heap
    this.#armed = first?.at ?? Infinity
    if (first === undefined) return
    this.#cancelTimer = this.#clock.after(Math.max(0, first.at - this.#clock.now()), () => this.#fireDue())
  }

  #fireDue(): void {
    this.#armed = -Infinity // entries that are added meanwhile start no timer
    const now = this.#clock.now()
    for (let {first} = this.#heap; first !== undefined && first.at <= now; {first} = this.#heap) {
      this.#heap.removeFirst()
      first.fire()
    }
    this.#armed = Infinity
    this.#arm()
  }
}
