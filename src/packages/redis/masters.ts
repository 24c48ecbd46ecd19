/* oxlint-disable no-underscore-dangle -- public functions of the library do not tell the node of a command */
import {messageOf} from '../../model/errors.ts'
import {within} from '../../platform/delay.ts'
import type {Argument} from './connection.ts'
import {
  clientOptions,
  CONNECT_TIMEOUT_MS,
  READ_TIMEOUT_MS,
  whyNotOpened,
  type Client,
  type Library,
  type None,
  type RedisAddress,
  type Sentinels
} from './official-client.ts'
import type {KeyRoute} from './route.ts'

/** Work at the master that the library has chosen, by its options. `args`: the command, or its part for this master. */
type Work<T> = (args: readonly Argument[]) => (client: Client, options?: object) => Promise<T>

/** The servers that take commands, as the official library finds them. */
export interface Masters {
  /** Whether each of several has some of the keys. */
  readonly isCluster: boolean
  /** Nodes that are known now. */
  readonly known: () => NonNullable<RedisAddress['more']>
  connect(): Promise<unknown>
  /** Opens a client of each, where that is lost. */
  clients(): Promise<readonly Promise<Client>[]>
  run<T>(route: KeyRoute, work: Work<T>): Promise<T>
  destroy(): unknown
}

export type FindMasters = (library: Library, address: RedisAddress, signal: AbortSignal) => Masters

/** The options of clients that do not connect again: the next command may need another server. A silent one is noticed, also while it is opened. */
function optionsOf(library: Library, address: RedisAddress, signal: AbortSignal) {
  const {readTimeoutMs = READ_TIMEOUT_MS} = address
  const options = clientOptions(library, address, () => false, signal)
  if (readTimeoutMs === Infinity) return options
  return {...options, pingInterval: readTimeoutMs, socket: {...options.socket, socketTimeout: 2 * readTimeoutMs}}
}

/** The masters of a cluster. */
export const clusterMasters: FindMasters = (library, address, signal) => {
  let failure: unknown
  const cluster = library
    .createCluster<None, None, None, 2>({
      RESP: 2,
      rootNodes: [address, ...(address.more ?? [])].map(({host, port}) => ({socket: {host, port}})),
      // a node may not know its own host
      nodeAddressMap: named => (named.startsWith(':') ? {host: address.host, port: Number(named.slice(1))} : undefined),
      defaults: optionsOf(library, address, signal),
      minimizeConnections: true,
      topologyRefreshOnReconnectionAttemptStrategy: false
    })
    .on('error', (error: unknown) => (failure = error))
    .on('node-error', () => forget())
    .on('node-disconnect', () => forget())
  const forget = (): void => {
    for (const node of cluster.masters) if (node.client?.isOpen === false) delete node.client
  }
  return {
    isCluster: true,
    known: () => cluster.masters,
    connect: async () =>
      cluster.connect().catch(() => {
        throw whyNotOpened(library, failure)
      }),
    clients: async () => {
      await cluster._slots.rediscover().catch(() => undefined)
      return cluster.masters.map(async node => cluster.nodeClient(node))
    },
    run: async (route, work) => cluster._executeWithPolicies(route, false, undefined, ({redisArgs}) => work(redisArgs)),
    destroy: () => cluster.destroy()
  }
}

/** Returns how to find the master that the sentinels at an address name. */
export const sentinelMaster =
  ({master: name, ...access}: Sentinels): FindMasters =>
  (library, address, signal) => {
    const {username: _, password: __, database: ___, ...rest} = address
    const {commandOptions: ____, ...sentinelClientOptions} = optionsOf(library, {...rest, ...access}, signal)
    const failures = new Set<string>()
    const sentinel = library
      .createSentinel({
        name,
        RESP: 2,
        sentinelRootNodes: [address, ...(address.more ?? [])].map(({host, port}) => ({host, port})),
        nodeClientOptions: optionsOf(library, address, signal),
        sentinelClientOptions
      })
      .on('error', (error: unknown) => failures.add(messageOf(error)))
    const inTime = async <T>(work: Promise<T>): Promise<T> => {
      const done = await within(address.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, work)
      if (done === undefined) throw new Error(`the sentinels name no master "${name}": ${[...failures].join('; ')}`)
      failures.clear()
      return done
    }
    // work that the library runs is run again after each loss: it may have been done
    let current: Client | undefined
    const master = async (): Promise<Client> => {
      if (current?.isReady === true) return current
      return (current = await inTime(sentinel._execute(false, async client => client as unknown as Client)))
    }
    return {
      isCluster: false,
      known: () => [],
      connect: async () => inTime(sentinel.connect()),
      clients: async () => [master()],
      run: async ({redisArgs}, work) => work(redisArgs)(await master()),
      destroy: async () => sentinel.destroy()
    }
  }
