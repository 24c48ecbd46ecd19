import type {Pool} from '../net/pool.ts'

/** Number of connections that one process may refuse, although its queue admits the call each time, before the call fails. */
const MAX_REFUSALS = 3

/**
 * How often the processes that one attempt was sent to have refused it. That their queues held it in between does not count: the
 * probe that opens a queue connects as well, so it succeeds where a process accepts and then closes. A new process has a new pool.
 */
export class Refusals {
  readonly #counts = new Map<Pool, number>()

  /** A connection of this pool was refused; true: too often. */
  isLast(pool: Pool): boolean {
    const count = (this.#counts.get(pool) ?? 0) + 1
    this.#counts.set(pool, count)
    return count >= MAX_REFUSALS
  }
}
