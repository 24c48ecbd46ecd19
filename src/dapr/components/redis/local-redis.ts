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

/** A Redis for one copy, apart from the data of all other runs. */
interface RedisSpace {
  /** The name of the copy, the same from day to day. */
  readonly name: string
  /** The folder of its files; it may not exist. */
  readonly folder: string
}

export interface LocalRedisOptions {
  /** The environment that we were started in. */
  readonly env: Environment
  /** Whether an app of this run listens at the port, or will: it may be the Redis itself. */
  readonly isOwnPort: (port: number) => boolean
  readonly reporter: Reporter
  /** The space of this run; undefined, or omitted: it has none. Asked when the first component needs it. */
  readonly space?: (() => Promise<RedisSpace | undefined>) | undefined
  /** Passes on a client to the Redis of its own copy, or serves it; omitted: all are served. */
  readonly route?: (port: number, client: Socket, serve: () => void) => void
}

/** A built-in Redis with the keys of one space. */
interface OwnRedis extends RedisSpace {
  /** The port that it replaces. */
  readonly port: number
}

/** Interval of looking for a server that starts or has ended, in ms. */
const LOOK_MS = 50
/** Pause after a failed look, in ms, unless it failed because no server listens. */
const RETRY_MS = 500
/** Number of connections closed without a byte after which a server counts as foreign: a run that is ending closes fewer. */
const MAX_CUT_OFF = 10

/**
 * The Redis at one port of this machine. If no server answers, this run opens its own, which other programs and runs find. When
 * that run ends, another run that uses the port opens the next one. A real server that disconnects is waited for, since it has its own keys.
 */
export class LocalRedis {
  readonly #port: number
  readonly #options: LocalRedisOptions
  readonly #own: OwnRedis | undefined
  readonly #connections = new Set<MovableConnection>()
  #builtIn: BuiltInRedis | undefined
  /** Whether a run of Pillion answers at the port. */
  #isOurs = false
  readonly #becoming = new SingleFlight<'built-in', boolean>()
  /** Connections wait for a server. */
  #isLost = false
  /** The port is wanted for another server. */
  #isReleased = false
  /** An app of this run gets the port, which it did not have before. */
  readonly #isOfApp = Promise.withResolvers<void>()
  readonly #over = new AbortController()

  /** `own`: it has the keys of this space. */
  constructor(port: number, options: LocalRedisOptions, own?: OwnRedis) {
    this.#port = port
    this.#own = own
    this.#options = options
  }

  /** `asked`: the address of the component. A Redis of one space is at another port. */
  async connect(asked: RedisAddress, apart: Apart): Promise<RedisConnection> {
    const address = {...asked, port: this.#port}
    const connection = new MovableConnection(
      async closed => this.#open(address, apart, AbortSignal.any([closed, this.#over.signal])),
      address.connectTimeoutMs ?? 5000,
      () => {
        this.#connections.delete(connection)
        if (this.#connections.size === 0) this.#isLost = false // without connections, nothing would notice that the server is back
      }
    )
    this.#connections.add(connection)
    // an app of this run that is the Redis starts later: commands wait for it
    if (this.#options.isOwnPort(this.#port)) return connection
    return orClosed(connection, Promise.race([connection.connected(), this.#isOfApp.promise]))
  }

  /** Keeps a Redis on the port for other programs, although no component uses it, while no server is there. Ends when a real server listens. Never rejects. */
  async attend(): Promise<void> {
    const {signal} = this.#over
    for (; this.#mayBecome && !signal.aborted; await pause(LOOK_MS, signal)) {
      const {kind} = await identify(this.#port)
      if (kind === 'other' || (kind === 'none' && (await this.#become().catch(() => true)))) return
      const held = connect({port: this.#port, host: 'localhost', signal}).on('error', () => undefined)
      await once(held.unref().resume(), 'close')
    }
  }

  /** Closes the port until the run ends; connections wait for the next server. Returns false if the port is not open, or belongs to a space. */
  async release(): Promise<boolean> {
    await this.#becoming.settled()
    if (this.#options.isOwnPort(this.#port)) this.#isOfApp.resolve()
    const builtIn = this.#builtIn
    if (builtIn === undefined || this.#own !== undefined) return false
    this.#isReleased = true
    this.#builtIn = undefined
    for (const each of this.#connections) each.suspend(true)
    await builtIn.close()
    void this.#move()
    return true
  }

  async close(): Promise<void> {
    this.#over.abort()
    await Promise.all([...this.#connections].map(async connection => connection.close()))
    await this.#becoming.settled()
    await this.#builtIn?.close()
  }

  /** Waits for a server until `over`. */
  async #open(address: RedisAddress, apart: Apart, over: AbortSignal): Promise<RedisConnection> {
    for (let cutOff = 0; !over.aborted;) {
      if (this.#builtIn !== undefined) return this.#builtIn.connect(address.database)
      const mayBecome = this.#mayBecome
      // loads the large client only if a server answers
      if (mayBecome && !(await this.#isAnswered(address)) && (await apart(this.#become()))) continue
      try {
        return await this.#connectTo(address, apart, over)
      } catch (error) {
        if (over.aborted) break
        if (messageOf(error).startsWith('LOADING ') || (isCutOff(error) && ++cutOff < MAX_CUT_OFF)) {
          await pause(LOOK_MS, over)
          continue
        }
        if (!isRefused(error)) throw error
        if (!mayBecome || (!(await apart(this.#become())) && this.#builtIn === undefined)) await pause(LOOK_MS, over)
      }
    }
    throw new Error('the connection to Redis is closed')
  }

  get #mayBecome(): boolean {
    return !this.#isReleased && !this.#options.isOwnPort(this.#port)
  }

  async #isAnswered({host}: RedisAddress): Promise<boolean> {
    const addresses = host === 'localhost' ? LOOPBACK : [host]
    return (await firstAccepting({addresses, port: this.#port})) !== undefined
  }

  async #connectTo(address: RedisAddress, apart: Apart, over: AbortSignal): Promise<RedisConnection> {
    const {ClientConnection} = await apart(loadClient())
    // a connection that is lost before the server was identified is closed: others would wait for its return
    let isKnown = false
    const listener = {
      lost: () => void (isKnown && this.#lost()),
      back: () => void (isKnown && this.#back(client, over))
    }
    const client = await ClientConnection.open(address, listener, over)
    await orClosed(client, this.#identify(client))
    isKnown = true
    return client
  }

  /** Opens the built-in server. Resolves with false if the port belongs to another process. Rejects if the server is turned off. */
  async #become(): Promise<boolean> {
    return this.#becoming.do('built-in', async () => this.#openBuiltIn())
  }

  async #openBuiltIn(): Promise<boolean> {
    // an edit may have given the port to an app while we looked for a server
    if (!this.#mayBecome) return false
    const {BuiltInRedis: BuiltIn} = await loadBuiltIn()
    const {env, reporter, route} = this.#options
    const mode = redisMode(env)
    const at = `localhost:${this.#port}`
    if (mode === 'off') throw new Error(`no server listens at ${at} (PILLION_REDIS=off: there is no built-in Redis)`)
    const own = this.#own
    const kept = own === undefined ? keysFile(stateFolder(env), this.#port) : keysFile(own.folder, own.port)
    const file = mode === 'memory' ? undefined : kept
    const warn = (text: string): void => reporter.warn('redis-keys', text)
    try {
      this.#builtIn = await BuiltIn.open({
        port: this.#port,
        file,
        space: own?.name,
        route: own === undefined && route ? (client, serve) => route(this.#port, client, serve) : undefined,
        warn
      })
    } catch (error) {
      if (codeOf(error instanceof Error ? error.cause : undefined) === 'EADDRINUSE') return false
      throw error
    }
    const why = mode === 'memory' ? ': PILLION_REDIS=memory' : ''
    const keys = `keys ${this.#builtIn.where}${why}`
    const text =
      own === undefined
        ? `No Redis at ${at}: Pillion serves one (${keys})`
        : `this copy has a Redis of its own: components find it at ${at} in place of localhost:${own.port} (${keys}); an app that asks localhost:${own.port} itself reaches it, too (Linux)`
    reporter.warn('built-in-redis', text)
    return true
  }

  /** Notes whether a run of ours answers. Throws if it has the keys of another space. */
  async #identify(client: RedisConnection): Promise<void> {
    const answerer = answererOf(String(await client.command(['INFO', 'server'])))
    // an app of the template may serve our Redis, too, and restarts by itself
    this.#isOurs = answerer.kind === 'built-in' && !this.#options.isOwnPort(this.#port)
    if (answerer.kind === 'built-in' && answerer.space !== (this.#own?.name ?? ''))
      throw new Error(
        `localhost:${this.#port} is the Redis of ${answerer.space === '' ? 'runs that share one' : `the copy ${answerer.space}`}`
      )
  }

  /** Called when the server is gone. This run replaces the Redis of another run, unless a third run is quicker. Waits for a real Redis. */
  async #lost(): Promise<void> {
    for (const each of this.#connections) each.suspend(this.#isOurs)
    if (this.#isLost) return
    this.#isLost = true
    let isTold = false
    // the system may take a moment to free the port of a process that has ended
    while (this.#isLost && this.#isOurs && !this.#isReleased && !this.#over.signal.aborted)
      try {
        if (this.#builtIn === undefined && !(await this.#become())) await pause(LOOK_MS, this.#over.signal)
        else {
          await this.#move()
          this.#isLost = false
        }
      } catch (error) {
        if (!isTold)
          this.#options.reporter.warn('redis-keys', `cannot become the Redis at ${this.#port}: ${messageOf(error)}`)
        isTold = true
        await pause(RETRY_MS, this.#over.signal)
      }
  }

  /** Moves all open connections to the current server, as soon as it takes them. */
  async #move(): Promise<void> {
    const move = async (connection: MovableConnection): Promise<void> => {
      while (this.#connections.has(connection))
        try {
          return await connection.move()
        } catch {
          // a server that still reads its keys refuses
          await pause(RETRY_MS, this.#over.signal)
        }
    }
    await Promise.all([...this.#connections].map(move))
  }

  /** Identifies the server after a reconnection. Asks a silent server, or one with foreign keys, again until the connection is lost. */
  async #back(client: RedisConnection, over: AbortSignal): Promise<void> {
    // connections to this run's Redis are about to move
    if (this.#builtIn !== undefined) return
    this.#isLost = false
    for (; this.#builtIn === undefined && !this.#isLost && !over.aborted; await pause(RETRY_MS, over))
      try {
        await this.#identify(client)
        for (const each of this.#connections) each.resume()
        return
      } catch {} // the server may be too busy to answer
  }
}

/** No server listens at any of the addresses that were tried. */
function isRefused(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isRefused)
  return codeOf(error) === 'ECONNREFUSED'
}

/** Whether the server closed the connection before its first answer, as an ending run does. In the words of @redis/client. */
const isCutOff = (error: unknown): boolean =>
  codeOf(error) === 'ECONNRESET' || messageOf(error).includes('Socket closed unexpectedly')
