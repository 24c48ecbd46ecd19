import {
  answererOf,
  identify,
  keysFile,
  loadBuiltIn,
  loadClient,
  orClosed,
  redisMode,
  type BuiltInRedis,
  type RedisAddress,
  type RedisConnection
} from '#redis'
import {once} from 'node:events'
import {connect, type Socket} from 'node:net'
import type {Environment} from '../../../model/environment.ts'
import {codeOf, messageOf} from '../../../model/errors.ts'
import type {Reporter} from '../../../model/reporter.ts'
import {SingleFlight} from '../../../model/single-flight.ts'
import {pause} from '../../../platform/delay.ts'
import {firstAccepting, LOOPBACK} from '../../../platform/probe.ts'
import {stateFolder} from '../../../platform/state-folder.ts'
import type {Apart} from '../init-clock.ts'
import {MovableConnection} from './movable-connection.ts'

/** The files of a copy's own Redis, whose keys no other run uses. */
interface CopyFolder {
  /** Name of the copy, the same in each of its runs. */
  readonly name: string
  /** Folder of the keys, which may not exist yet. */
  readonly folder: string
}

export interface LocalRedisOptions {
  /** The environment of our own process. */
  readonly env: Environment
  /** Whether the plan gives the port to an app of this run, which may be a Redis itself. */
  readonly isOwnPort: (port: number) => boolean
  readonly reporter: Reporter
  /** Returns the copy of this run; undefined: its data are not separate. Called when the first component needs a Redis. Omitted: no copy. */
  readonly space?: (() => Promise<CopyFolder | undefined>) | undefined
  /** Passes a client of the built-in server on to the Redis of the client's copy, or calls `serve`. Omitted: all clients are served. */
  readonly route?: (port: number, client: Socket, serve: () => void) => void
}

interface CopyRedis extends CopyFolder {
  /** The port that it replaces. */
  readonly port: number
}

/** Interval between two checks for a server that starts or has ended, in ms. */
const CHECK_MS = 50
/** Pause after another failure than a refused connection, in ms. */
const RETRY_MS = 500
/** Number of connections that a server may close before its first answer, as an ending run does. After more, opening fails. */
const MAX_CLOSED_EARLY = 10

/**
 * The Redis at one port of this machine. If no server answers, this run opens the built-in one, which other runs and programs use, too. When
 * that run ends, another run opens the next one, and connections move to it. If a real Redis disconnects, they wait, since it has the keys.
 */
export class LocalRedis {
  readonly #port: number
  readonly #options: LocalRedisOptions
  /** The copy whose keys it has; undefined: all other runs share it. */
  readonly #copy: CopyRedis | undefined
  readonly #connections = new Set<MovableConnection>()
  /** The built-in server of this run; undefined: this run does not serve the port. */
  #builtIn: BuiltInRedis | undefined
  /** Whether the server is a built-in one, of this run or another. */
  #isServerBuiltIn = false
  readonly #opening = new SingleFlight<'built-in', boolean>()
  /** Whether the server has disconnected, and the connections wait for another one. */
  #isServerGone = false
  /** Whether the user wants the port for another server, so that this run must not serve it. */
  #isPortReleased = false
  /** Resolves when an edit has given the port to an app of this run. */
  readonly #appHasPort = Promise.withResolvers<void>()
  readonly #closing = new AbortController()

  constructor(port: number, options: LocalRedisOptions, copy?: CopyRedis) {
    this.#port = port
    this.#copy = copy
    this.#options = options
  }

  /** Opens a connection for a component. `asked`: its address, whose port may be that of another Redis than the copy's. `apart`: see `InitClock`. */
  async connect(asked: RedisAddress, apart: Apart): Promise<RedisConnection> {
    const address = {...asked, port: this.#port}
    const connection = new MovableConnection(
      async closed => this.#openConnection(address, apart, AbortSignal.any([closed, this.#closing.signal])),
      address.connectTimeoutMs ?? 5000,
      () => {
        this.#connections.delete(connection)
        if (this.#connections.size === 0) this.#isServerGone = false // the next connection looks for a server
      }
    )
    this.#connections.add(connection)
    // does not wait for an app of this run that is the Redis, since apps start later: commands wait for it
    if (this.#options.isOwnPort(this.#port)) return connection
    return orClosed(connection, Promise.race([connection.connected(), this.#appHasPort.promise]))
  }

  /** Keeps a server at the port for other programs, although no component uses it. Ends when a real Redis listens. Never rejects. */
  async serveUnused(): Promise<void> {
    const {signal} = this.#closing
    for (; this.#mayServe && !signal.aborted; await pause(CHECK_MS, signal)) {
      const {kind} = await identify(this.#port)
      if (kind === 'other' || (kind === 'none' && (await this.#openBuiltIn().catch(() => true)))) return
      // an idle connection, which closes when the server ends
      const idle = connect({port: this.#port, host: 'localhost', signal}).on('error', () => undefined)
      await once(idle.unref().resume(), 'close')
    }
  }

  /** Stops the built-in server for good; connections wait for another server. Resolves with false if this run does not serve the port, or for a copy. */
  async release(): Promise<boolean> {
    await this.#opening.settled()
    if (this.#options.isOwnPort(this.#port)) this.#appHasPort.resolve()
    const builtIn = this.#builtIn
    if (builtIn === undefined || this.#copy !== undefined) return false
    this.#isPortReleased = true
    this.#builtIn = undefined
    for (const each of this.#connections) each.suspend(true)
    await builtIn.close()
    void this.#moveConnections()
    return true
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#connections].map(async connection => connection.close()))
    await this.#opening.settled()
    await this.#builtIn?.close()
  }

  /** Connects to the server, or opens the built-in one. Waits for a server that starts, or for one that must not be the built-in one. */
  async #openConnection(address: RedisAddress, apart: Apart, signal: AbortSignal): Promise<RedisConnection> {
    for (let closedEarly = 0; !signal.aborted;) {
      if (this.#builtIn !== undefined) return this.#builtIn.connect(address.database)
      const mayServe = this.#mayServe
      // checks first, so that the large client is loaded only if a server listens
      if (mayServe && !(await this.#isListening(address)) && (await apart(this.#openBuiltIn()))) continue
      try {
        return await this.#connectTo(address, apart, signal)
      } catch (error) {
        if (signal.aborted) break
        if (messageOf(error).startsWith('LOADING ') || (isClosedEarly(error) && ++closedEarly < MAX_CLOSED_EARLY)) {
          await pause(CHECK_MS, signal)
          continue
        }
        if (!isRefused(error)) throw error
        if (!mayServe || (!(await apart(this.#openBuiltIn())) && this.#builtIn === undefined))
          await pause(CHECK_MS, signal)
      }
    }
    throw new Error('the connection to Redis is closed')
  }

  get #mayServe(): boolean {
    return !this.#isPortReleased && !this.#options.isOwnPort(this.#port)
  }

  async #isListening({host}: RedisAddress): Promise<boolean> {
    const addresses = host === 'localhost' ? LOOPBACK : [host]
    return (await firstAccepting({addresses, port: this.#port})) !== undefined
  }

  async #connectTo(address: RedisAddress, apart: Apart, signal: AbortSignal): Promise<RedisConnection> {
    const {ClientConnection} = await apart(loadClient())
    // a connection that is lost before this is closed, and must not make the others wait
    let isIdentified = false
    const listener = {
      lost: () => void (isIdentified && this.#onServerLost()),
      back: () => void (isIdentified && this.#onServerBack(client, signal))
    }
    const client = await ClientConnection.open(address, listener, signal)
    await orClosed(client, this.#identify(client))
    isIdentified = true
    return client
  }

  /** Opens the built-in server. Resolves with false if the port belongs to another process. Rejects if the server is turned off. */
  async #openBuiltIn(): Promise<boolean> {
    return this.#opening.do('built-in', async () => this.#startBuiltIn())
  }

  async #startBuiltIn(): Promise<boolean> {
    // an edit may have given the port to an app meanwhile
    if (!this.#mayServe) return false
    const {BuiltInRedis: BuiltIn} = await loadBuiltIn()
    const {env, reporter, route} = this.#options
    const mode = redisMode(env)
    const at = `localhost:${this.#port}`
    if (mode === 'off') throw new Error(`no server listens at ${at} (PILLION_REDIS=off: there is no built-in Redis)`)
    const copy = this.#copy
    const path = copy === undefined ? keysFile(stateFolder(env), this.#port) : keysFile(copy.folder, copy.port)
    const file = mode === 'memory' ? undefined : path
    const warn = (text: string): void => reporter.warn('redis-keys', text)
    try {
      this.#builtIn = await BuiltIn.open({
        port: this.#port,
        file,
        space: copy?.name,
        route: copy === undefined && route ? (client, serve) => route(this.#port, client, serve) : undefined,
        warn
      })
    } catch (error) {
      if (codeOf(error instanceof Error ? error.cause : undefined) === 'EADDRINUSE') return false
      throw error
    }
    const why = mode === 'memory' ? ': PILLION_REDIS=memory' : ''
    const keys = `keys ${this.#builtIn.where}${why}`
    const text =
      copy === undefined
        ? `No Redis at ${at}: Pillion serves one (${keys})`
        : `this copy has a Redis of its own: components find it at ${at} in place of localhost:${copy.port} (${keys}); an app that asks localhost:${copy.port} itself reaches it, too (Linux)`
    reporter.warn('built-in-redis', text)
    return true
  }

  /** Notes whether the server is a built-in one. Throws if it has the keys of another copy. */
  async #identify(client: RedisConnection): Promise<void> {
    const answerer = answererOf(String(await client.command(['INFO', 'server'])))
    // not if an app of this run serves it (`pillion redis`): this run must not replace that one
    this.#isServerBuiltIn = answerer.kind === 'built-in' && !this.#options.isOwnPort(this.#port)
    if (answerer.kind === 'built-in' && answerer.space !== (this.#copy?.name ?? ''))
      throw new Error(
        `localhost:${this.#port} is the Redis of ${answerer.space === '' ? 'runs that share one' : `the copy ${answerer.space}`}`
      )
  }

  /** Handles the end of the server. Replaces the built-in server of another run, unless a third run does so first; waits for a real Redis. */
  async #onServerLost(): Promise<void> {
    for (const each of this.#connections) each.suspend(this.#isServerBuiltIn)
    if (this.#isServerGone) return
    this.#isServerGone = true
    let hasWarned = false
    // repeats: the port of an ended process may be free only a moment later
    while (this.#isServerGone && this.#isServerBuiltIn && !this.#isPortReleased && !this.#closing.signal.aborted)
      try {
        if (this.#builtIn === undefined && !(await this.#openBuiltIn())) await pause(CHECK_MS, this.#closing.signal)
        else {
          await this.#moveConnections()
          this.#isServerGone = false
        }
      } catch (error) {
        if (!hasWarned)
          this.#options.reporter.warn('redis-keys', `cannot become the Redis at ${this.#port}: ${messageOf(error)}`)
        hasWarned = true
        await pause(RETRY_MS, this.#closing.signal)
      }
  }

  /** Moves all connections to the current server, as soon as it accepts them. */
  async #moveConnections(): Promise<void> {
    const move = async (connection: MovableConnection): Promise<void> => {
      while (this.#connections.has(connection))
        try {
          return await connection.move()
        } catch {
          // a server refuses connections while it loads its keys
          await pause(RETRY_MS, this.#closing.signal)
        }
    }
    await Promise.all([...this.#connections].map(move))
  }

  /** Identifies the server after a reconnection, then lets commands continue. Repeats if that fails, until the connection is lost again. */
  async #onServerBack(client: RedisConnection, signal: AbortSignal): Promise<void> {
    // this run has opened its own server, to which all connections move
    if (this.#builtIn !== undefined) return
    this.#isServerGone = false
    for (; this.#builtIn === undefined && !this.#isServerGone && !signal.aborted; await pause(RETRY_MS, signal))
      try {
        await this.#identify(client)
        for (const each of this.#connections) each.resume()
        return
      } catch {} // the server may be too busy to answer
  }
}

/** Whether no server listens at any of the tried addresses. */
function isRefused(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isRefused)
  return codeOf(error) === 'ECONNREFUSED'
}

/** Whether the server closed the connection before its first answer. Reads messages of `@redis/client`. */
const isClosedEarly = (error: unknown): boolean =>
  codeOf(error) === 'ECONNRESET' || messageOf(error).includes('Socket closed unexpectedly')
