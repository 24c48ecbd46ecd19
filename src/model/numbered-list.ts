interface Numbered {
  readonly id: number
}

/**
 * Entries that are added in the order of their numbers and removed in any order: calls in flight, open streams.
 *
 * A Map would do, but V8 leaves each table of a Map that it has outgrown with references to the next table and to what was in it. Once
 * one of them has grown old, all that follow live on with their calls until the whole memory is collected: 40 MB and more.
 */
export class NumberedList<T extends Numbered> {
  readonly #items: T[] = []
  /** The index of the last entry that was found: lookups mostly repeat. */
  #last = 0

  get size(): number {
    return this.#items.length
  }

  get(id: number): T | undefined {
    const item = this.#items[this.#indexOf(id)]
    return item?.id === id ? item : undefined
  }

  /** Its number must be greater than all others. */
  add(item: T): void {
    this.#items.push(item)
  }

  /** Removes it if it is there. */
  remove({id}: T): void {
    const items = this.#items
    let index = this.#indexOf(id)
    if (items[index]?.id !== id) return
    if (index === 0) return void items.shift() // most go in the order in which they came
    for (let next = items[++index]; next !== undefined; next = items[++index]) items[index - 1] = next
    items.pop()
  }

  /** A snapshot, in order: entries may be removed while it is traversed. */
  all(): readonly T[] {
    return [...this.#items]
  }

  /** The index of the first entry with this number or a greater one. */
  #indexOf(id: number): number {
    const items = this.#items
    if (items[this.#last]?.id === id) return this.#last
    let low = 0
    let high = items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((items[middle]?.id ?? 0) < id) low = middle + 1
      else high = middle
    }
    return (this.#last = low)
  }
}
