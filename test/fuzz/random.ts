/** Choices that seeds alone decide: equal seeds, equal choices (mulberry32 on an FNV-1a hash). */
export class Random {
  #state = 0x811c9dc5

  constructor(...seeds: readonly (string | number)[]) {
    for (const character of seeds.join('/'))
      this.#state = Math.imul(this.#state ^ (character.codePointAt(0) ?? 0), 0x01000193)
  }

  /** A whole number from 0 on, below the limit. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** True in one of so many cases. */
  oneIn(count: number): boolean {
    return this.below(count) === 0
  }

  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** Up to so many of the list, in any order, also several times. */
  some<T>(list: readonly T[], most: number): readonly T[] {
    return Array.from({length: this.below(most + 1)}, () => this.pick(list))
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({length: count}, () => this.below(256)))
  }
}
