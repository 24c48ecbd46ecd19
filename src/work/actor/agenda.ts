import {TimeHeap} from '../../model/time-heap.ts'
import type {Clock} from '../../platform/clock.ts'

/** Work that is due at a time. */
export interface Due {
  /** When it is due, by the clock's `now`. Must not change while it is in the agenda. */
  at: number
  /** Whether the entry was cancelled, so that it does nothing when it fires. */
  readonly isOver: boolean
  fire(): void
}

/** Minimum number of cancelled entries to remove, once they are half of all. */
const MAX_OVER = 100

/** Holds work that is due later, in memory: a heap, and one timer for its head. */
export class Agenda {
  readonly #clock: Clock
  #heap = new TimeHeap<Due>()
  #stop: (() => void) | undefined
  /** How many entries have got over since some were removed, roughly. */
  #over = 0
  #armed = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(due: Due): void {
    this.#heap.push(due)
    if (due.at < this.#armed) this.#arm()
  }

  /** Called when an entry is cancelled: thousands may follow before its time, if each call sets a timer again. */
  ended(): void {
    if (++this.#over <= Math.max(MAX_OVER, this.#heap.size / 2)) return
    this.#over = 0
    this.#heap.keep(({isOver}) => !isOver)
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
    this.#armed = -Infinity // no other look is planned while this one runs
    const now = this.#clock.now()
    for (let {first} = this.#heap; first !== undefined && first.at <= now; {first} = this.#heap) {
      this.#heap.removeFirst()
      first.fire()
    }
    this.#armed = Infinity
    this.#arm()
  }
}
