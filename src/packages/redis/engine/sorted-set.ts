/** A member of a sorted set. */
export interface Scored {
  readonly member: string
  readonly score: number
}

/** A sorted set. Its order is computed when it is asked for: it serves people who look around, not hot loops. */
export class SortedSet {
  readonly scores: Map<string, number>
  #ordered: readonly Scored[] | undefined

  constructor(scores = new Map<string, number>()) {
    this.scores = scores
  }

  /** Ascending by score, then by bytes. */
  get ordered(): readonly Scored[] {
    this.#ordered ??= Array.from(this.scores, ([member, score]) => ({member, score})).toSorted(
      (a, b) => a.score - b.score || (a.member < b.member ? -1 : 1)
    )
    return this.#ordered
  }

  get size(): number {
    return this.scores.size
  }

  set(member: string, score: number): void {
    this.scores.set(member, score)
    this.#ordered = undefined
  }

  delete(member: string): boolean {
    this.#ordered = undefined
    return this.scores.delete(member)
  }
}
