interface Numbered {
  readonly id: number
}

/**
 * Entries added in the order of their numbers and removed in any order: calls in flight, open streams. In a Map, V8 chains each outgrown
 * table to the next; one old table keeps all later entries alive until a full collection: 40 MB and more.
 */
export class NumberedList<T extends Numbered> {
  readonly #items: T[] = []
  /** Index of the entry that was found last, since most lookups repeat the previous one. */
  #last = 0

  get size(): number {
    return this.#items.length
  }

  get(id: number): T | undefined {
    const item = this.#items[this.#indexOf(id)]
    return item?.id === id ? item : undefined
  }

  /** Adds an entry. Its number must be greater than all others. */
  add(item: T): void {
    this.#items.push(item)
  }

  /** Removes an entry, if it is in the list. */
  remove({id}: T): void {
    const items = this.#items
    let index = this.#indexOf(id)
    if (items[index]?.id !== id) return
    if (index === 0) return void items.shift() // most items leave in the order in which they were added
    for (let next = items[++index]; next !== undefined; next = items[++index]) items[index - 1] = next
    items.pop()
  }

  /** Returns a snapshot, in order: entries may be removed while it is traversed. */
  all(): readonly T[] {
    return [...this.#items]
  }

  /** Returns the index of the first entry with this number or a greater one. */
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
