import {EventEmitter, once} from 'node:events'
import {messageOf} from '../../model/errors.ts'
import {systemClock} from '../../platform/clock.ts'
import {pause, within} from '../../platform/delay.ts'
import {
  blockMsIn,
  CONNECT_TIMEOUT_MS,
  createClient,
  destroyClient,
  givenUp,
  NoRedisError,
  READ_TIMEOUT_MS,
  whyNotOpened,
  replyOf,
  shortAsText,
  type Client,
  type ConnectionListener,
  type Library,
  type RedisAddress
} from './official-client.ts'
import {CLOSED, closed, UnsentError} from './connection.ts'
import type {Argument, MessageListener, RedisConnection, RedisReply} from './connection.ts'
import {RedisError} from './engine/result.ts'

const MAX_RECONNECT_DELAY_MS = 500
/** Pause before a command is sent again to a server that is loading its keys, in ms. */
const LOADING_MS = 100
/** Maximum time until Redis answers a blocked command after `CLIENT UNBLOCK`, in ms. */
const UNBLOCK_MS = 1000

/**
 * A connection to a real Redis by the official client, `@redis/client`. The client reconnects without a time limit. When the connection is
 * lost, running commands are rejected, since Redis may have run them. New commands wait for it, at most `connectTimeoutMs`.
 */
export class ClientConnection implements RedisConnection {
  readonly #library: Library
  readonly #address: RedisAddress
  readonly #listener: ConnectionListener | undefined
  /** The client for commands. `#replace` exchanges it. */
  #client: Client
  /** The client for subscriptions, which need a connection of their own in RESP2; undefined: no subscription yet. */
  #subscriber: Promise<Client> | undefined
  #subscriberClient: Client | undefined
  #lastError = ''
  #endedCommands = 0
  /** Redis' number of this connection, for `CLIENT UNBLOCK`; undefined: not asked since the latest connect. */
  #id: Promise<unknown> | undefined
  readonly #closing = new AbortController()
  /** Emits `ready` when the client is connected again. */
  readonly #events = new EventEmitter().setMaxListeners(0)
  /** Whether a client of a cluster or of sentinels has opened `#client`: then that client reconnects, not this connection. */
  readonly #isBorrowed: boolean

  private constructor(library: Library, address: RedisAddress, listener?: ConnectionListener, borrowed?: Client) {
    this.#library = library
    this.#address = address
    this.#listener = listener
    this.#isBorrowed = borrowed !== undefined
    if (this.#isBorrowed) this.#lastError = 'another server has taken over'
    this.#client = borrowed ?? this.#createClient()
    const end = (): void => void this.close().then(() => listener?.lost(this.#lastError))
    for (const event of ['end', 'terminated']) borrowed?.once(event, end)
    this.#events.on('ready', () => (this.#id = undefined))
  }

  /**
   * Opens a connection. Rejects with the system's error if no server listens, with a RedisError if Redis refuses (wrong password), with a
   * NoRedisError if another server answers.
   */
  static async open(
    address: RedisAddress,
    listener?: ConnectionListener,
    signal?: AbortSignal
  ): Promise<ClientConnection> {
    const connection = new ClientConnection(await import('./client-library.ts'), address, listener)
    signal?.throwIfAborted()
    const firstMs = address.readTimeoutMs === Infinity ? READ_TIMEOUT_MS : (address.readTimeoutMs ?? READ_TIMEOUT_MS)
    const failed = Promise.withResolvers<never>()
    const onAbort = (): void => failed.reject(signal?.reason)
    let cancelTimer: (() => void) | undefined
    signal?.addEventListener('abort', onAbort, {once: true})
    connection.#client.once('connect', () => {
      cancelTimer = systemClock.after(firstMs, () => failed.reject(new NoRedisError('no answer in time')))
    })
    try {
      // Redis refuses a user without permissions only at a command
      const asked = connection.#client.connect().then(async client => client.sendCommand(['PING']))
      await Promise.race([asked, failed.promise])
      return connection
    } catch (error) {
      await connection.close()
      throw whyNotOpened(connection.#library, error)
    } finally {
      cancelTimer?.()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Returns a connection that uses a node's client of a cluster or of sentinels. Closes when that client ends, and calls `lost`. */
  static borrow(library: Library, address: RedisAddress, client: Client, lost: () => void): ClientConnection {
    const {host = '', port = 0} = client.options.socket as {host?: string; port?: number}
    return new ClientConnection(library, {...address, host, port}, {lost, back: () => {}}, client)
  }

  async command(args: readonly Argument[], signal?: AbortSignal, options?: object, tries = 0): Promise<RedisReply> {
    const client = this.#client.isReady ? this.#client : await this.#reconnected(signal)
    signal?.throwIfAborted()
    if (signal !== undefined) this.#id ??= client.sendCommand(['CLIENT', 'ID']).catch(() => 0)
    const sent = client.sendCommand<unknown>(args.map(shortAsText), options)
    try {
      const reply = replyOf(await this.#awaitAnswer(client, sent, signal === undefined ? 0 : blockMsIn(args), signal))
      if (reply === null) signal?.throwIfAborted()
      return reply
    } catch (error) {
      if (!this.#isRefusal(error)) throw givenUp(error, this.#isClosed && !this.#isBorrowed, this.#lastError)
      if (await this.#mayTryAgain(client, error.message, tries)) return this.command(args, signal, options, tries + 1)
      throw new RedisError(error.message)
    }
  }

  async transaction(
    commands: readonly (readonly Argument[])[],
    extraOptions?: object,
    tries = 0
  ): Promise<readonly RedisReply[]> {
    const client = this.#client.isReady ? this.#client : await this.#reconnected()
    // commands with the same `chainId` all fail when the connection is lost
    const options = {chainId: Symbol('transaction'), ...extraOptions}
    const queued = [['MULTI'], ...commands].map(async args => client.sendCommand(args, options))
    const executed = client.sendCommand<unknown>(['EXEC'], options)
    const settled = await this.#awaitAnswer(client, Promise.allSettled([...queued, executed]))
    const last = settled.at(-1)
    if (last?.status !== 'fulfilled' || !Array.isArray(last.value)) {
      const refusals = settled.flatMap(each => (each.status === 'rejected' ? [each.reason as unknown] : []))
      // prefers the refusal of a command that says what to do, with the right cluster node, to EXEC's general error
      const helpful = refusals.find(each => /^(?:ASK|MOVED|LOADING|READONLY) /.test(messageOf(each)))
      const cause: unknown = helpful ?? refusals.at(-1) ?? new Error('EXEC was aborted')
      if (!this.#isRefusal(cause)) throw givenUp(cause, this.#isClosed && !this.#isBorrowed, this.#lastError)
      if (await this.#mayTryAgain(client, cause.message, tries))
        return this.transaction(commands, extraOptions, tries + 1)
      throw new RedisError(cause.message)
    }
    const replies = last.value.map(replyOf)
    // a replica refuses the writes of a script only when it runs; it has written nothing then
    const refused = replies.find(each => each instanceof RedisError && each.message.startsWith('READONLY '))
    const isRepeated = refused !== undefined && (await this.#mayTryAgain(client, messageOf(refused), tries))
    return isRepeated ? this.transaction(commands, extraOptions, tries + 1) : replies
  }

  async subscribe(pattern: string, listener: MessageListener): Promise<() => Promise<void>> {
    if (this.#isClosed) throw closed()
    this.#subscriber ??= this.#connectSubscriber()
    const subscriber = await this.#subscriber
    const deliver = (message: Buffer, channel: Buffer): void => listener(channel.toString(), message)
    await subscriber.pSubscribe(pattern, deliver, true)
    const end = async (): Promise<void> => subscriber.pUnsubscribe(pattern, deliver, true).catch(endLater)
    // the library renews subscriptions when it has reconnected: ends this one then
    const endLater = (): void => void subscriber.once('ready', () => void end())
    return async () => (subscriber.isReady ? end() : endLater())
  }

  onServer(listener: () => void): void {
    this.#events.on('ready', listener)
  }

  async duplicate(): Promise<RedisConnection> {
    return ClientConnection.open(this.#address)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    destroyClient(this.#client)
    if (this.#subscriberClient !== undefined) destroyClient(this.#subscriberClient)
  }

  /** Creates a client that reconnects when its connection is lost. `isRetrying`: repeats a failed first connect, too. */
  #createClient(isRetrying = false): Client {
    let wasReady = isRetrying
    let isLost = false
    const client = createClient(this.#library, this.#address, (retries, cause) =>
      wasReady ? Math.min(20 * 2 ** retries, MAX_RECONNECT_DELAY_MS) : cause
    )
    return client
      .on('error', (error: unknown) => {
        this.#lastError = messageOf(error)
        if (!wasReady || isLost || this.#isClosed || client !== this.#client) return
        isLost = true
        this.#listener?.lost(this.#lastError)
      })
      .on('ready', () => {
        wasReady = true
        if (client === this.#client) this.#events.emit('ready')
        if (isLost) this.#listener?.back()
        isLost = false
      })
  }

  async #connectSubscriber(): Promise<Client> {
    // unlimited, since each subscription that ends while the server is lost adds a listener
    const client = (this.#subscriberClient = this.#createClient().setMaxListeners(0))
    await client.connect().catch((error: unknown) => {
      this.#subscriber = undefined
      throw this.#isClosed ? closed() : error
    })
    return client
  }

  /** Waits until the client is connected again. Rejects with an UnsentError after `connectTimeoutMs`. */
  async #reconnected(signal?: AbortSignal): Promise<Client> {
    const {host, port, connectTimeoutMs = CONNECT_TIMEOUT_MS} = this.#address
    const ends = [
      this.#closing.signal,
      AbortSignal.timeout(connectTimeoutMs),
      ...(signal === undefined ? [] : [signal])
    ]
    try {
      await once(this.#events, 'ready', {signal: AbortSignal.any(ends)})
      return this.#client
    } catch {
      signal?.throwIfAborted()
      throw new UnsentError(this.#isClosed ? CLOSED : `Redis does not answer at ${host}:${port}: ${this.#lastError}`)
    }
  }

  /**
   * Waits for an answer. Rejects, and replaces the client, once Redis has not answered any command for `readTimeoutMs`. If `signal` aborts,
   * makes Redis answer the blocked command now. If that fails, replaces the client: a later answer could be an event, which would be lost.
   */
  async #awaitAnswer<T>(client: Client, sent: Promise<T>, blockMs = 0, signal?: AbortSignal): Promise<T> {
    const {promise, resolve, reject} = Promise.withResolvers<T>()
    sent.then(resolve, reject)
    let isSettled = false
    const giveUp = (why: Error, isSilent = false): void => {
      if (isSettled) return
      reject(why)
      if (client !== this.#client) return
      this.#lastError = isSilent ? why.message : 'Redis has not ended a wait on the same connection'
      this.#replace()
    }
    const giveUpAborted = (): void => giveUp(signal?.reason as Error)
    const onAbort = (): void => void within(UNBLOCK_MS, this.#unblock(promise)).then(giveUpAborted, giveUpAborted)
    const ms = blockMs + (this.#address.readTimeoutMs ?? READ_TIMEOUT_MS)
    let cancelTimer: (() => void) | undefined
    const startTimer = (): void => {
      const before = this.#endedCommands
      cancelTimer = systemClock.after(ms, () => {
        // waits on if Redis has answered others: answers arrive in order, so that a slow command delays later ones
        if (before === this.#endedCommands) giveUp(new Error(`Redis has not answered for ${ms} ms`), true)
        else startTimer()
      })
    }
    startTimer()
    signal?.addEventListener('abort', onAbort, {once: true})
    try {
      return await promise
    } finally {
      isSettled = true
      this.#endedCommands++
      cancelTimer?.()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Makes Redis answer the blocked command at once, by another connection. Resolves with the answer. */
  async #unblock(answer: Promise<unknown>): Promise<void> {
    const other = await ClientConnection.open(this.#address, undefined, this.#closing.signal)
    await other.command(['CLIENT', 'UNBLOCK', String(await this.#id)]).finally(() => void other.close())
    await answer
  }

  /**
   * Resolves with whether to repeat a refused command: after a pause if Redis is loading its keys, or with a new client if Redis has become
   * a replica, since its host name may lead to the new master. The old client still receives its other answers.
   */
  async #mayTryAgain(client: Client, refusal: string, tries: number): Promise<boolean> {
    const {connectTimeoutMs = CONNECT_TIMEOUT_MS} = this.#address
    if (refusal.startsWith('LOADING ') && tries * LOADING_MS < connectTimeoutMs)
      await pause(LOADING_MS, this.#closing.signal)
    else if (!refusal.startsWith('READONLY ') || tries > 0) return false
    else if (client === this.#client) this.#replace(async old => old.close().catch(() => undefined))
    return !this.#isClosed
  }

  /** Continues with a new client. A borrowed one is only destroyed: its owner opens the next. */
  #replace(end: (old: Client) => unknown = destroyClient): void {
    const old = this.#client
    if (this.#isBorrowed) return old.destroy()
    this.#client = this.#createClient(true)
    end(old)
    if (!this.#isClosed) this.#client.connect().catch(() => {}) // the next command reports the error
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  #isRefusal(error: unknown): error is Error {
    return error instanceof this.#library.ErrorReply
  }
}
