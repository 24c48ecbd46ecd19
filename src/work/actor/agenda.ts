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
  readonly #heap: Due[] = []
  #stop: (() => void) | undefined
  /** When the timer fires. */
  #armed = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(due: Due): void {
    const heap = this.#heap
    let at = heap.push(due) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.at <= due.at) break
      heap[at] = above
      heap[parent] = due
      at = parent
    }
    if (due.at < this.#armed) this.#arm()
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
    this.#heap.length = 0
    this.#armed = -Infinity
  }

  #arm(): void {
    this.#stop?.()
    this.#stop = undefined
    const [first] = this.#heap
    this.#armed = first?.at ?? Infinity
    if (first === undefined) return
    this.#stop = this.#clock.after(Math.max(0, first.at - this.#clock.now()), () => this.#look())
  }

  #look(): void {
    this.#armed = -Infinity // nothing arms it meanwhile
    const now = this.#clock.now()
    for (let [first] = this.#heap; first !== undefined && first.at <= now; [first] = this.#heap) {
      this.#removeFirst()
      first.fire()
    }
    this.#armed = Infinity
    this.#arm()
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      let least = heap[child]
      const right = heap[child + 1]
      if (least !== undefined && right !== undefined && right.at < least.at) {
        child++
        least = right
      }
      if (least === undefined || least.at >= last.at) break
      heap[at] = least
      at = child
    }
    heap[at] = last
  }
}
