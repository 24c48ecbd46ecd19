import {Consumer} from '@platformatic/kafka'
import {SerialQueue} from '../../../model/serial-queue.ts'
import {orAborted, pause} from '../../../platform/delay.ts'
import {assignPartitions} from './assign-partitions.ts'
import {bottomOf} from './kafka-publisher.ts'
import type {KafkaSettings} from './kafka-settings.ts'
import type {PartitionReader} from './partition-reader.ts'
import {TopicStream, type TopicRead} from './topic-stream.ts'

/** Number of retries of a request: a broker may need some seconds to choose a group's first coordinator. */
const RETRIES = 20
const REBALANCE_MS = 60_000
/** Maximum time to stop, in ms. A silent broker must not delay readers of other brokers. */
const STOP_MS = 2000

/** A topic that the group reads. Its stream is replaced after a failure. */
interface Feed {
  readonly read: TopicRead
  readonly over: AbortController
  /** Partitions whose records are being handled. */
  readonly partitions: Set<PartitionReader>
  state: FeedState
}

type FeedState =
  | {readonly kind: 'opening'}
  /** The stream is read, or has failed and is about to be replaced. */
  | {readonly kind: 'reading'; readonly stream: TopicStream}
  /** The app accepts no messages: other members of the group read the topic. */
  | {readonly kind: 'left'; readonly stream: TopicStream}

/** A member of a consumer group, which reads several topics by one consumer. Replaces a failed consumer. */
export class KafkaGroup {
  readonly #id: string
  readonly #settings: KafkaSettings
  readonly #feeds = new Set<Feed>()
  #client: Consumer | undefined
  /** Numbers of partitions of topics that only other members read, by topic. */
  readonly #partitionCounts = new Map<string, number>()
  /** Runs changes of topics one after the other, since each starts a rebalance of the group. */
  readonly #changes = new SerialQueue()

  constructor(id: string, settings: KafkaSettings) {
    this.#id = id
    this.#settings = settings
  }

  /** Whether the member reads a topic already: another reader of it needs a member of its own. */
  has(topic: string): boolean {
    return [...this.#feeds].some(({read}) => read.topic === topic)
  }

  get isReading(): boolean {
    return this.#feeds.size > 0
  }

  /** Stops all readers. Resolves when running deliveries have ended and are committed. */
  async close(): Promise<void> {
    await Promise.all([...this.#feeds].map(async feed => this.#stop(feed)))
  }

  /** Begins to read a topic. Resolves with a function that ends this. */
  async read(read: TopicRead): Promise<() => Promise<void>> {
    const feed: Feed = {read, over: new AbortController(), partitions: new Set(), state: {kind: 'opening'}}
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
      const {state} = feed
      // without a committed offset, a later reader might skip the next records
      if (state.kind === 'reading') await orAborted(late, state.stream.commitFirst()).catch(() => undefined)
      if (state.kind !== 'opening') await state.stream.close()
      this.#feeds.delete(feed)
      await this.#closeUnused()
      if (state.kind !== 'opening') await this.#shareAgain(state.stream.client)
    })
  }

  /** Opens a stream for a feed, and follows it. */
  async #open(feed: Feed): Promise<void> {
    const client = (this.#client ??= this.#createClient())
    const {read, over, partitions, state} = feed
    const stream = await TopicStream.open(
      {
        client,
        settings: this.#settings,
        read,
        over: over.signal,
        partitions,
        onAway: async away => this.#leave(feed, away)
      },
      state.kind === 'opening' ? undefined : state.stream
    )
    feed.state = {kind: 'reading', stream}
    void this.#follow(feed, stream)
  }

  /** Reads a stream until it ends; then opens the next one, unless the feed is over or has another stream. */
  async #follow(feed: Feed, stream: TopicStream): Promise<void> {
    const {read, over} = feed
    try {
      await stream.read()
      if (over.signal.aborted) return
      if (feed.state.kind !== 'left') read.log('warn', `the stream of topic ${read.topic} has ended`)
    } catch (error) {
      if (over.signal.aborted) return
      read.log('error', `Error consuming ${read.topic}. Retrying...: ${bottomOf(error)}`)
    }
    if (isOf(feed, stream)) void this.#reopen(feed, stream)
  }

  /** Opens a topic again, with a new consumer after a failure: the failure of a consumer ends its other streams, too. */
  async #reopen(feed: Feed, {client: failed}: TopicStream): Promise<void> {
    const {over, read} = feed
    const isLeft = feed.state.kind === 'left'
    while (!over.signal.aborted) {
      await pause(this.#settings.reconnectMs, over.signal)
      if (isLeft) await orAborted(over.signal, read.ready())
      if (over.signal.aborted) return
      try {
        await this.#changes.run(async () => {
          if (this.#client === failed && !isLeft) await this.#closeClient()
          if (!over.signal.aborted) await this.#open(feed)
        })
        return
      } catch (error) {
        read.log('warn', `failed to read topic ${read.topic} again: ${bottomOf(error)}`)
      }
    }
  }

  /** Leaves a topic to other members of the group while the app is away. */
  async #leave(feed: Feed, stream: TopicStream): Promise<void> {
    const {read, over} = feed
    await this.#changes.run(async () => {
      if (over.signal.aborted || !isOf(feed, stream)) return
      try {
        await stream.commitFirst()
        feed.state = {kind: 'left', stream}
      } catch (error) {
        read.log('warn', `topic ${read.topic} cannot be left to others: ${bottomOf(error)}`)
      }
      await stream.close()
      if (feed.state.kind !== 'left') return
      await this.#closeUnused()
      await this.#shareAgain(stream.client)
    })
  }

  /**
   * Starts a rebalance, which gives the partitions of a topic that was left to other members at once. If all feeds stop, the partitions are
   * returned when the client leaves: commits need not wait.
   */
  async #shareAgain(client: Consumer): Promise<void> {
    const isRead = [...this.#feeds].some(({over, state}) => !over.signal.aborted && state.kind !== 'left')
    if (isRead && client === this.#client) await client.joinGroup({}).catch(() => undefined)
  }

  /** Closes the consumer if all feeds are over or left. */
  async #closeUnused(): Promise<void> {
    if ([...this.#feeds].every(({state}) => state.kind === 'left')) await this.#closeClient()
  }

  async #closeClient(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.close(true).catch(() => undefined) // closes even if no broker answers
  }

  #createClient(): Consumer {
    const {assignor, sessionTimeoutMs, heartbeatIntervalMs, fetchMin, fetchMax, client} = this.#settings
    return new Consumer({
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
      // called if this member leads the group
      partitionAssigner: (_current, members, topics, metadata) => {
        const countOf = (topic: string): number | undefined =>
          metadata.topics.get(topic)?.partitionsCount ?? this.#partitionCounts.get(topic)
        const {assignments, unknown} = assignPartitions(members, topics, countOf, assignor)
        if (unknown.length > 0) void this.#learn(unknown)
        return assignments
      }
    })
  }

  /** Asks the broker for the partitions of topics that only other members read, then starts a rebalance. */
  async #learn(topics: readonly string[]): Promise<void> {
    const client = this.#client
    try {
      const metadata = await client?.metadata({topics: [...topics]})
      for (const [topic, {partitionsCount}] of metadata?.topics ?? []) this.#partitionCounts.set(topic, partitionsCount)
      if (client === this.#client) await client?.joinGroup({})
    } catch {
      // the next assignment asks again
    }
  }
}

const isOf = ({state}: Feed, stream: TopicStream): boolean => state.kind !== 'opening' && state.stream === stream
