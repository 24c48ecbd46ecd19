import {pause, within} from '../../../platform/delay.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {AppBlock} from './block-context.ts'
import {SerialQueue} from '../../../model/serial-queue.ts'

/** First delay between two tries to begin, in ms. */
const FIRST_MS = 500
const LONGEST_MS = 30_000
/** Time for removed readers to stop before new ones begin, in ms. Both may read one queue. */
const STOP_MS = 2000
/** Longest wait for a reader to begin, in ms. Its server may never answer. */
const LATE_MS = 60_000

/** A reader for an app. */
export interface Followed {
  /** Aborted when deliveries end. */
  readonly over: AbortController
  readonly reader: {stop(): Promise<void>}
}

/** Ends deliveries. Settles when open events are answered. */
export async function stopFollowed({over, reader}: Followed): Promise<void> {
  over.abort()
  await reader.stop()
}

/** Begins a reader unless it exists. Resolves with true if it has begun, and with undefined after a failure, which is logged. */
type Begin<T> = (wanted: T, failures: LogLevel) => Promise<boolean | undefined>

/** Keeps exactly the wanted readers of one kind for an app. */
export abstract class AllFollowed<T, A extends Followed> extends AppBlock {
  protected readonly active = new Map<string, A>()
  /** Queue of changes by key: one change after the other, so that a silent server delays no other key. */
  readonly #changes = new Map<string, SerialQueue>()
  /** Readers that stop. Each promise settles once its reader has stopped, or is waited for no longer. */
  readonly #leaving = new Map<string, Promise<unknown>>()
  readonly #closing = new AbortController()
  #wanted: ReadonlyMap<string, T> = new Map()

  protected abstract keyOf(wanted: T): string

  /** Called with all readers that have begun together. */
  protected begun?(all: readonly T[]): void

  /** Stops unwanted readers, and begins wanted ones. Tries silent servers again, which may start later or return. */
  protected async followAll(all: readonly T[], begin: Begin<T>): Promise<void> {
    if (this.#closing.signal.aborted) return
    const wanted = (this.#wanted = new Map(all.map(each => [this.keyOf(each), each])))
    for (const key of wanted.keys()) this.#leaving.delete(key)
    const left = [...this.#changes.keys()].filter(key => !wanted.has(key))
    if (left.length > 0) {
      await Promise.all(left.map(async key => this.#leaving.get(key) ?? this.#leave(key, begin)))
      if (this.#wanted !== wanted) return
    }
    const beginning = [...wanted].map(async ([key, each]) => {
      const isNew = await this.#change(key, 'error', begin)
      if (isNew === undefined) void this.#untilBegun(wanted, key, begin)
      return isNew === true ? [this.#wanted.get(key) ?? each] : []
    })
    const inTime = beginning.map(async each => {
      const some = await within(LATE_MS, each)
      if (some === undefined) void each.then(late => this.begun?.(late)).catch(() => undefined)
      return some ?? []
    })
    const begun = await Promise.all(inTime)
    this.begun?.(begun.flat())
  }

  /** Whether a reader is still wanted in this form: a later change may follow. */
  protected isWanted(wanted: T): boolean {
    return this.#wanted.get(this.keyOf(wanted)) === wanted
  }

  protected async stop(key: string): Promise<void> {
    const active = this.active.get(key)
    this.active.delete(key)
    if (active !== undefined) await stopFollowed(active)
  }

  /** Stops all, also starting ones. Settles when the app has answered open events. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wanted = new Map()
    const stop = async (key: string): Promise<void> => this.stop(key)
    await Promise.all([...this.#changes].flatMap(([key, changes]) => [stop(key), changes.run(async () => stop(key))]))
  }

  /** Stops an unwanted reader. Waits for it for a limited time: an app may keep an event for long, and a server may never answer. */
  async #leave(key: string, begin: Begin<T>): Promise<unknown> {
    const stopped = this.#change(key, 'error', begin)
    const leaving = within(STOP_MS, stopped)
    this.#leaving.set(key, leaving)
    const forget = (): unknown => this.#leaving.get(key) === leaving && this.#leaving.delete(key)
    stopped.then(forget, forget)
    return leaving
  }

  /** Begins or stops one reader, as is wanted when earlier changes are done. */
  async #change(key: string, failures: LogLevel, begin: Begin<T>): Promise<boolean | undefined> {
    const changes = this.#changes.get(key) ?? new SerialQueue()
    this.#changes.set(key, changes)
    return changes.run(async () => {
      const wanted = this.#wanted.get(key)
      if (wanted !== undefined) return begin(wanted, failures)
      await this.stop(key)
      return false
    })
  }

  /** Tries again until it has begun, or others are wanted. */
  async #untilBegun(wanted: ReadonlyMap<string, T>, key: string, begin: Begin<T>): Promise<void> {
    let isNew: boolean | undefined
    for (let waitMs = FIRST_MS; isNew === undefined; waitMs = Math.min(LONGEST_MS, 2 * waitMs)) {
      await pause(waitMs, this.#closing.signal)
      isNew = this.#wanted === wanted ? await this.#change(key, 'debug', begin) : false
    }
    const each = wanted.get(key)
    if (isNew && each !== undefined) this.begun?.([each])
  }
}
