import type {PubSub, SubscribeOptions, TopicReader} from '../../src/dapr/components/pubsub.ts'

/** Things that come one by one, and takers that may be there before them. */
export class StartQueue<T> {
  readonly #things: T[] = []
  readonly #takers: ((thing: T) => void)[] = []

  put(thing: T): void {
    const taker = this.#takers.shift()
    if (taker) taker(thing)
    else this.#things.push(thing)
  }

  /** Those that nobody has taken. */
  takeRest(): readonly T[] {
    return this.#things.splice(0)
  }

  async take(): Promise<T> {
    const thing = this.#things.shift()
    return thing === undefined ? new Promise(resolve => this.#takers.push(resolve)) : thing
  }
}

/** Reads the topic `orders` for the app "shop". Returns the texts of its messages as they come, and the reader. */
export async function readOrders(
  pubsub: Pick<PubSub, 'subscribe'>,
  more: Partial<SubscribeOptions> = {}
): Promise<readonly [heard: StartQueue<string>, reader: TopicReader]> {
  const heard = new StartQueue<string>()
  const reader = await pubsub.subscribe({
    topic: 'orders',
    group: 'shop',
    metadata: {},
    ready: async () => undefined,
    atOnce: 0,
    handle: async ({data}) => {
      heard.put(data.toString())
      return 'done'
    },
    log: () => undefined,
    ...more
  })
  return [heard, reader]
}
