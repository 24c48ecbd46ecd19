import type {Consumer, MessagesStream} from '@platformatic/kafka'
import {NextChange} from '../../../model/next-change.ts'
import {orAborted} from '../../../platform/delay.ts'
import {isAway, type SubscribeOptions} from '../pubsub.ts'
import type {KafkaSettings} from './kafka-settings.ts'
import {PartitionReader, recordAsMessage, type Record} from './partition-reader.ts'

export type TopicRead = Pick<SubscribeOptions, 'topic' | 'atOnce' | 'ready' | 'takeBack' | 'handle' | 'log'>

type Stream = MessagesStream<Buffer, Buffer, Buffer, Buffer>

interface TopicStreamContext {
  readonly client: Consumer
  readonly settings: KafkaSettings
  readonly read: TopicRead
  /** Aborted when reading of the topic ends. */
  readonly over: AbortSignal
  /** Partitions whose records are being handled, also those of earlier streams of the topic. */
  readonly partitions: Set<PartitionReader>
  /** Called when the app has accepted no messages for long. All records are returned then. */
  readonly onAway: (stream: TopicStream) => Promise<void>
}

/** Maximum number of records that wait in this process. The rest stays with the broker. */
const MAX_WAITING = 256

/** A stream of the records of one topic, which a group reads for an app. After a failure, `KafkaGroup` opens another one. */
export class TopicStream {
  readonly #options: TopicStreamContext
  readonly #stream: Stream
  readonly #first: FirstPositions
  readonly #readers = new Map<number, PartitionReader>()
  readonly #ended = new AbortController()
  readonly #away = new AbortController()
  /** Aborted when further records must not be handled. */
  readonly #stopped: AbortSignal
  readonly #handled = new NextChange()
  /** Number of records that were read and are not handled yet. */
  #count = 0

  private constructor(options: TopicStreamContext, stream: Stream) {
    this.#options = options
    this.#stream = stream
    this.#first = new FirstPositions(stream)
    this.#stopped = AbortSignal.any([options.over, this.#ended.signal, this.#away.signal])
  }

  /** Opens a stream at the position of the group, or at that of the `earlier` stream if the group has committed nothing. */
  static async open(options: TopicStreamContext, earlier: TopicStream | undefined): Promise<TopicStream> {
    const {client, settings, read} = options
    const consume = async (): Promise<Stream> =>
      client.consume({topics: [read.topic], mode: 'committed', fallbackMode: settings.start})
    const stream = await consume()
    const hasMoved = earlier && (await earlier.#first.commit(client, read.topic).catch(() => false))
    if (hasMoved !== true) return new TopicStream(options, stream)
    await stream.close()
    return new TopicStream(options, await consume())
  }

  get client(): Consumer {
    return this.#options.client
  }

  /** Reads until the stream ends, reading of the topic ends, or the app is away. Rejects if the stream fails. */
  async read(): Promise<void> {
    const {read, over, partitions} = this.#options
    this.#stopped.addEventListener('abort', this.#handled.happened, {once: true})
    this.#stream.once('close', () => this.#ended.abort())
    // may fail while the app is not ready yet; the loop below throws the error
    this.#stream.on('error', () => undefined)
    const finished = new AbortController()
    const leaving = this.#leaveWhenAway(AbortSignal.any([over, finished.signal]))
    try {
      await orAborted(this.#away.signal, read.ready())
      await this.#readAll()
    } finally {
      this.#ended.abort()
      finished.abort()
      for (const reader of this.#readers.values()) void reader.end().then(() => partitions.delete(reader))
      await leaving
    }
  }

  /** Passes records to the readers of their partitions; pauses while too many wait for the app. */
  async #readAll(): Promise<void> {
    const {read} = this.#options
    for await (const record of this.#stream) {
      if (this.#stopped.aborted) return
      this.#count++
      this.#readerOf(record).put(record)
      while (this.#count >= Math.max(MAX_WAITING, read.atOnce) && !this.#stopped.aborted) await this.#handled.promise
    }
  }

  #readerOf({partition}: Record): PartitionReader {
    const known = this.#readers.get(partition)
    if (known !== undefined) return known
    const {settings, read, partitions} = this.#options
    const reader = new PartitionReader({
      atOnce: Math.max(1, read.atOnce),
      maxRetries: settings.maxRetries,
      retryMs: settings.retryMs,
      handle: async record => read.handle(recordAsMessage(record, settings)),
      onHandled: () => {
        this.#count--
        this.#handled.happened()
      },
      gaveUp: ({offset, partition: of, topic}) =>
        read.log('error', `message ${offset} in partition ${of} of topic ${topic} has failed, and is dropped`),
      over: this.#stopped
    })
    this.#readers.set(partition, reader)
    partitions.add(reader)
    return reader
  }

  /** Returns all records while the app is away, so that other members of the group read them. */
  async #leaveWhenAway(until: AbortSignal): Promise<void> {
    const {read, partitions, onAway} = this.#options
    if (read.takeBack === undefined || !(await isAway(read, until))) return
    this.#away.abort()
    read.takeBack()
    await Promise.all([...partitions].map(async partition => partition.end()))
    await onAway(this)
  }

  /** Commits the first positions of the stream, for partitions without a committed offset. */
  async commitFirst(): Promise<void> {
    const {client, read} = this.#options
    await this.#first.commit(client, read.topic)
  }

  async close(): Promise<void> {
    await this.#stream.close().catch(() => undefined)
  }
}

/** First position of a stream in each partition. A group without commits would otherwise skip records while it does not read. */
class FirstPositions {
  readonly #positions = new Map<string, bigint>()

  constructor(stream: Stream) {
    const note = (): void => {
      for (const [partition, offset] of stream.offsetsToFetch)
        if (!this.#positions.has(partition)) this.#positions.set(partition, offset)
    }
    note()
    stream.on('offsets', note)
  }

  /** Commits offsets of partitions for which the group has none. Returns true if there were some. */
  async commit(client: Consumer, topic: string): Promise<boolean> {
    const partitions = client.assignments?.find(each => each.topic === topic)?.partitions ?? []
    if (partitions.length === 0) return false
    const committed = (await client.listCommittedOffsets({topics: [{topic, partitions}]})).get(topic)
    const offsets = partitions.flatMap(partition => {
      const offset = this.#positions.get(`${topic}:${partition}`)
      const isKnown = (committed?.[partition] ?? -1n) >= 0n
      return isKnown || offset === undefined ? [] : [{topic, partition, offset, leaderEpoch: -1}]
    })
    if (offsets.length > 0) await client.commit({offsets})
    return offsets.length > 0
  }
}
