import type {Message as KafkaMessage} from '@platformatic/kafka'
import {pause} from '../../../platform/delay.ts'
import type {BrokerMessage, Handled} from '../pubsub.ts'
import {NULL} from './kafka-publisher.ts'
import type {KafkaSettings} from './kafka-settings.ts'
import {NextChange} from '../../../model/next-change.ts'

export type Record = KafkaMessage

interface PartitionReaderOptions {
  /** Messages handled at once. */
  readonly atOnce: number
  /** Number of further tries for a failed record (-1: forever), and the pause in ms before each. */
  readonly maxRetries: number
  readonly retryMs: number
  /** Never rejects. */
  readonly handle: (record: Record) => Promise<Handled>
  /** Called after each handled record. */
  readonly onHandled: () => void
  /** Called with a record after its last try. */
  readonly gaveUp: (record: Record) => void
  /** Aborted when no more records are to be handled. */
  readonly over: AbortSignal
}

interface Entry {
  readonly record: Record
  isDone: boolean
}

/** Handles the messages of one partition in order, and commits the offset up to which all are handled. */
export class PartitionReader {
  readonly #options: PartitionReaderOptions
  readonly #waiting: Record[] = []
  readonly #inHand: Entry[] = []
  #atWork = 0
  #committing: Promise<void> | undefined
  #uncommitted: Record | undefined
  readonly #idle = new NextChange()

  constructor(options: PartitionReaderOptions) {
    this.#options = options
  }

  /** Adds a record, unless it is in hand already: a rebalance repeats uncommitted records. */
  put(record: Record): void {
    const first = this.#inHand[0]?.record ?? this.#waiting[0]
    const last = this.#waiting.at(-1) ?? this.#inHand.at(-1)?.record
    const isInHand =
      first !== undefined && last !== undefined && first.offset <= record.offset && record.offset <= last.offset
    if (isInHand) return this.#options.onHandled()
    this.#waiting.push(record)
    this.#next()
  }

  /** Settles when open records are handled and committed. */
  async end(): Promise<void> {
    while (this.#atWork > 0) await this.#idle.promise
    await this.#committing
  }

  #next(): void {
    const {atOnce, over} = this.#options
    while (this.#atWork < atOnce && !over.aborted) {
      const record = this.#waiting.shift()
      if (record === undefined) return
      this.#atWork++
      void this.#work(record)
    }
  }

  async #work(record: Record): Promise<void> {
    const entry: Entry = {record, isDone: false}
    this.#inHand.push(entry)
    entry.isDone = await this.#handle(record)
    while (this.#inHand[0]?.isDone === true) this.#uncommitted = this.#inHand.shift()?.record
    if (this.#uncommitted !== undefined) this.#committing ??= this.#commit()
    this.#atWork--
    this.#options.onHandled()
    this.#next()
    if (this.#atWork === 0) this.#idle.happened()
  }

  /** Handles a record. Resolves with whether the group is done with it. */
  async #handle(record: Record): Promise<boolean> {
    const {handle, gaveUp, maxRetries, retryMs, over} = this.#options
    for (let failures = 0; !over.aborted; await pause(retryMs, over)) {
      const handled = await handle(record)
      if (handled === 'done') return true
      // a returned record is not handled: it delays the commits of later ones
      if (handled !== 'failed' || maxRetries < 0 || failures++ < maxRetries || over.aborted) continue
      gaveUp(record)
      return true
    }
    return false
  }

  /** Commits one offset at a time. A later offset includes the earlier ones. */
  async #commit(): Promise<void> {
    while (this.#uncommitted !== undefined) {
      const record = this.#uncommitted
      this.#uncommitted = undefined
      // after the last try the partition may have another reader, or the broker is gone: the message is delivered again
      for (let tries = 0; tries < MAX_COMMITS && !(await isCommitted(record)); tries++) await pause(COMMIT_MS)
    }
    this.#committing = undefined
  }
}

/** Maximum number of tries: during a rebalance the broker refuses commits. */
const MAX_COMMITS = 5
const COMMIT_MS = 200

async function isCommitted(record: Record): Promise<boolean> {
  try {
    await record.commit()
    return true
  } catch {
    return false
  }
}

/** Returns a record with its headers as a message. */
export function recordAsMessage(
  {key, value, headers, offset, topic, timestamp, partition}: Record,
  {escapeHeaders, excluded}: KafkaSettings
): BrokerMessage {
  // Go's url.QueryEscape; a header may have no value although its type excludes that
  const escape = (bytes: Buffer | undefined, text = bytes?.toString() ?? ''): string =>
    escapeHeaders ? encodeURIComponent(text).replaceAll('%20', '+') : text
  const own = [...headers]
    .map(([name, content]): readonly [string, string] => [name.toString(), escape(content)])
    .filter(([name]) => excluded?.test(name) !== true)
  return {
    data: value ?? NULL,
    metadata: {
      ...(key !== undefined && {__key: escape(key)}),
      __offset: offset.toString(),
      __topic: topic,
      __timestamp: timestamp.toString(),
      __partition: partition.toString(),
      ...Object.fromEntries(own)
    }
  }
}
