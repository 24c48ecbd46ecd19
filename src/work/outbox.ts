import type {StatementSync} from 'node:sqlite'
import type {WorkFile} from './work-file.ts'

/** An event that is to be published once the transaction that has its marker is committed. */
export interface OutboxEvent {
  readonly app: string
  /** Name of the state store. */
  readonly store: string
  /** The key that the transaction writes, too: where it is found, the transaction was committed. */
  readonly marker: string
  readonly pubsub: string
  readonly topic: string
  /** A CloudEvent in JSON. */
  readonly event: Uint8Array
  /** When it was kept, in ms since 1970. */
  readonly made: number
}

/** One that is kept. */
export interface KeptEvent extends OutboxEvent {
  readonly key: number
}

/** Events of transactions, kept from before a transaction until its event is published: a killed run loses none. */
export class Outbox {
  readonly #file: WorkFile
  readonly #insert: StatementSync
  readonly #delete: StatementSync
  readonly #of: StatementSync
  /** Keys of those that somebody has in hand. */
  readonly #claimed = new Set<number>()

  constructor(file: WorkFile) {
    this.#file = file
    const {database} = file
    this.#insert = database.prepare(
      'INSERT INTO outbox (app, store, marker, pubsub, topic, event, made) VALUES (?, ?, ?, ?, ?, ?, ?)'
    )
    this.#delete = database.prepare('DELETE FROM outbox WHERE key = ?')
    this.#of = database.prepare('SELECT * FROM outbox WHERE app = ? ORDER BY key')
  }

  /** Settles when they are kept; whoever calls has them in hand. */
  async keep(events: readonly OutboxEvent[]): Promise<readonly KeptEvent[]> {
    const kept = await this.#file.change(() =>
      events.map(each => {
        const {app, store, marker, pubsub, topic, event, made} = each
        const {lastInsertRowid} = this.#insert.run(app, store, marker, pubsub, topic, event, made)
        return {...each, key: Number(lastInsertRowid)}
      })
    )
    for (const {key} of kept) this.#claimed.add(key)
    return kept
  }

  /** Those of an app that nobody has in hand: they are in the caller's from now on. */
  claim(app: string): readonly KeptEvent[] {
    const free = (this.#of.all(app) as unknown as readonly KeptEvent[]).filter(({key}) => !this.#claimed.has(key))
    for (const {key} of free) this.#claimed.add(key)
    return free
  }

  /** The next one who asks gets it. */
  release({key}: KeptEvent): void {
    this.#claimed.delete(key)
  }

  /** It is published, or will not be. */
  async drop(events: readonly KeptEvent[]): Promise<void> {
    await this.#file.change(() => {
      for (const {key} of events) this.#delete.run(key)
    })
    for (const each of events) this.release(each)
  }
}
