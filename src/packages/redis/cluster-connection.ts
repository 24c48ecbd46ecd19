/* oxlint-disable no-underscore-dangle -- public functions of the library do not tell the node of a command */
import {pause, within} from '../../platform/delay.ts'
import {ClientConnection} from './client-connection.ts'
import {closed, orClosed, UnsentError} from './connection.ts'
import type {Argument, MessageListener, RedisConnection, RedisReply} from './connection.ts'
import {RedisError} from './engine/result.ts'
import {
  clientOptions,
  CONNECT_TIMEOUT_MS,
  READ_TIMEOUT_MS,
  whyNotOpened,
  shortAsText,
  type Client,
  type Library,
  type None,
  type RedisAddress
} from './official-client.ts'
import {keyRoute} from './route.ts'

/** Interval at which nodes are asked for the successor of a lost one, in ms. The nodes need a while to agree. */
const LOOK_MS = 200

type Cluster = ReturnType<typeof create>
type Master = Cluster['masters'][number]
/** Runs commands at the node that the library has chosen, by options of the library. */
type Run<T> = (node: ClientConnection, options?: object) => Promise<T>

/** Creates a cluster of the official library. Its clients do not connect again: the next command may need another node. */
function create(library: Library, address: RedisAddress, signal: AbortSignal) {
  const {readTimeoutMs = READ_TIMEOUT_MS} = address
  const options = clientOptions(library, address, () => false, signal)
  // a silent node is noticed, also while it is opened
  const limits = readTimeoutMs === Infinity ? {} : {socketTimeout: 2 * readTimeoutMs}
  return library.createCluster<None, None, None, 2>({
    RESP: 2,
    rootNodes: [address, ...(address.more ?? [])].map(({host, port}) => ({socket: {host, port}})),
    // a node may not know its own host
    nodeAddressMap: named => (named.startsWith(':') ? {host: address.host, port: Number(named.slice(1))} : undefined),
    defaults: {...options, pingInterval: readTimeoutMs, socket: {...options.socket, ...limits}},
    minimizeConnections: true,
    topologyRefreshOnReconnectionAttemptStrategy: false
  })
}

/** A listener, and how to end it at each node at which it listens. */
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

/** A connection to a cluster by the official client, which finds masters, and follows slots that move. */
export class ClusterConnection implements RedisConnection {
  readonly #library: Library
  readonly #address: RedisAddress
  readonly #cluster: Cluster
  readonly #nodes = new WeakMap<Client, ClientConnection>()
  readonly #listening = new Set<Listening>()
  readonly #onServer = new Set<() => void>()
  readonly #over = new AbortController()
  #isLooking = false
  #mustLook = false
  #failure: unknown

  private constructor(library: Library, address: RedisAddress) {
    this.#library = library
    this.#address = address
    const lost = (): void => {
      for (const node of this.#cluster.masters) if (node.client?.isOpen === false) delete node.client
      void this.#look()
    }
    this.#cluster = create(library, address, this.#over.signal)
      .on('error', (error: unknown) => (this.#failure = error))
      .on('node-error', lost)
      .on('node-disconnect', lost)
      .on('node-ready', () => {
        for (const each of this.#onServer) each()
        if (this.#listening.size > 0) void this.#look()
      })
  }

  /** Connects to `address`, or another node in `more`. Rejects if no node answers as a cluster. */
  static async open(address: RedisAddress): Promise<ClusterConnection> {
    const connection = new ClusterConnection(await import('./client-library.ts'), address)
    const connected = connection.#cluster.connect().catch(() => {
      throw whyNotOpened(connection.#library, connection.#failure)
    })
    return orClosed(connection, connected)
  }

  async command(args: readonly Argument[], signal?: AbortSignal): Promise<RedisReply> {
    const route = keyRoute(args.map(shortAsText))
    return this.#routed(
      async at =>
        this.#cluster._executeWithPolicies(route, false, undefined, ({redisArgs}) =>
          at(async (node, options) => node.command(redisArgs, signal, options))
        ),
      signal
    )
  }

  /** Runs commands in one step, which in a cluster is possible for one key only. */
  async transaction(commands: readonly (readonly Argument[])[]): Promise<readonly RedisReply[]> {
    const groups = Map.groupBy(commands.keys(), at => String(keyRoute(commands[at] ?? []).firstKey))
    const replies: RedisReply[] = Array.from({length: commands.length}, () => null)
    const run = async (group: readonly number[]): Promise<void> => {
      const own = group.map(at => commands[at] ?? [])
      const route = keyRoute(own[0] ?? [])
      const given = await this.#routed<readonly RedisReply[]>(async at =>
        this.#cluster._execute(
          route,
          false,
          undefined,
          at(async (node, options) => node.transaction(own, options))
        )
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
    const hear = async (master: Master): Promise<unknown> =>
      listen(this.#of(await this.#cluster.nodeClient(master)), listening)
    try {
      await Promise.all(this.#cluster.masters.map(hear))
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
    const more = [...(this.#address.more ?? []), ...this.#cluster.masters]
    return ClusterConnection.open({...this.#address, more})
  }

  async nodeOf(key: Argument): Promise<RedisConnection> {
    return this.#of(await this.#cluster.getNodeClientForKey(key))
  }

  async close(): Promise<void> {
    this.#over.abort()
    this.#cluster.destroy()
    return Promise.resolve()
  }

  /** Sends commands until a node has received them, and again only if it has refused them. */
  async #routed<T>(
    send: (at: (run: Run<T>) => (client: Client, options?: object) => Promise<T>) => Promise<T>,
    signal?: AbortSignal
  ): Promise<T> {
    const {connectTimeoutMs = CONNECT_TIMEOUT_MS} = this.#address
    const end = performance.now() + connectTimeoutMs
    /** The last error of a node: any other one is of the way to it. */
    let failure: unknown
    const fail = (error: unknown): never => {
      failure = error
      throw error
    }
    for (;;)
      try {
        return await send(run => async (client, options) => run(this.#of(client), options).catch(fail))
      } catch (error) {
        if (this.#over.signal.aborted) throw closed()
        signal?.throwIfAborted()
        if (error === failure && !(error instanceof UnsentError)) throw error
        if (performance.now() > end)
          throw error instanceof TypeError ? new RedisError('CLUSTERDOWN no node has the slot of the key') : error
        void this.#look()
        await pause(LOOK_MS, this.#over.signal)
      }
  }

  #of(client: Client): ClientConnection {
    const known = this.#nodes.get(client)
    if (known !== undefined) return known
    const node = ClientConnection.over(this.#library, this.#address, client)
    this.#nodes.set(client, node)
    return node
  }

  /** Asks for the successors of lost masters until all are open, and lets those who listen hear them. */
  async #look(): Promise<void> {
    const {signal} = this.#over
    this.#mustLook = true
    if (this.#isLooking) return
    this.#isLooking = true
    const hear = async (master: Master): Promise<void> => {
      const client = await within(LOOK_MS, this.#cluster.nodeClient(master))
      if (client === undefined) throw new Error('the node does not answer')
      // one that refuses does so each time
      await Promise.allSettled([...this.#listening].map(async each => listen(this.#of(client), each)))
    }
    while (this.#mustLook && !signal.aborted) {
      this.#mustLook = false
      await this.#cluster._slots.rediscover().catch(() => undefined)
      const heard = await Promise.allSettled(this.#cluster.masters.map(hear))
      if (heard.every(({status}) => status === 'fulfilled')) continue
      this.#mustLook = true
      await pause(LOOK_MS, signal)
    }
    this.#isLooking = false
  }
}
