/** Binary heap of items by their time. `at` of an item stays while it is in the heap. */
export class TimeHeap<T extends {readonly at: number}> {
  #items: T[] = []

  get first(): T | undefined {
    return this.#items[0]
  }

  get size(): number {
    return this.#items.length
  }

  push(item: T): void {
    const heap = this.#items
    let at = heap.push(item) - 1
    while (at > 0) {
      const up = (at - 1) >>> 1
      const parent = heap[up]
      if (parent === undefined || parent.at <= item.at) break
      heap[at] = parent
      at = up
    }
    heap[at] = item
  }

  removeFirst(): void {
    const heap = this.#items
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if ((heap[down + 1]?.at ?? Infinity) < (heap[down]?.at ?? Infinity)) down++
      const child = heap[down]
      if (child === undefined || child.at >= last.at) break
      heap[at] = child
      at = down
    }
    heap[at] = last
  }

  /** Removes all items that `isKept` returns false for. */
  keep(isKept: (item: T) => boolean): void {
    this.#items = this.#items.filter(isKept).toSorted((a, b) => a.at - b.at)
  }
}
