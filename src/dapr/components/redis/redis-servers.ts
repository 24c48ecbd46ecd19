import {
  loadClient,
  loadMasters,
  redisMode,
  type RedisConnection,
  type Answerer,
  type RedisAddress,
  type Sentinels,
  identify
} from '#redis'
import {isLoopback} from '../../../model/address.ts'
import {LocalRedis, type LocalRedisOptions} from './local-redis.ts'
import type {Apart} from '../init-clock.ts'
import {UserError} from '../../../model/errors.ts'
import {usualAppPorts} from '../../../proxy/ports/app-port.ts'

/** The server of a component: a single one, the nodes of a cluster, or the master that sentinels name. */
export type RedisTarget = RedisAddress & {readonly isCluster?: boolean; readonly sentinels?: Sentinels}

/** Connects components to their Redis: to a real server if one answers, else to the built-in one. */
export interface RedisAccess {
  /** Connects to the server. Loads code, and starts the built-in server, by `apart` (`InitClock`). Rejects with the system's error. */
  connect(target: RedisTarget, apart?: Apart): Promise<RedisConnection>
  /** Whether this run's copy has a Redis of its own in place of the server at this port. Omitted: it has none. */
  readonly isOwn?: (port: number) => boolean
}

/**
 * The Redis servers of a run's components. For a port of this machine where no server answers, opens the built-in one. For a copy, opens it
 * at another port, with keys of its own.
 */
export class RedisServers implements RedisAccess {
  readonly #options: LocalRedisOptions
  /** The local servers by the ports that components name. */
  readonly #local = new Map<number, Promise<LocalRedis>>()
  /** Ports whose server the copy's own Redis replaces, for its components. */
  readonly #own = new Set<number>()
  /** The servers at these ports themselves, for other runs, and for apps that use the port without a component. */
  readonly #shared = new Map<number, LocalRedis>()

  constructor(options: LocalRedisOptions) {
    this.#options = options
  }

  async connect(
    {isCluster, sentinels, ...address}: RedisTarget,
    apart: Apart = async work => work
  ): Promise<RedisConnection> {
    if (sentinels !== undefined || isCluster === true)
      return (await apart(loadMasters())).openMasters(address, sentinels)
    if (!isLoopback(address.host) || address.tls !== undefined) {
      const {ClientConnection} = await apart(loadClient())
      return ClientConnection.open(address)
    }
    return (await apart(this.#at(address.port))).connect(address, apart)
  }

  readonly isOwn = (port: number): boolean => this.#own.has(port)

  /** Stops the built-in server at a port, so that a real Redis can listen there. Resolves with false if this run does not serve the port. */
  async release(port: number): Promise<boolean> {
    return (await (this.#shared.get(port) ?? (await this.#local.get(port)))?.release()) ?? false
  }

  /** Closes the connections and the built-in servers, which store their keys. */
  async close(): Promise<void> {
    await Promise.all([...this.#local.values(), ...this.#shared.values()].map(async local => (await local).close()))
  }

  async #at(port: number): Promise<LocalRedis> {
    const known = this.#local.get(port)
    if (known !== undefined) return known
    const found = this.#find(port)
    this.#local.set(port, found)
    // the next component tries again
    found.catch(() => this.#local.delete(port))
    return found
  }

  async #find(port: number): Promise<LocalRedis> {
    const {env, isOwnPort, space: spaceOf} = this.#options
    const isBuiltIn = !isOwnPort(port) && redisMode(env) !== 'off'
    const space = isBuiltIn ? await spaceOf?.() : undefined
    const own = space === undefined ? undefined : await portInSpace(port, space.name)
    if (space === undefined || own === undefined) return new LocalRedis(port, this.#options)
    this.#own.add(port)
    const reporter = {warn: () => undefined}
    const shared = new LocalRedis(port, {...this.#options, reporter})
    this.#shared.set(port, shared)
    void shared.serveUnused()
    return new LocalRedis(own, this.#options, {...space, port})
  }
}

/** A port at which the Redis of a copy (its `space`) may be, and the server that answers there. */
interface Place {
  readonly port: number
  readonly answerer: Answerer
}

const placesOf = async (port: number, space: string): Promise<readonly Place[]> =>
  Promise.all(
    usualAppPorts(`redis\n${space}\n${port}`).map(async each => ({port: each, answerer: await identify(each)}))
  )

const isOf =
  (space: string) =>
  ({answerer}: Place): boolean =>
    answerer.kind === 'built-in' && answerer.space === space

/** Finds the port where a copy's own Redis answers in place of the server at `port`; undefined: it does not run. */
export const openPortOf = async (port: number, space: string): Promise<number | undefined> =>
  (await placesOf(port, space)).find(isOf(space))?.port

/**
 * Chooses the port of the own Redis of a copy (its `space`), which replaces the server at `port`: where it answers already, else the first
 * free one of a few candidates; undefined: a real Redis answers at `port`. Rejects with a UserError if no candidate is free.
 */
async function portInSpace(port: number, space: string): Promise<number | undefined> {
  if ((await identify(port)).kind === 'other') return undefined
  const places = await placesOf(port, space)
  const found = places.find(isOf(space)) ?? places.find(({answerer}) => answerer.kind === 'none')
  if (found !== undefined) return found.port
  const usual = places.map(place => place.port)
  throw new UserError(`no port is free for the Redis of this copy: ${usual.join(', ')} are held by others`)
}
