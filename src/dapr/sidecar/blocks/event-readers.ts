import {setMaxListeners} from 'node:events'
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
export interface RunningReader {
  /** Aborted when deliveries end. */
  readonly stopping: AbortController
  readonly reader: {stop(): Promise<void>}
}

/** Ends deliveries. Settles when open events are answered. */
export async function stopReader({stopping, reader}: RunningReader): Promise<void> {
  stopping.abort()
  await reader.stop()
}

/** The delivery `D` of a reader's events. Waiting events can be returned to the broker while the reader continues. */
export class ReturnableDelivery<D> {
  readonly #create: (signal: AbortSignal) => D
  readonly #stopping: AbortSignal
  #returning = new AbortController()
  /** The delivery for further events. */
  current: D

  /** `create` makes a delivery, which returns its waiting events when the signal is aborted. */
  constructor({signal}: AbortController, create: (signal: AbortSignal) => D) {
    this.#create = create
    this.#stopping = signal
    this.current = this.#begin()
  }

  /** Returns waiting events to the broker, so that other readers of the app's group get them. */
  takeBack(): void {
    this.#returning.abort()
    this.current = this.#begin()
  }

  #begin(): D {
    this.#returning = new AbortController()
    const signal = AbortSignal.any([this.#stopping, this.#returning.signal])
    // each waiting event adds a listener
    setMaxListeners(0, this.#stopping, signal)
    return this.#create(signal)
  }
}

/** Begins a reader unless it exists. Resolves with true if a new reader began; false: none was needed; undefined: it failed, which is logged. */
type Begin<T> = (wanted: T, level: LogLevel) => Promise<boolean | undefined>

/** Base class that keeps exactly the wanted readers of one kind for an app. `T` describes a wanted reader, `R` is a running one. */
export abstract class EventReaders<T, R extends RunningReader> extends AppBlock {
  protected readonly running = new Map<string, R>()
  /** Queue of changes by key. Changes of one key run one after the other. A silent server delays only its own key. */
  readonly #changes = new Map<string, SerialQueue>()
  /** The waits for readers that stop, by key. Each promise settles when its reader has stopped, or after STOP_MS. */
  readonly #stopping = new Map<string, Promise<unknown>>()
  readonly #closing = new AbortController()
  #wanted: ReadonlyMap<string, T> = new Map()

  protected abstract keyOf(wanted: T): string

  /** Called with the readers that have begun together. */
  protected begun?(all: readonly T[]): void

  /** Stops unwanted readers, then begins wanted ones. Retries failed ones later: their servers may start later or return. */
  protected async followAll(all: readonly T[], begin: Begin<T>): Promise<void> {
    if (this.#closing.signal.aborted) return
    const wanted = (this.#wanted = new Map(all.map(each => [this.keyOf(each), each])))
    for (const key of wanted.keys()) this.#stopping.delete(key)
    const unwanted = [...this.#changes.keys()].filter(key => !wanted.has(key))
    if (unwanted.length > 0) {
      await Promise.all(unwanted.map(async key => this.#stopping.get(key) ?? this.#stopUnwanted(key, begin)))
      if (this.#wanted !== wanted) return // a later call begins the readers
    }
    const beginning = [...wanted].map(async ([key, each]): Promise<readonly T[]> => {
      const isNew = await this.#change(key, 'error', begin)
      if (isNew === undefined) void this.#retry(wanted, key, begin)
      return isNew === true ? [this.#wanted.get(key) ?? each] : []
    })
    const inTime = beginning.map(async each => {
      const begun = await within(LATE_MS, each)
      if (begun === undefined) void each.then(late => this.begun?.(late)).catch(() => undefined)
      return begun ?? []
    })
    const begun = await Promise.all(inTime)
    this.begun?.(begun.flat())
  }

  /** Whether a reader is still wanted in this form. False after a newer change of the wanted readers. */
  protected isWanted(wanted: T): boolean {
    return this.#wanted.get(this.keyOf(wanted)) === wanted
  }

  protected async stop(key: string): Promise<void> {
    const reader = this.running.get(key)
    this.running.delete(key)
    if (reader !== undefined) await stopReader(reader)
  }

  /** Stops all readers, also starting ones. Settles when the app has answered its open events. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wanted = new Map()
    const stop = async (key: string): Promise<void> => this.stop(key)
    await Promise.all([...this.#changes].flatMap(([key, changes]) => [stop(key), changes.run(async () => stop(key))]))
  }

  /** Stops an unwanted reader, and waits at most STOP_MS for it: an app may need long for an event, and a server may never answer. */
  async #stopUnwanted(key: string, begin: Begin<T>): Promise<unknown> {
    const stopped = this.#change(key, 'error', begin)
    const stopping = within(STOP_MS, stopped)
    this.#stopping.set(key, stopping)
    const forget = (): unknown => this.#stopping.get(key) === stopping && this.#stopping.delete(key)
    stopped.then(forget, forget)
    return stopping
  }

  /** Waits for earlier changes of the key. Then begins its reader if it is still wanted, else stops it. */
  async #change(key: string, level: LogLevel, begin: Begin<T>): Promise<boolean | undefined> {
    const changes = this.#changes.get(key) ?? new SerialQueue()
    this.#changes.set(key, changes)
    return changes.run(async () => {
      const wanted = this.#wanted.get(key)
      if (wanted !== undefined) return begin(wanted, level)
      await this.stop(key)
      return false
    })
  }

  /** Retries to begin a reader until it has begun, or the wanted readers change. */
  async #retry(wanted: ReadonlyMap<string, T>, key: string, begin: Begin<T>): Promise<void> {
    let isNew: boolean | undefined
    for (let waitMs = FIRST_MS; isNew === undefined; waitMs = Math.min(LONGEST_MS, 2 * waitMs)) {
      await pause(waitMs, this.#closing.signal)
      isNew = this.#wanted === wanted ? await this.#change(key, 'debug', begin) : false
    }
    const each = wanted.get(key)
    if (isNew && each !== undefined) this.begun?.([each])
  }
}
