import {isWithin, within} from '../../../platform/delay.ts'
import {orClosed, RedisError, UnsentError} from '#redis'
import type {Argument, MessageListener, RedisConnection, RedisReply} from '#redis'

/** Maximum time that a command waits until its connection opens, in ms: the Redis may be an app of the run that starts later. */
const START_MS = 60_000

interface Subscription {
  readonly pattern: string
  readonly listener: MessageListener
  end: (() => Promise<void>) | undefined
}

/** A connection that moves to another server, with its subscriptions and duplicates, when its server is lost. Commands wait meanwhile. */
export class MovableConnection implements RedisConnection {
  readonly #open: (closed: AbortSignal) => Promise<RedisConnection>
  readonly #waitMs: number
  readonly #onClose: () => void
  readonly #duplicates = new Set<MovableConnection>()
  readonly #subscriptions = new Set<Subscription>()
  readonly #serverListeners: (() => void)[] = []
  /** The connection to the current server, or its opening; undefined: none yet, or opening failed. */
  #opening: Promise<RedisConnection> | undefined
  /** The connection to the current server, once it is open. */
  #connection: RedisConnection | undefined
  /** Resolves when commands may continue; undefined: the server is not lost. */
  #pause: PromiseWithResolvers<void> | undefined
  /** Whether the lost server has answered all commands that it ran, so that the others may be repeated. */
  #isEnded = false
  readonly #closed = new AbortController()

  /** `open`: opens a connection; may wait for a server until the signal is aborted. `waitMs`: how long a command waits for a lost server. */
  constructor(open: (closed: AbortSignal) => Promise<RedisConnection>, waitMs: number, onClose: () => void) {
    this.#open = open
    this.#waitMs = waitMs
    this.#onClose = onClose
  }

  /** Resolves with the connection to the current server, which it opens if necessary. */
  async connected(): Promise<RedisConnection> {
    if (this.#isClosed) throw new Error('the connection to Redis is closed')
    if (this.#opening !== undefined) return this.#opening
    const opening = this.#open(this.#closed.signal)
    this.#opening = opening
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined
    })
    return opening
  }

  command(args: readonly Argument[], signal?: AbortSignal): Promise<RedisReply> {
    return this.#run(on => on.command(args, signal), signal)
  }

  transaction(commands: readonly (readonly Argument[])[]): Promise<readonly RedisReply[]> {
    return this.#run(on => on.transaction(commands))
  }

  async subscribe(pattern: string, listener: MessageListener): Promise<() => Promise<void>> {
    const subscription: Subscription = {pattern, listener, end: undefined}
    const connection = await this.#ready()
    // added before the request, so that a move during it subscribes at the next server
    this.#subscriptions.add(subscription)
    try {
      const end = await connection.subscribe(pattern, listener)
      subscription.end ??= end
    } catch (error) {
      // otherwise a move has subscribed at the next server
      if (subscription.end === undefined) {
        this.#subscriptions.delete(subscription)
        throw error
      }
    }
    return async () => {
      this.#subscriptions.delete(subscription)
      await subscription.end?.()
    }
  }

  onServer(listener: () => void): void {
    this.#serverListeners.push(listener)
  }

  async duplicate(): Promise<RedisConnection> {
    await this.#ready() // otherwise `open` could start a built-in server in place of a lost one
    const duplicate = new MovableConnection(this.#open, this.#waitMs, () => this.#duplicates.delete(duplicate))
    this.#duplicates.add(duplicate)
    return orClosed(duplicate, duplicate.connected())
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#closed.abort()
    this.#connection = undefined
    this.#onClose()
    this.resume()
    const current = await this.#opening?.catch(() => undefined)
    await Promise.all([current?.close(), ...[...this.#duplicates].map(async each => each.close())])
  }

  /** Makes commands wait, since the server is lost. `isEnded`: it has answered all commands that it ran. */
  suspend(isEnded = false): void {
    this.#pause ??= Promise.withResolvers()
    this.#isEnded = isEnded
    for (const each of this.#duplicates) each.suspend(isEnded)
  }

  /** Lets commands continue: the server has returned, or the connection has moved. */
  resume(): void {
    const wasLost = this.#pause !== undefined
    this.#pause?.resolve()
    this.#pause = undefined
    if (wasLost && !this.#isClosed) for (const listener of this.#serverListeners) listener()
    for (const each of this.#duplicates) each.resume()
  }

  /** Moves to the server that `open` finds now, then resumes. */
  async move(): Promise<void> {
    const before = this.#opening
    this.#opening = undefined
    this.#connection = undefined
    try {
      const next = await this.connected()
      for (const each of this.#subscriptions) {
        each.end = await next.subscribe(each.pattern, each.listener)
        if (!this.#subscriptions.has(each)) await each.end() // its subscriber has ended it meanwhile
      }
      const moved = [...this.#duplicates].map(async each =>
        each.move().catch((error: unknown) => {
          if (!each.#isClosed) throw error // a closed duplicate does not stop the move
        })
      )
      await Promise.all(moved)
      this.resume()
    } finally {
      const old = await before?.catch(() => undefined)
      await old?.close()
    }
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  // runs for each command, so that it creates few promises
  #run<T>(work: (on: RedisConnection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const connection = this.#pause === undefined ? this.#connection : undefined
    if (connection === undefined) return this.#ready().then(async ready => this.#runOn(ready, work, signal))
    return this.#runOn(connection, work, signal)
  }

  /** Runs a command. Repeats it at the next server if the connection was lost before this server ran the command. */
  #runOn<T>(
    connection: RedisConnection,
    work: (on: RedisConnection) => Promise<T>,
    signal: AbortSignal | undefined
  ): Promise<T> {
    return work(connection).catch(async (error: unknown) => {
      const isLeft = this.#connection !== connection || this.#pause !== undefined
      const isUnsent = error instanceof UnsentError || (this.#isEnded && !(error instanceof RedisError))
      if (!isLeft || !isUnsent || signal?.aborted === true || this.#isClosed) throw error
      return work(await this.#ready())
    })
  }

  /** Waits for a lost server, and for the connection to open. */
  async #ready(): Promise<RedisConnection> {
    const resumed = this.#pause?.promise
    if (resumed !== undefined && !(await isWithin(this.#waitMs, resumed))) throw new Error('Redis does not answer')
    const connecting = this.connected()
    const opening = this.#opening
    const connection = await within(START_MS, connecting)
    if (connection === undefined) throw new Error('Redis does not answer')
    if (opening === this.#opening && !this.#isClosed) this.#connection = connection
    return connection
  }
}
