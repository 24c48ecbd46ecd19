import {isWithin, within} from '../../../platform/delay.ts'
import {orClosed, RedisError, UnsentError} from '#redis'
import type {Argument, MessageListener, RedisConnection, RedisReply} from '#redis'

/** How long a command waits for an app of the run that is the Redis, and has not started yet. */
const START_MS = 60_000

interface Listening {
  readonly pattern: string
  readonly listener: MessageListener
  end: (() => Promise<void>) | undefined
}

/** A connection that moves to another server when its own is lost. Commands wait for the move. */
export class MovableConnection implements RedisConnection {
  readonly #open: (closed: AbortSignal) => Promise<RedisConnection>
  readonly #waitMs: number
  readonly #onClose: () => void
  readonly #duplicates = new Set<MovableConnection>()
  readonly #listening = new Set<Listening>()
  readonly #onServer: (() => void)[] = []
  #current: Promise<RedisConnection> | undefined
  /** The connection, once it is open. */
  #connection: RedisConnection | undefined
  /** Set while the server is gone. */
  #pause: PromiseWithResolvers<void> | undefined
  /** Whether the lost server has answered all commands that it ran, so that the others are safe to repeat. */
  #isEnded = false
  readonly #closed = new AbortController()

  /** `open` may wait for a server until the connection is closed; `waitMs`: how long a command waits for one. */
  constructor(open: (closed: AbortSignal) => Promise<RedisConnection>, waitMs: number, onClose: () => void) {
    this.#open = open
    this.#waitMs = waitMs
    this.#onClose = onClose
  }

  /** Settles when it is connected. */
  async connected(): Promise<RedisConnection> {
    if (this.#isClosed) throw new Error('the connection to Redis is closed')
    if (this.#current !== undefined) return this.#current
    const opening = this.#open(this.#closed.signal)
    this.#current = opening
    opening.catch(() => {
      if (this.#current === opening) this.#current = undefined
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
    const listening: Listening = {pattern, listener, end: undefined}
    const connection = await this.#ready()
    // added before the request, so that a move subscribes again
    this.#listening.add(listening)
    try {
      const end = await connection.subscribe(pattern, listener)
      listening.end ??= end
    } catch (error) {
      // after a move the next server has the subscription
      if (listening.end === undefined) {
        this.#listening.delete(listening)
        throw error
      }
    }
    return async () => {
      this.#listening.delete(listening)
      await listening.end?.()
    }
  }

  onServer(listener: () => void): void {
    this.#onServer.push(listener)
  }

  async duplicate(): Promise<RedisConnection> {
    await this.#ready() // a new connection could start a server in place of one that is away
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
    const current = await this.#current?.catch(() => undefined)
    await Promise.all([current?.close(), ...[...this.#duplicates].map(async each => each.close())])
  }

  /** Lets commands wait for a lost server. `isEnded`: it has answered all commands that it ran, so that the next server may run the others. */
  suspend(isEnded = false): void {
    this.#pause ??= Promise.withResolvers()
    this.#isEnded = isEnded
    for (const each of this.#duplicates) each.suspend(isEnded)
  }

  /** Lets commands continue. */
  resume(): void {
    const wasGone = this.#pause !== undefined
    this.#pause?.resolve()
    this.#pause = undefined
    if (wasGone && !this.#isClosed) for (const listener of this.#onServer) listener()
    for (const each of this.#duplicates) each.resume()
  }

  /** Continues with the server that `open` finds now. */
  async move(): Promise<void> {
    const before = this.#current
    this.#current = undefined
    this.#connection = undefined
    try {
      const next = await this.connected()
      for (const each of this.#listening) {
        each.end = await next.subscribe(each.pattern, each.listener)
        if (!this.#listening.has(each)) await each.end() // the subscription was ended meanwhile
      }
      const moved = [...this.#duplicates].map(async each =>
        each.move().catch((error: unknown) => {
          if (!each.#isClosed) throw error // the other connections move although this one is closed
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

  // creates few promises: it runs for each command
  #run<T>(work: (on: RedisConnection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const connection = this.#pause === undefined ? this.#connection : undefined
    if (connection === undefined) return this.#ready().then(async ready => this.#runOn(ready, work, signal))
    return this.#runOn(connection, work, signal)
  }

  /** Runs a command, and again at the next server if the connection was lost before this server ran it. */
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

  /** Waits while the server is gone. */
  async #ready(): Promise<RedisConnection> {
    const back = this.#pause?.promise
    if (back !== undefined && !(await isWithin(this.#waitMs, back))) throw new Error('Redis does not answer')
    const connecting = this.connected()
    const current = this.#current
    const connection = await within(START_MS, connecting)
    if (connection === undefined) throw new Error('Redis does not answer')
    if (current === this.#current && !this.#isClosed) this.#connection = connection
    return connection
  }
}
