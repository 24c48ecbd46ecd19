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
/** How often a server that reads its keys is asked again. */
const LOADING_MS = 100
/** Maximum time for Redis to answer a command whose wait we have ended, in ms. */
const UNBLOCK_MS = 1000

/**
 * A connection to a real Redis by the official client, loaded at the first use. A lost connection is restored without a time limit.
 * Commands that were under way are rejected, since Redis may have run them; new ones wait at most `connectTimeoutMs`.
 */
export class ClientConnection implements RedisConnection {
  readonly #library: Library
  readonly #address: RedisAddress
  readonly #listener: ConnectionListener | undefined
  #client: Client
  /** Subscriptions have a connection of their own, as RESP2 demands. */
  #subscriber: Promise<Client> | undefined
  #subscriberClient: Client | undefined
  #lastError = ''
  /** How many commands are over. */
  #answers = 0
  /** Redis' number of the connection, after the first blocking command. */
  #id: Promise<unknown> | undefined
  readonly #over = new AbortController()
  /** Emits `ready` when the connection is restored, for waiting commands. */
  readonly #returns = new EventEmitter().setMaxListeners(0)

  /** Whether another has opened the client, and opens the next one. */
  readonly #isGiven: boolean

  private constructor(library: Library, address: RedisAddress, listener?: ConnectionListener, given?: Client) {
    this.#library = library
    this.#address = address
    this.#listener = listener
    this.#isGiven = given !== undefined
    if (this.#isGiven) this.#lastError = 'another server has taken over'
    this.#client = given ?? this.#create()
    const end = (): void => void this.close().then(() => listener?.lost(this.#lastError))
    for (const event of ['end', 'terminated']) given?.once(event, end)
    this.#returns.on('ready', () => (this.#id = undefined))
  }

  /**
   * Opens the first connection. Rejects with the system's error if no server answers, with a RedisError if Redis refuses (wrong
   * password), with a NoRedisError if another server listens.
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
    let callOff: (() => void) | undefined
    signal?.addEventListener('abort', onAbort, {once: true})
    connection.#client.once('connect', () => {
      callOff = systemClock.after(firstMs, () => failed.reject(new NoRedisError('no answer in time')))
    })
    try {
      // a user who has no permissions is refused only by PING
      const asked = connection.#client.connect().then(async client => client.sendCommand(['PING']))
      await Promise.race([asked, failed.promise])
      return connection
    } catch (error) {
      await connection.close()
      throw whyNotOpened(connection.#library, error)
    } finally {
      callOff?.()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** The connection to a server whose client is another's. Ends with it, and calls `lost`. */
  static over(library: Library, address: RedisAddress, client: Client, lost: () => void): ClientConnection {
    const {host = '', port = 0} = client.options.socket as {host?: string; port?: number}
    return new ClientConnection(library, {...address, host, port}, {lost, back: () => {}}, client)
  }

  async command(args: readonly Argument[], signal?: AbortSignal, options?: object, tries = 0): Promise<RedisReply> {
    const client = this.#client.isReady ? this.#client : await this.#ready(signal)
    signal?.throwIfAborted()
    if (signal !== undefined) this.#id ??= client.sendCommand(['CLIENT', 'ID']).catch(() => 0)
    const sent = client.sendCommand<unknown>(args.map(shortAsText), options)
    try {
      const reply = replyOf(await this.#answerOf(client, sent, signal === undefined ? 0 : blockMsIn(args), signal))
      if (reply === null) signal?.throwIfAborted()
      return reply
    } catch (error) {
      if (!this.#isReply(error)) throw givenUp(error, this.#isClosed && !this.#isGiven, this.#lastError)
      if (await this.#mayTryAgain(client, error.message, tries)) return this.command(args, signal, options, tries + 1)
      throw new RedisError(error.message)
    }
  }

  async transaction(
    commands: readonly (readonly Argument[])[],
    given?: object,
    tries = 0
  ): Promise<readonly RedisReply[]> {
    const client = this.#client.isReady ? this.#client : await this.#ready()
    // The commands of a chain fail as a whole when the connection is lost.
    const options = {chainId: Symbol('transaction'), ...given}
    const queued = [['MULTI'], ...commands].map(async args => client.sendCommand(args, options))
    const executed = client.sendCommand<unknown>(['EXEC'], options)
    const settled = await this.#answerOf(client, Promise.allSettled([...queued, executed]))
    const last = settled.at(-1)
    if (last?.status !== 'fulfilled' || !Array.isArray(last.value)) {
      const refusals = settled.flatMap(each => (each.status === 'rejected' ? [each.reason as unknown] : []))
      // EXEC's own error does not name the cluster node with the key, nor that a retry may help
      const telling = refusals.find(each => /^(?:ASK|MOVED|LOADING|READONLY) /.test(messageOf(each)))
      const cause: unknown = telling ?? refusals.at(-1) ?? new Error('EXEC was aborted')
      if (!this.#isReply(cause)) throw givenUp(cause, this.#isClosed && !this.#isGiven, this.#lastError)
      if (await this.#mayTryAgain(client, cause.message, tries)) return this.transaction(commands, given, tries + 1)
      throw new RedisError(cause.message)
    }
    const replies = last.value.map(replyOf)
    // a script's forbidden write is refused at run time: a replica has written nothing
    const refused = replies.find(each => each instanceof RedisError && each.message.startsWith('READONLY '))
    const isAgain = refused !== undefined && (await this.#mayTryAgain(client, messageOf(refused), tries))
    return isAgain ? this.transaction(commands, given, tries + 1) : replies
  }

  async subscribe(pattern: string, listener: MessageListener): Promise<() => Promise<void>> {
    if (this.#isClosed) throw closed()
    this.#subscriber ??= this.#connectSubscriber()
    const subscriber = await this.#subscriber
    const deliver = (message: Buffer, channel: Buffer): void => listener(channel.toString(), message)
    await subscriber.pSubscribe(pattern, deliver, true)
    const end = async (): Promise<void> => subscriber.pUnsubscribe(pattern, deliver, true).catch(endLater)
    // the library subscribes again when the server is back
    const endLater = (): void => void subscriber.once('ready', () => void end())
    return async () => (subscriber.isReady ? end() : endLater())
  }

  onServer(listener: () => void): void {
    this.#returns.on('ready', listener)
  }

  async duplicate(): Promise<RedisConnection> {
    return ClientConnection.open(this.#address)
  }

  async close(): Promise<void> {
    this.#over.abort()
    destroyClient(this.#client)
    if (this.#subscriberClient !== undefined) destroyClient(this.#subscriberClient)
  }

  /** `isRetrying`: repeats a failed first connection, too. */
  #create(isRetrying = false): Client {
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
        if (client === this.#client) this.#returns.emit('ready')
        if (isLost) this.#listener?.back()
        isLost = false
      })
  }

  async #connectSubscriber(): Promise<Client> {
    // each subscription that ends while the server is away listens
    const client = (this.#subscriberClient = this.#create().setMaxListeners(0))
    await client.connect().catch((error: unknown) => {
      this.#subscriber = undefined
      throw this.#isClosed ? closed() : error
    })
    return client
  }

  /** Waits for the connection if it is lost. */
  async #ready(signal?: AbortSignal): Promise<Client> {
    const {host, port, connectTimeoutMs = CONNECT_TIMEOUT_MS} = this.#address
    const ends = [this.#over.signal, AbortSignal.timeout(connectTimeoutMs), ...(signal === undefined ? [] : [signal])]
    try {
      await once(this.#returns, 'ready', {signal: AbortSignal.any(ends)})
      return this.#client
    } catch {
      signal?.throwIfAborted()
      throw new UnsentError(this.#isClosed ? CLOSED : `Redis does not answer at ${host}:${port}: ${this.#lastError}`)
    }
  }

  /**
   * Waits for an answer until the signal of a blocking command, or until Redis has been silent for the allowed time. Then asks Redis to
   * end the wait, since data sent by then must be read. If that fails, closes the connection: otherwise an event would be lost.
   */
  async #answerOf<T>(client: Client, sent: Promise<T>, blockMs = 0, signal?: AbortSignal): Promise<T> {
    const {promise, resolve, reject} = Promise.withResolvers<T>()
    sent.then(resolve, reject)
    let isOver = false
    const giveUp = (why: Error, isSilent = false): void => {
      if (isOver) return
      reject(why)
      if (client !== this.#client) return
      this.#lastError = isSilent ? why.message : 'Redis has not ended a wait on the same connection'
      this.#replace()
    }
    const leave = (): void => giveUp(signal?.reason as Error)
    const onAbort = (): void => void within(UNBLOCK_MS, this.#unblock(promise)).then(leave, leave)
    const ms = blockMs + (this.#address.readTimeoutMs ?? READ_TIMEOUT_MS)
    let callOff: (() => void) | undefined
    const wait = (): void => {
      const before = this.#answers
      callOff = systemClock.after(ms, () => {
        // answers arrive in order: an earlier slow command may delay this one
        if (before === this.#answers) giveUp(new Error(`Redis has not answered for ${ms} ms`), true)
        else wait()
      })
    }
    wait()
    signal?.addEventListener('abort', onAbort, {once: true})
    try {
      return await promise
    } finally {
      isOver = true
      this.#answers++
      callOff?.()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Makes Redis answer a blocked command with what it has. */
  async #unblock(answer: Promise<unknown>): Promise<void> {
    const other = await ClientConnection.open(this.#address, undefined, this.#over.signal)
    await other.command(['CLIENT', 'UNBLOCK', String(await this.#id)]).finally(() => void other.close())
    await answer
  }

  /**
   * Whether to repeat a refused command: after Redis has loaded its keys, or, if it became a replica, at the server that has its name
   * now. Open commands are still answered.
   */
  async #mayTryAgain(client: Client, refusal: string, tries: number): Promise<boolean> {
    const {connectTimeoutMs = CONNECT_TIMEOUT_MS} = this.#address
    if (refusal.startsWith('LOADING ') && tries * LOADING_MS < connectTimeoutMs)
      await pause(LOADING_MS, this.#over.signal)
    else if (!refusal.startsWith('READONLY ') || tries > 0) return false
    else if (client === this.#client) this.#replace(async old => old.close().catch(() => undefined))
    return !this.#isClosed
  }

  /** Continues with a fresh connection. */
  #replace(end: (old: Client) => unknown = destroyClient): void {
    const old = this.#client
    if (this.#isGiven) return old.destroy()
    this.#client = this.#create(true)
    end(old)
    if (!this.#isClosed) this.#client.connect().catch(() => {}) // the next command reports it
  }

  get #isClosed(): boolean {
    return this.#over.signal.aborted
  }

  #isReply(error: unknown): error is Error {
    return error instanceof this.#library.ErrorReply
  }
}
