import {bisect} from './numbers.ts'

/** A member of a sorted set. */
export interface Scored {
  readonly member: string
  readonly score: number
}

/** Number of unordered changes after which all members are sorted again, which is faster than moving each. */
const MANY = 100

/** Ascending by score, then by bytes. */
const isBefore = (a: Scored, b: Scored): boolean => a.score < b.score || (a.score === b.score && a.member < b.member)

/** A sorted set. Its order is computed on demand, and kept over few changes: a queue reads it after each change. */
export class SortedSet {
  readonly scores: Map<string, number>
  #ordered: Scored[] | undefined
  #changes = 0

  constructor(scores = new Map<string, number>()) {
    this.scores = scores
  }

  get ordered(): readonly Scored[] {
    this.#changes = 0
    this.#ordered ??= Array.from(this.scores, ([member, score]) => ({member, score})).toSorted((a, b) =>
      isBefore(a, b) ? -1 : 1
    )
    return this.#ordered
  }

  get size(): number {
    return this.scores.size
  }

  set(member: string, score: number): void {
    this.delete(member)
    this.scores.set(member, score)
    this.#replace({member, score}, 0, {member, score})
  }

  delete(member: string): boolean {
    const score = this.scores.get(member)
    if (score !== undefined) this.#replace({member, score}, 1)
    return this.scores.delete(member)
  }

  /** Removes `gone` members at a place of the order, and inserts others there. Does nothing if the order is not known. */
  #replace(at: Scored, gone: number, ...others: readonly Scored[]): void {
    if (++this.#changes > MANY) this.#ordered = undefined
    if (this.#ordered === undefined) return
    const place = bisect(this.#ordered, other => isBefore(other, at))
    this.#ordered.splice(place, gone, ...others)
  }
}
