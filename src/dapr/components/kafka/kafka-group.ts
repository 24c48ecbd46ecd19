import {Consumer, type GroupPartitionsAssigner} from '@platformatic/kafka'
import {SerialQueue} from '../../../model/serial-queue.ts'
import {orAborted, pause} from '../../../platform/delay.ts'
import {isAway, type SubscribeOptions} from '../pubsub.ts'
import {bottomOf} from './kafka-publisher.ts'
import type {KafkaSettings} from './kafka-settings.ts'
import {FirstPositions, PartitionReader, recordAsMessage} from './partition-reader.ts'
import {NextChange} from '../../../model/next-change.ts'

type Stream = Awaited<ReturnType<Consumer['consume']>>

/** Maximum number of records that wait here; the rest stays with the broker. */
const MAX_WAITING = 256
/** A broker may need some seconds to make a group's first coordinator. */
const RETRIES = 20
const REBALANCE_MS = 60_000
/** Maximum time to stop, in ms. A silent broker must not delay readers of other brokers. */
const STOP_MS = 2000

export type TopicRead = Pick<SubscribeOptions, 'topic' | 'atOnce' | 'ready' | 'takeBack' | 'handle' | 'log'>

interface Feed {
  readonly options: TopicRead
  readonly over: AbortController
  readonly partitions: Set<PartitionReader>
  stream?: Stream
  first?: FirstPositions
  client?: Consumer
  /** Whether the app accepts no messages, so that other members of the group read the topic. */
  isLeft: boolean
}

/** A member of a consumer group, which reads several topics over one consumer. A failed consumer is replaced. */
export class KafkaGroup {
  readonly #id: string
  readonly #settings: KafkaSettings
  readonly #feeds = new Set<Feed>()
  #client: Consumer | undefined
  /** Number of partitions of topics that only other members read. */
  readonly #partitionCounts = new Map<string, number>()
  /** Adds topics one after the other: each starts a rebalance of the group. */
  readonly #changes = new SerialQueue()

  constructor(id: string, settings: KafkaSettings) {
    this.#id = id
    this.#settings = settings
  }

  /** Whether the member reads a topic already: another reader of it needs a member of its own. */
  has(topic: string): boolean {
    return [...this.#feeds].some(({options}) => options.topic === topic)
  }

  get isReading(): boolean {
    return this.#feeds.size > 0
  }

  /** Stops all readers; settles when the messages that are being handled have been, and are committed. */
  async close(): Promise<void> {
    await Promise.all([...this.#feeds].map(async feed => this.#stop(feed)))
  }

  /** Settles when the group reads the topic; the returned function ends that. */
  async read(options: TopicRead): Promise<() => Promise<void>> {
    const feed: Feed = {options, over: new AbortController(), partitions: new Set(), isLeft: false}
    this.#feeds.add(feed)
    try {
      await this.#changes.run(async () => this.#open(feed))
    } catch (error) {
      this.#feeds.delete(feed)
      await this.#closeUnused()
      throw error
    }
    return async () => this.#stop(feed)
  }

  async #stop(feed: Feed): Promise<void> {
    feed.over.abort()
    await Promise.all([...feed.partitions].map(async partition => partition.end()))
    const late = AbortSignal.timeout(STOP_MS)
    await this.#changes.run(async () => {
      // without a committed offset, a later reader might skip the next records
      const kept = feed.client && !feed.isLeft && feed.first?.commit(feed.client, feed.options.topic)
      await orAborted(late, Promise.resolve(kept)).catch(() => undefined)
      await feed.stream?.close().catch(() => undefined)
      this.#feeds.delete(feed)
      await this.#giveUp(feed)
    })
  }

  /**
   * Returns the partitions of a feed to other members at once, by a rebalance. If all feeds stop, the partitions are returned when the
   * client leaves: commits need not wait.
   */
  async #giveUp({client}: Feed): Promise<void> {
    await this.#closeUnused()
    const isRead = [...this.#feeds].some(({over, isLeft}) => !over.signal.aborted && !isLeft)
    if (isRead && client !== undefined && client === this.#client) await client.joinGroup({}).catch(() => undefined)
  }

  async #closeUnused(): Promise<void> {
    if ([...this.#feeds].some(({isLeft}) => !isLeft)) return
    const client = this.#client
    this.#client = undefined
    await client?.close(true).catch(() => undefined) // closes even if no broker answers
  }

  async #open(feed: Feed): Promise<void> {
    const {start, assignor, sessionTimeoutMs, heartbeatIntervalMs, fetchMin, fetchMax, client} = this.#settings
    const consumer = (this.#client ??= new Consumer({
      ...client,
      retries: RETRIES,
      groupId: this.#id,
      autocommit: false,
      minBytes: fetchMin,
      maxBytes: fetchMax,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      rebalanceTimeout: Math.max(REBALANCE_MS, sessionTimeoutMs),
      protocols: [{name: assignor, version: 1}],
      partitionAssigner: (...group) => this.#assign(...group)
    }))
    const {topic} = feed.options
    const consume = async () => consumer.consume({topics: [topic], mode: 'committed', fallbackMode: start})
    let stream = await consume()
    // a group without committed offsets would skip records of the time without a connection
    if ((await feed.first?.commit(consumer, topic).catch(() => false)) === true) {
      await stream.close()
      stream = await consume()
    }
    feed.stream = stream
    feed.first = new FirstPositions(stream)
    feed.client = consumer
    feed.isLeft = false
    void this.#follow(feed, stream)
  }

  async #follow(feed: Feed, stream: Stream): Promise<void> {
    const {options, over} = feed
    try {
      await this.#consume(feed, stream)
      if (over.signal.aborted) return
      if (!feed.isLeft) options.log('warn', `the stream of topic ${options.topic} has ended`)
    } catch (error) {
      if (over.signal.aborted) return
      options.log('error', `Error consuming ${options.topic}. Retrying...: ${bottomOf(error)}`)
    }
    if (feed.stream === stream) void this.#reopen(feed)
  }

  /** Reads a stream until it ends or nothing more is wanted; pauses while too many records wait for the app. */
  async #consume(feed: Feed, stream: Stream): Promise<void> {
    const {options, over, partitions} = feed
    const readers = new Map<number, PartitionReader>()
    const ended = new AbortController()
    const away = new AbortController()
    const finished = new AbortController()
    const both = AbortSignal.any([over.signal, ended.signal, away.signal])
    let count = 0
    const changed = new NextChange()
    const handled = (): void => {
      count--
      changed.happened()
    }
    both.addEventListener('abort', changed.happened, {once: true})
    stream.once('close', () => ended.abort())
    // may fail while the app is not ready yet; the loop below throws the error
    stream.on('error', () => undefined)
    const leaving = this.#leaveWhenAway(feed, stream, away, AbortSignal.any([over.signal, finished.signal]))
    try {
      await orAborted(away.signal, options.ready())
      for await (const record of stream) {
        if (both.aborted) break
        count++
        let reader = readers.get(record.partition)
        if (reader === undefined) {
          reader = this.#readerFor(feed, both, handled)
          readers.set(record.partition, reader)
        }
        reader.put(record)
        while (count >= Math.max(MAX_WAITING, options.atOnce) && !both.aborted) await changed.promise
      }
    } finally {
      ended.abort()
      finished.abort()
      for (const reader of readers.values()) void reader.end().then(() => partitions.delete(reader))
      await leaving
    }
  }

  /** Leaves the group while the app is away, so that other members read its records. */
  async #leaveWhenAway(feed: Feed, stream: Stream, away: AbortController, until: AbortSignal): Promise<void> {
    const {options, over, client, first, partitions} = feed
    if (options.takeBack === undefined || !(await isAway(options, until))) return
    away.abort()
    options.takeBack()
    await Promise.all([...partitions].map(async partition => partition.end()))
    await this.#changes.run(async () => {
      if (over.signal.aborted || feed.stream !== stream) return
      try {
        if (client !== undefined) await first?.commit(client, options.topic)
        feed.isLeft = true
      } catch (error) {
        options.log('warn', `topic ${options.topic} cannot be left to others: ${bottomOf(error)}`)
      }
      await stream.close().catch(() => undefined)
      if (feed.isLeft) await this.#giveUp(feed)
    })
  }

  #readerFor({options, partitions}: Feed, over: AbortSignal, onHandled: () => void): PartitionReader {
    const {maxRetries, retryMs} = this.#settings
    const reader = new PartitionReader({
      atOnce: Math.max(1, options.atOnce),
      maxRetries,
      retryMs,
      handle: async record => options.handle(recordAsMessage(record, this.#settings)),
      onHandled,
      gaveUp: ({offset, partition, topic}) =>
        options.log(
          'error',
          `message ${offset} in partition ${partition} of topic ${topic} has failed, and is dropped`
        ),
      over
    })
    partitions.add(reader)
    return reader
  }

  /** Assigns the partitions of each topic to the members that read it, as the leader of the group. */
  #assign(...[, members, topics, metadata]: Parameters<GroupPartitionsAssigner>): Assignments {
    const given: Assignments = [...members.keys()].map(memberId => ({memberId, assignments: new Map()}))
    const all = new Set([...topics, ...[...members.values()].flatMap(member => member.topics ?? [])])
    const unknown: string[] = []
    for (const topic of all) {
      const readers = given
        .filter(({memberId}) => members.get(memberId)?.topics?.includes(topic) !== false)
        .toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
      const count = metadata.topics.get(topic)?.partitionsCount ?? this.#partitionCounts.get(topic)
      if (count === undefined) unknown.push(topic)
      for (let partition = 0; partition < (count ?? 0); partition++) {
        const isRange = this.#settings.assignor === 'range'
        const owner = isRange ? Math.floor((partition * readers.length) / (count ?? 1)) : partition % readers.length
        const assignments = readers[owner]?.assignments
        const known = assignments?.get(topic)
        if (known === undefined) assignments?.set(topic, {topic, partitions: [partition]})
        else known.partitions.push(partition)
      }
    }
    if (unknown.length > 0) void this.#learn(unknown)
    return given
  }

  /** Asks for the partitions of topics that only others read, and has the group share them. */
  async #learn(topics: string[]): Promise<void> {
    const client = this.#client
    try {
      const metadata = await client?.metadata({topics})
      for (const [topic, {partitionsCount}] of metadata?.topics ?? []) this.#partitionCounts.set(topic, partitionsCount)
      if (client === this.#client) await client?.joinGroup({})
    } catch {
      // the next round of the loop asks again
    }
  }

  /** Reads all topics again with a new consumer, since its failure ends the other streams, too. A stream that was left has not failed. */
  async #reopen(feed: Feed): Promise<void> {
    const {over, options, client: failed} = feed
    while (!over.signal.aborted) {
      await pause(this.#settings.reconnectMs, over.signal)
      if (feed.isLeft) await orAborted(over.signal, options.ready())
      if (over.signal.aborted) return
      try {
        await this.#changes.run(async () => {
          if (this.#client === failed && failed !== undefined && !feed.isLeft) {
            this.#client = undefined
            await failed.close(true).catch(() => undefined)
          }
          if (!over.signal.aborted) await this.#open(feed)
        })
        return
      } catch (error) {
        options.log('warn', `failed to read topic ${options.topic} again: ${bottomOf(error)}`)
      }
    }
  }
}

type Assignments = ReturnType<GroupPartitionsAssigner>
