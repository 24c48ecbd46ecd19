import {column, Table, type RowOf} from './rows.ts'
import type {WorkFile} from './work-file.ts'

const {blob, number, text} = column

/**
 * `store`: name of the state store; `marker`: the key that the transaction writes, too: where it is found, the transaction was committed;
 * `event`: a CloudEvent in JSON; `made`: when it was kept, in ms since 1970.
 */
const COLUMNS = {app: text, store: text, marker: text, pubsub: text, topic: text, event: blob, made: number}

/** An event that is to be published once the transaction that has its marker is committed. */
export type OutboxEvent = RowOf<typeof COLUMNS>

/** One that is kept. */
export type KeptEvent = OutboxEvent & {readonly key: number}

/** Events of transactions, kept from before a transaction until its event is published: a killed run loses none. */
export class Outbox {
  readonly #file: WorkFile
  readonly #table: Table<typeof COLUMNS>
  readonly #claimed = new Set<number>()

  constructor(file: WorkFile) {
    this.#file = file
    this.#table = new Table(file.database, 'outbox', COLUMNS)
  }

  /** Resolves once they are kept; the caller publishes them. */
  async keep(events: readonly OutboxEvent[]): Promise<readonly KeptEvent[]> {
    return this.#file.change(() =>
      events.map(each => {
        const key = this.#table.insert(each)
        this.#claimed.add(key)
        return {...each, key}
      })
    )
  }

  /** Events of an app that no other caller is publishing; the caller publishes them. */
  claim(app: string): readonly KeptEvent[] {
    const free = this.#table.all('WHERE app = ? ORDER BY key', app).filter(({key}) => !this.#claimed.has(key))
    for (const {key} of free) this.#claimed.add(key)
    return free
  }

  /** The next caller of `claim` gets it. */
  release({key}: KeptEvent): void {
    this.#claimed.delete(key)
  }

  /** It is published, or will not be. */
  async drop(events: readonly KeptEvent[]): Promise<void> {
    await this.#file.change(() => {
      for (const {key} of events) this.#table.delete(key)
    })
    for (const each of events) this.release(each)
  }
}
