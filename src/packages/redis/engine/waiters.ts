import type {Database} from './database.ts'
import {join, leave} from './keyed-sets.ts'
import {NIL_ARRAY, RedisError, type Blocked, type Result} from './result.ts'

interface Waiter {
  readonly blocked: Blocked
  readonly finish: (result: Result | undefined) => void
}

const MAX_DELAY_MS = 2 ** 31 - 1

/** Commands that wait for keys. Of several that wait for one key, the first is served first. */
export class KeyWaiters {
  readonly #byKey = new Map<Database, Map<string, Set<Waiter>>>()
  #ready = new Set<Set<Waiter>>()

  /** Adds a blocked command, and calls `done` once with its answer. The returned function ends the wait with another answer. */
  add(
    database: Database,
    blocked: Blocked,
    done: (result: Result | undefined) => void
  ): (answer: Result | undefined) => void {
    const byKey = this.#byKey.get(database) ?? new Map<string, Set<Waiter>>()
    this.#byKey.set(database, byKey)
    let timer: NodeJS.Timeout | undefined
    const waiter: Waiter = {
      blocked,
      finish: result => {
        clearTimeout(timer)
        for (const key of blocked.keys) leave(byKey, key, waiter)
        done(result)
      }
    }
    for (const key of blocked.keys) join(byKey, key, waiter)
    const {timeoutMs} = blocked
    if (timeoutMs > 0) timer = setTimeout(() => waiter.finish(NIL_ARRAY), Math.min(timeoutMs, MAX_DELAY_MS))
    return waiter.finish
  }

  /** Called at each change of a key: sessions that wait for it try again after the command. */
  changed(database: Database, key: string): void {
    const waiting = this.#byKey.get(database)?.get(key)
    if (waiting !== undefined) this.#ready.add(waiting)
  }

  /** Lets waiting commands with changed keys try again. */
  serve(): void {
    while (this.#ready.size > 0) {
      const ready = this.#ready
      this.#ready = new Set()
      for (const waiting of ready) {
        for (const waiter of waiting) {
          const result = attempt(waiter.blocked)
          if (result !== undefined) waiter.finish(result)
        }
      }
    }
  }
}

function attempt(blocked: Blocked): Result | undefined {
  try {
    return blocked.attempt()
  } catch (error) {
    if (error instanceof RedisError) return error
    throw error
  }
}
