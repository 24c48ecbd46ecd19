import type {Backlog} from '../../../model/activity.ts'
import {starPattern} from '../../../model/name-pattern.ts'
import type {OpenComponent} from '../component.ts'
import type {BrokerMessage, PubSub, SubscribeOptions} from '../pubsub.ts'

/** Waiting bytes of one subscription above which a warning is logged. */
const MUCH_BYTES = 64 * 2 ** 20
/** Waiting bytes of one subscription above which events are refused: they are all in the memory of this process. */
const MAX_WAITING_BYTES = 256 * 2 ** 20
/** Number of waiting events that are reported, whatever their size. */
const MANY = 1000
/** Memory of an event besides its data, in bytes (measured: 300,000 small events took 308 MB). */
const EVENT_BYTES = 1024

const sizeOf = ({data}: BrokerMessage): number => data.length + EVENT_BYTES

/** Delivers the messages of one subscription in order, at most `atOnce` at a time. */
class Queue {
  readonly #options: SubscribeOptions
  /** Whether the subscription reads a topic. Its `*` matches any text, also an empty one (components-contrib: internal/eventbus). */
  readonly isFor: (topic: string) => boolean
  #waiting: (BrokerMessage | undefined)[] = []
  #bytes = 0
  #wasMuch = false
  #next = 0
  #atWork = 0
  #count = 0
  #isStopped = false
  #drained = Promise.withResolvers<void>()

  constructor(options: SubscribeOptions) {
    this.#options = options
    this.isFor = starPattern(options.topic)
  }

  takes(message: BrokerMessage): boolean {
    return this.#bytes + sizeOf(message) <= MAX_WAITING_BYTES
  }

  put(message: BrokerMessage): void {
    this.#count++
    this.#waiting.push(message)
    this.#bytes += sizeOf(message)
    if (this.#bytes > MUCH_BYTES && !this.#wasMuch) {
      this.#wasMuch = true
      this.#options.onMuchWaiting?.(this.#waiting.length - this.#next, this.#bytes)
    }
    this.#fill()
  }

  /** Starts as many deliveries as `atOnce` allows, which an edit of the component may change. */
  #fill(): void {
    while (this.#atWork < Math.max(1, this.#options.atOnce)) {
      const message = this.#take()
      if (message === undefined) return
      void this.#work(message)
    }
  }

  get backlog(): Backlog {
    return {waiting: this.#waiting.length - this.#next + this.#atWork, count: this.#count}
  }

  get manyWaiting(): number {
    const waiting = this.#waiting.length - this.#next
    return waiting >= MANY || this.#bytes > MUCH_BYTES ? waiting : 0
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#atWork > 0) await this.#drained.promise
  }

  async #work(message: BrokerMessage): Promise<void> {
    this.#atWork++
    await this.#options.handle(message)
    this.#atWork--
    this.#fill()
    if (this.#atWork === 0 && this.#isStopped) this.#drained.resolve()
  }

  #take(): BrokerMessage | undefined {
    if (this.#isStopped) return undefined
    const message = this.#waiting[this.#next]
    if (message === undefined) return undefined
    this.#waiting[this.#next++] = undefined
    this.#bytes -= sizeOf(message)
    // removes handled events in large parts, so that a long queue stays cheap
    if (this.#next === this.#waiting.length) {
      this.#waiting = []
      this.#next = 0
      this.#wasMuch = false
    } else if (this.#next >= 1024 && this.#next * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next)
      this.#next = 0
    }
    return message
  }
}

/** The component of one sidecar, in a list for components of the same name in other sidecars. */
interface Bus {
  readonly name: string
  readonly queues: ReadonlySet<Queue>
  readonly published: ReadonlySet<string>
}

const BUSES = new Set<Bus>()
const MAX_TOPICS = 1000

/**
 * `pubsub.in-memory`: delivers to subscribers of the same sidecar (components-contrib: pubsub/in-memory). Drops a message without a
 * subscriber. Refuses a message if the queue of a subscriber is full.
 */
export const open: OpenComponent<PubSub> = async ({name, warn}) => {
  const queues = new Set<Queue>()
  /** Topics that were published here. A subscriber in another sidecar logs a warning, since it does not receive them. */
  const published = new Set<string>()
  const warned = new Set<string>()
  const bus: Bus = {name, queues, published}
  const warnOnce = (topic: string): void => {
    if (warned.has(topic)) return
    warned.add(topic)
    warn(
      `topic ${topic}: another app uses it, too, and ${name} (pubsub.in-memory) passes no event from app to app; pubsub.redis does, and needs no server`
    )
  }
  const others = (): readonly Bus[] => [...BUSES].filter(other => other !== bus && other.name === name)
  BUSES.add(bus)
  return {
    capabilities: [],
    followsSettings: true,
    publish: async (topic, message) => {
      if (!published.has(topic) && published.size < MAX_TOPICS) {
        published.add(topic)
        if (others().some(other => [...other.queues].some(queue => queue.isFor(topic)))) warnOnce(topic)
      }
      const wanting = [...queues].filter(queue => queue.isFor(topic))
      if (!wanting.every(queue => queue.takes(message)))
        throw new Error(`the queue is full: events of ${MAX_WAITING_BYTES / 2 ** 20} MiB wait for a subscriber`)
      for (const queue of wanting) queue.put(message)
    },
    subscribe: async options => {
      const queue = new Queue(options)
      queues.add(queue)
      if (others().some(other => [...other.published].some(queue.isFor))) warnOnce(options.topic)
      return {
        backlog: async () => queue.backlog,
        get manyWaiting() {
          return queue.manyWaiting
        },
        stop: async () => {
          queues.delete(queue)
          await queue.stop()
        }
      }
    },
    close: async () => {
      queues.clear()
      BUSES.delete(bus)
    }
  }
}
