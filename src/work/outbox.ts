import {column, Table, type RowOf} from './rows.ts'
import type {WorkFile} from './work-file.ts'

const {blob, number, text} = column

/**
 * Columns. `store`: name of the state store. `marker`: a key that the transaction writes to the store, too; if the key exists, the
 * transaction was committed. `event`: a CloudEvent in JSON. `made`: time of the row in ms since 1970, which only earlier versions read.
 */
const COLUMNS = {app: text, store: text, marker: text, pubsub: text, topic: text, event: blob, made: number}

/** An event to publish once the transaction that writes its marker is committed. */
export type OutboxEvent = RowOf<typeof COLUMNS>

/** An event with the key of its row. */
export type KeptEvent = OutboxEvent & {readonly key: number}

/** Events of the transactional outbox. The file stores each from before its transaction until it is published: a killed run loses none. */
export class Outbox {
  readonly #file: WorkFile
  readonly #table: Table<typeof COLUMNS>
  /** Keys of events that a caller is publishing. */
  readonly #claimed = new Set<number>()
  readonly #releaseListeners = new Set<() => void>()
  #willNotify = false

  constructor(file: WorkFile) {
    this.#file = file
    this.#table = new Table(file.database, 'outbox', COLUMNS)
  }

  /** Stores events and claims them for the caller, who publishes them. Resolves after the commit. */
  async keep(events: readonly OutboxEvent[]): Promise<readonly KeptEvent[]> {
    return this.#file.change(() =>
      events.map(each => {
        const key = this.#table.insert(each)
        this.#claimed.add(key)
        return {...each, key}
      })
    )
  }

  /** Returns the events of an app that no other caller is publishing; the caller publishes them. */
  claim(app: string): readonly KeptEvent[] {
    const free = this.#table.all('WHERE app = ? ORDER BY key', app).filter(({key}) => !this.#claimed.has(key))
    for (const {key} of free) this.#claimed.add(key)
    return free
  }

  /** Leaves an event to the next caller of `claim`. */
  release({key}: KeptEvent): void {
    this.#claimed.delete(key)
    // a closing sidecar may leave thousands: listeners are called once for all
    if (this.#willNotify) return
    this.#willNotify = true
    setImmediate(() => {
      this.#willNotify = false
      for (const listener of this.#releaseListeners) listener()
    })
  }

  /** Calls the listener when an event can be claimed. The returned function cancels it. */
  onRelease(listener: () => void): () => void {
    this.#releaseListeners.add(listener)
    return () => this.#releaseListeners.delete(listener)
  }

  /** Removes events that were published, or whose transaction failed. */
  async drop(events: readonly KeptEvent[]): Promise<void> {
    await this.#file.change(() => {
      for (const {key} of events) this.#table.delete(key)
    })
    for (const {key} of events) this.#claimed.delete(key)
  }
}
