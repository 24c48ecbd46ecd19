import type {Argument, MessageListener, RedisConnection, RedisReply} from '#redis'

interface Listening {
  readonly pattern: string
  readonly listener: MessageListener
  end: (() => Promise<void>) | undefined
}

/** A connection that moves to another server when its own is gone. Commands wait meanwhile. */
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

  // few promises: many commands
  command(args: readonly Argument[], signal?: AbortSignal): Promise<RedisReply> {
    const connection = this.#pause === undefined ? this.#connection : undefined
    return connection?.command(args, signal) ?? this.#ready().then(async ready => ready.command(args, signal))
  }

  async transaction(commands: readonly (readonly Argument[])[]): Promise<readonly RedisReply[]> {
    return (await this.#ready()).transaction(commands)
  }

  async subscribe(pattern: string, listener: MessageListener): Promise<() => Promise<void>> {
    const listening: Listening = {pattern, listener, end: undefined}
    const connection = await this.#ready()
    // known before it is asked for: a move meanwhile takes it along
    this.#listening.add(listening)
    try {
      const end = await connection.subscribe(pattern, listener)
      listening.end ??= end
    } catch (error) {
      this.#listening.delete(listening)
      throw error
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
    const duplicate = new MovableConnection(this.#open, this.#waitMs, () => this.#duplicates.delete(duplicate))
    this.#duplicates.add(duplicate)
    await duplicate.connected()
    return duplicate
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

  /** The server is gone: commands wait from now on. */
  suspend(): void {
    this.#pause ??= Promise.withResolvers()
    for (const each of this.#duplicates) each.suspend()
  }

  /** The server is there again. */
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
    const next = await this.connected()
    for (const each of this.#listening) {
      each.end = await next.subscribe(each.pattern, each.listener)
      if (!this.#listening.has(each)) await each.end() // it was ended meanwhile
    }
    await Promise.all([...this.#duplicates].map(async each => each.move()))
    this.resume()
    const old = await before?.catch(() => undefined)
    await old?.close()
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  /** Waits while the server is gone. */
  async #ready(): Promise<RedisConnection> {
    if (this.#pause !== undefined) {
      const {promise} = this.#pause
      const late = Promise.withResolvers<never>()
      const timer = setTimeout(() => late.reject(new Error('Redis does not answer')), this.#waitMs)
      try {
        await Promise.race([promise, late.promise])
      } finally {
        clearTimeout(timer)
      }
    }
    const connecting = this.connected()
    const current = this.#current
    const connection = await connecting
    if (current === this.#current && !this.#isClosed) this.#connection = connection
    return connection
  }
}
