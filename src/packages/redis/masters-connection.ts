import {pause, within} from '../../platform/delay.ts'
import {ClientConnection} from './client-connection.ts'
import {closed, orClosed, UnsentError} from './connection.ts'
import type {Argument, MessageListener, RedisConnection, RedisReply} from './connection.ts'
import {RedisError} from './engine/result.ts'
import {clusterMasters, sentinelMaster, type FindMasters, type Masters} from './masters.ts'
import {
  CONNECT_TIMEOUT_MS,
  shortAsText,
  type Client,
  type Library,
  type RedisAddress,
  type Sentinels
} from './official-client.ts'
import {keyRoute, type KeyRoute} from './route.ts'

/** Interval between two searches for the master that replaces a lost one, in ms: the other servers need some time to elect it. */
const LOOK_MS = 200

/** A subscription, and the functions that end it at each node. */
interface Listening {
  readonly pattern: string
  readonly listener: MessageListener
  readonly ends: Map<RedisConnection, Promise<() => Promise<void>>>
}

async function listen(node: RedisConnection, {pattern, listener, ends}: Listening): Promise<void> {
  const begun = ends.get(node) ?? node.subscribe(pattern, listener)
  ends.set(node, begun)
  try {
    await begun
  } catch (error) {
    ends.delete(node)
    throw error
  }
}

/** A connection to the masters that the official client finds: those of a cluster, or the one that sentinels name. */
export class MastersConnection implements RedisConnection {
  readonly #library: Library
  readonly #address: RedisAddress
  readonly #find: FindMasters
  readonly #masters: Masters
  readonly #nodes = new WeakMap<Client, ClientConnection>()
  readonly #listening = new Set<Listening>()
  readonly #onServer = new Set<() => void>()
  readonly #over = new AbortController()
  #isLooking = false
  #mustLook = false

  private constructor(library: Library, address: RedisAddress, find: FindMasters) {
    this.#library = library
    this.#address = address
    this.#find = find
    this.#masters = find(library, address, this.#over.signal)
  }

  static async open(address: RedisAddress, find: FindMasters): Promise<MastersConnection> {
    const connection = new MastersConnection(await import('./client-library.ts'), address, find)
    return orClosed(connection, connection.#masters.connect())
  }

  async command(args: readonly Argument[], signal?: AbortSignal): Promise<RedisReply> {
    const route = keyRoute(args.map(shortAsText))
    return this.#routed(route, async (node, own, options) => node.command(own, signal, options), signal)
  }

  /** Runs commands in one step, which in a cluster is possible for one key only. */
  async transaction(commands: readonly (readonly Argument[])[]): Promise<readonly RedisReply[]> {
    const {isCluster} = this.#masters
    const groups = Map.groupBy(commands.keys(), at => (isCluster ? String(keyRoute(commands[at] ?? []).firstKey) : ''))
    const replies: RedisReply[] = Array.from({length: commands.length}, () => null)
    const run = async (group: readonly number[]): Promise<void> => {
      const own = group.map(at => commands[at] ?? [])
      const given = await this.#routed(keyRoute(own[0] ?? []), async (node, _, options) =>
        node.transaction(own, options)
      )
      for (const [n, at] of group.entries()) replies[at] = given[n] ?? null
    }
    await Promise.all([...groups.values()].map(run))
    return replies
  }

  /** Each master publishes the changes of its own keys. */
  async subscribe(pattern: string, listener: MessageListener): Promise<() => Promise<void>> {
    if (this.#over.signal.aborted) throw closed()
    const listening: Listening = {pattern, listener, ends: new Map()}
    this.#listening.add(listening)
    const end = async (): Promise<void> => {
      this.#listening.delete(listening)
      for (const begun of await Promise.allSettled(listening.ends.values()))
        if (begun.status === 'fulfilled') await begun.value()
    }
    const hear = async (client: Promise<Client>): Promise<unknown> => listen(this.#of(await client), listening)
    try {
      await Promise.all((await this.#masters.clients()).map(hear))
      return end
    } catch (error) {
      await end()
      throw error
    }
  }

  onServer(listener: () => void): void {
    this.#onServer.add(listener)
  }

  /** Opens a second connection. Includes the masters known now, as the first nodes may be gone. */
  async duplicate(): Promise<RedisConnection> {
    const more = [...(this.#address.more ?? []), ...this.#masters.known()]
    return MastersConnection.open({...this.#address, more}, this.#find)
  }

  async nodeOf(key: Argument): Promise<RedisConnection> {
    return this.#routed(keyRoute(['GET', key]), async node => Promise.resolve(node))
  }

  async close(): Promise<void> {
    this.#over.abort()
    this.#masters.destroy()
    return Promise.resolve()
  }

  /** Sends commands until a server has received them, and again only if it has refused them. */
  async #routed<T>(
    route: KeyRoute,
    run: (node: ClientConnection, args: readonly Argument[], options?: object) => Promise<T>,
    signal?: AbortSignal
  ): Promise<T> {
    const {connectTimeoutMs = CONNECT_TIMEOUT_MS} = this.#address
    const end = performance.now() + connectTimeoutMs
    /** The latest error that a server has answered. Other errors concern only the connection. */
    let failure: unknown
    const fail = (error: unknown): never => {
      failure = error
      throw error
    }
    for (;;)
      try {
        return await this.#masters.run(
          route,
          args => async (client, options) => run(this.#of(client), args, options).catch(fail)
        )
      } catch (error) {
        if (this.#over.signal.aborted) throw closed()
        signal?.throwIfAborted()
        if (error === failure && !isRefused(error)) throw error
        if (performance.now() > end)
          throw error instanceof TypeError ? new RedisError('CLUSTERDOWN no node has the slot of the key') : error
        void this.#look()
        await pause(LOOK_MS, this.#over.signal)
      }
  }

  /** Returns the connection that uses a client. Subscribes a new one to all patterns. Its loss starts a search for the next master. */
  #of(client: Client): ClientConnection {
    const known = this.#nodes.get(client)
    if (known !== undefined) return known
    const node = ClientConnection.borrow(this.#library, this.#address, client, () => void this.#look())
    this.#nodes.set(client, node)
    for (const each of this.#onServer) each()
    if (this.#listening.size > 0) void this.#look()
    return node
  }

  /** Opens the masters that replace lost ones, until all are open, and subscribes them to all patterns. */
  async #look(): Promise<void> {
    const {signal} = this.#over
    this.#mustLook = true
    if (this.#isLooking) return
    this.#isLooking = true
    const hear = async (opening: Promise<Client>): Promise<void> => {
      const client = await within(LOOK_MS, opening)
      if (client === undefined) throw new Error('the server does not answer')
      // a master that refuses a subscription would refuse it again
      await Promise.allSettled([...this.#listening].map(async each => listen(this.#of(client), each)))
    }
    while (this.#mustLook && !signal.aborted) {
      this.#mustLook = false
      const heard = await Promise.allSettled((await this.#masters.clients()).map(hear))
      if (heard.every(({status}) => status === 'fulfilled')) continue
      this.#mustLook = true
      await pause(LOOK_MS, signal)
    }
    this.#isLooking = false
  }
}

/** Whether no server has run a command: none has received it, or one has refused it, since it is not a master any more. */
const isRefused = (error: unknown): boolean =>
  error instanceof UnsentError || (error instanceof RedisError && error.message.startsWith('READONLY '))

/** Connects to the masters of a cluster, or to the one that sentinels name, by `address` or `more`. Rejects if none is found. */
export const openMasters = async (address: RedisAddress, sentinels?: Sentinels): Promise<RedisConnection> =>
  MastersConnection.open(address, sentinels === undefined ? clusterMasters : sentinelMaster(sentinels))
