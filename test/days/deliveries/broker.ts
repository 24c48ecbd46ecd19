import type {
  BrokerMessage,
  Handled,
  PubSub,
  SubscribeOptions,
  TopicReader
} from '../../../src/dapr/components/pubsub.ts'
import type {Clock} from '../../../src/platform/clock.ts'
import type {Witness} from './witness.ts'

/** An event at a broker. */
export interface Kept extends BrokerMessage {
  readonly id: string
}

/** What a broker has for the readers of one group. */
interface Group {
  readonly waiting: Kept[]
  readonly inHand: Set<Kept>
  changed: PromiseWithResolvers<void>
}

/** How a broker treats what has failed, and a subscription that is changed. */
export type Manner = 'plain' | 'keeps' | 'follows'

/** What failed comes again after this long, where the broker keeps it. */
const AGAIN_MS = 700
/** Handled at once without batches. */
const AT_ONCE = 3

const tell = (group: Group): void => {
  group.changed.resolve()
  group.changed = Promise.withResolvers()
}

/** A server: topics, and groups of which each gets every event. What was not handled stays. */
export class Server {
  readonly #witness: Witness
  readonly #clock: Clock
  readonly #groups = new Map<string, Group>()
  readonly #log = new Map<string, Kept[]>()
  readonly components = new Set<Opened>()

  constructor(witness: Witness, clock: Clock) {
    this.#witness = witness
    this.#clock = clock
  }

  put(topic: string, message: Kept): void {
    this.#log.set(topic, [...(this.#log.get(topic) ?? []), message])
    const group = this.#groups.get(topic)
    if (group === undefined) return
    group.waiting.push(message)
    tell(group)
  }

  /** Events of a topic that are not done with. */
  left(topic: string): readonly Kept[] {
    const group = this.#groups.get(topic)
    return group === undefined ? (this.#log.get(topic) ?? []) : [...group.waiting, ...group.inHand]
  }

  groupOf(topic: string): Group {
    let group = this.#groups.get(topic)
    if (group === undefined) {
      group = {waiting: [...(this.#log.get(topic) ?? [])], inHand: new Set(), changed: Promise.withResolvers()}
      this.#groups.set(topic, group)
    }
    return group
  }

  open(manner: Manner): PubSub {
    const opened = new Opened(this, manner, this.#witness, this.#clock)
    this.components.add(opened)
    return opened
  }
}

class Opened implements PubSub {
  readonly capabilities = []
  readonly keepsFailed: boolean
  readonly followsSettings: boolean
  readonly readers = new Set<Reader>()
  isClosed = false
  readonly #server: Server
  readonly #witness: Witness
  readonly #clock: Clock

  constructor(server: Server, manner: Manner, witness: Witness, clock: Clock) {
    this.keepsFailed = manner === 'keeps'
    this.followsSettings = manner === 'follows'
    this.#server = server
    this.#witness = witness
    this.#clock = clock
  }

  async publish(topic: string, {data, metadata}: BrokerMessage): Promise<void> {
    if (this.isClosed && this.readers.size === 0) throw new Error('the connection is closed')
    const {id} = JSON.parse(data.toString()) as {readonly id: string}
    this.#witness.published(topic, id)
    this.#server.put(topic, {id, data, metadata})
  }

  async subscribe(options: SubscribeOptions): Promise<TopicReader> {
    if (this.isClosed) throw new Error('the connection is closed')
    const group = this.#server.groupOf(options.topic)
    const reader = new Reader(options, group, async (message, handled) =>
      this.#settle(group, message, handled, options)
    )
    this.readers.add(reader)
    return {stop: async () => reader.stop().finally(() => this.readers.delete(reader))}
  }

  /** As Redis: readers end, and what they have may still be acknowledged. */
  async close(): Promise<void> {
    this.isClosed = true
    for (const reader of this.readers) void reader.stop().finally(() => this.readers.delete(reader))
  }

  async #settle(group: Group, message: Kept, handled: Handled, {topic}: SubscribeOptions): Promise<void> {
    group.inHand.delete(message)
    const again = (): void => {
      group.waiting.unshift(message)
      tell(group)
    }
    if (handled === 'returned') again()
    else if (handled === 'failed' && this.keepsFailed) this.#clock.after(AGAIN_MS, again)
    this.#witness.handled(topic, message.id, handled, this.keepsFailed)
  }
}

class Reader {
  readonly #options: SubscribeOptions
  readonly #group: Group
  readonly #settle: (message: Kept, handled: Handled) => Promise<void>
  #atWork = 0
  #isStopped = false
  #idle = Promise.withResolvers<void>()

  constructor(options: SubscribeOptions, group: Group, settle: (message: Kept, handled: Handled) => Promise<void>) {
    this.#options = options
    this.#group = group
    this.#settle = settle
    void this.#read()
  }

  get topic(): string {
    return this.#options.topic
  }

  /** What the app has not got comes back: it may be for another instance. */
  takeBack(): void {
    if (!this.#isStopped) this.#options.takeBack?.()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    tell(this.#group)
    while (this.#atWork > 0) await this.#idle.promise
  }

  async #read(): Promise<void> {
    while (!this.#isStopped) {
      await this.#options.ready()
      if (this.#isStopped) return
      while (this.#atWork < Math.max(AT_ONCE, this.#options.atOnce)) {
        const message = this.#group.waiting.shift()
        if (message === undefined) break
        this.#group.inHand.add(message)
        void this.#work(message)
      }
      await this.#group.changed.promise
    }
  }

  async #work(message: Kept): Promise<void> {
    this.#atWork++
    const handled = await this.#options.handle(message)
    this.#atWork--
    await this.#settle(message, handled)
    tell(this.#group)
    this.#idle.resolve()
    this.#idle = Promise.withResolvers()
  }
}
