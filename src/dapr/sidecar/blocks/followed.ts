import {pause} from '../../../platform/delay.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {SerialQueue} from '../../../model/serial-queue.ts'

/** Between two tries to begin, in ms: the first, and the longest. */
const FIRST_MS = 500
const LONGEST_MS = 30_000

/** Something that is read for an app. */
export interface Followed {
  /** Aborted when nothing more is to be delivered. */
  readonly over: AbortController
  readonly reader: {stop(): Promise<void>}
}

/** Delivers nothing more; settles when what the app has is answered. */
export async function stopFollowed({over, reader}: Followed): Promise<void> {
  over.abort()
  await reader.stop()
}

/** Begins to read one, unless it is read already. True: it has begun; undefined: it cannot be read now, which is logged. */
type Begin<T> = (wanted: T, failures: LogLevel) => Promise<boolean | undefined>

/** All of one kind that is read for an app: exactly what is wanted, one change after the other. */
export abstract class AllFollowed<T, A extends Followed> {
  protected readonly active = new Map<string, A>()
  readonly #changes = new SerialQueue()
  readonly #closing = new AbortController()
  /** What is to be read now. */
  #wanted: readonly T[] = []

  /** Names one of its kind. */
  protected abstract keyOf(wanted: T): string

  /** Called with those that have begun together. */
  protected begun?(all: readonly T[]): void

  /** Stops what is not wanted, and begins what is; what does not answer is tried again, as a server may start later, or come back. */
  protected async followAll(wanted: readonly T[], begin: Begin<T>): Promise<void> {
    await this.#changes.run(async () => {
      if (this.#closing.signal.aborted) return
      this.#wanted = wanted
      const keys = new Set(wanted.map(each => this.keyOf(each)))
      await this.#stopAll([...this.active.keys()].filter(key => !keys.has(key)))
      void this.#untilBegun(wanted, await this.#begin(wanted, 'error', begin), begin)
    })
  }

  protected async stop(key: string): Promise<void> {
    const active = this.active.get(key)
    this.active.delete(key)
    if (active !== undefined) await stopFollowed(active)
  }

  /** Stops all; settles when the app has answered what it already got. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wanted = []
    for (const {over} of this.active.values()) over.abort()
    await this.#changes.run(async () => this.#stopAll([...this.active.keys()]))
  }

  async #stopAll(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map(async key => this.stop(key)))
  }

  /** Gives those that cannot be read now. */
  async #begin(some: readonly T[], failures: LogLevel, begin: Begin<T>): Promise<readonly T[]> {
    const areNew = await Promise.all(some.map(async each => begin(each, failures)))
    this.begun?.(some.filter((_, at) => areNew[at]))
    return some.filter((_, at) => areNew[at] === undefined)
  }

  /** Tries all that are left together, until none is, or others are wanted. */
  async #untilBegun(wanted: readonly T[], all: readonly T[], begin: Begin<T>): Promise<void> {
    let left = all
    for (let waitMs = FIRST_MS; left.length > 0; waitMs = Math.min(LONGEST_MS, 2 * waitMs)) {
      await pause(waitMs, this.#closing.signal)
      const late = left
      left = await this.#changes.run(async () => (this.#wanted === wanted ? this.#begin(late, 'debug', begin) : []))
    }
  }
}
