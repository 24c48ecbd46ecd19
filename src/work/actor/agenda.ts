import {TimeHeap} from '../../model/time-heap.ts'
import type {Clock} from '../../platform/clock.ts'

/** Something to do at a time. */
export interface Due {
  /** By the clock's `now`. It stays while this waits. */
  at: number
  fire(): void
}

/** What waits in memory for its time: a heap, and one timer for its head. What is no longer wanted does nothing when it fires. */
export class Agenda {
  readonly #clock: Clock
  #heap = new TimeHeap<Due>()
  #stop: (() => void) | undefined
  /** When the timer fires. */
  #armed = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(due: Due): void {
    this.#heap.push(due)
    if (due.at < this.#armed) this.#arm()
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
    this.#heap = new TimeHeap()
    this.#armed = -Infinity
  }

  #arm(): void {
    this.#stop?.()
    this.#stop = undefined
    const {first} = this.#heap
    this.#armed = first?.at ?? Infinity
    if (first === undefined) return
    this.#stop = this.#clock.after(Math.max(0, first.at - this.#clock.now()), () => this.#look())
  }

  #look(): void {
    this.#armed = -Infinity // nothing arms it meanwhile
    const now = this.#clock.now()
    for (let {first} = this.#heap; first !== undefined && first.at <= now; {first} = this.#heap) {
      this.#heap.removeFirst()
      first.fire()
    }
    this.#armed = Infinity
    this.#arm()
  }
}
