import {pause, within} from '../../../platform/delay.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {AppBlock} from './block-context.ts'
import {SerialQueue} from '../../../model/serial-queue.ts'

/** First and longest delay before another try to begin a reader, in ms. */
const FIRST_MS = 500
const LONGEST_MS = 30_000
/** Longest wait for removed readers to stop before new ones begin, in ms. Old and new readers may share a queue at the broker. */
const STOP_MS = 2000
/** Longest wait for a reader to begin, in ms. Its server may never answer. Later beginnings are reported one by one. */
const LATE_MS = 60_000

/** A running reader of events for an app: of a topic, or of an input binding. */
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

/** Begins a reader unless it exists. Resolves with true if a new reader began; false: none was needed; undefined: it failed, which is logged. */
type Begin<T> = (wanted: T, failures: LogLevel) => Promise<boolean | undefined>

/** Base class that keeps exactly the wanted readers of one kind for an app. `T` describes a wanted reader, `A` is a running one. */
export abstract class AllFollowed<T, A extends Followed> extends AppBlock {
  protected readonly active = new Map<string, A>()
  /** Queue of changes by key. Changes of one key run one after the other. A silent server delays only its own key. */
  readonly #changes = new Map<string, SerialQueue>()
  /** The waits for readers that stop, by key. Each promise settles when its reader has stopped, or after STOP_MS. */
  readonly #leaving = new Map<string, Promise<unknown>>()
  readonly #closing = new AbortController()
  #wanted: ReadonlyMap<string, T> = new Map()

  protected abstract keyOf(wanted: T): string

  /** Called with the readers that have begun together. */
  protected begun?(all: readonly T[]): void

  /** Stops unwanted readers, then begins wanted ones. Retries failed ones later: their servers may start later or return. */
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

  /** Whether a reader is still wanted in this form. False after a newer change of the wanted readers. */
  protected isWanted(wanted: T): boolean {
    return this.#wanted.get(this.keyOf(wanted)) === wanted
  }

  protected async stop(key: string): Promise<void> {
    const active = this.active.get(key)
    this.active.delete(key)
    if (active !== undefined) await stopFollowed(active)
  }

  /** Stops all readers, also starting ones. Settles when the app has answered its open events. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wanted = new Map()
    const stop = async (key: string): Promise<void> => this.stop(key)
    await Promise.all([...this.#changes].flatMap(([key, changes]) => [stop(key), changes.run(async () => stop(key))]))
  }

  /** Stops an unwanted reader, and waits at most STOP_MS for it: an app may need long for an event, and a server may never answer. */
  async #leave(key: string, begin: Begin<T>): Promise<unknown> {
    const stopped = this.#change(key, 'error', begin)
    const leaving = within(STOP_MS, stopped)
    this.#leaving.set(key, leaving)
    const forget = (): unknown => this.#leaving.get(key) === leaving && this.#leaving.delete(key)
    stopped.then(forget, forget)
    return leaving
  }

  /** Waits for earlier changes of the key. Then begins its reader if it is still wanted, else stops it. */
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

  /** Retries to begin a reader until it has begun, or the wanted readers change. */
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
