import {closed, type Argument, type MessageListener, type RedisConnection, type RedisReply} from './connection.ts'
import type {RedisEngine} from './engine/engine.ts'
import {Blocked, bytesOf, RedisError, type Push, type Result} from './engine/result.ts'
import type {Session} from './engine/session.ts'
import {toReply} from './protocol/writer.ts'

/** Returns the reply of a single command. Throws a RedisError if it is one. */
function replyTo(result: Result): RedisReply {
  const reply = toReply(result)
  if (reply instanceof RedisError) throw reply
  return reply
}

/** A connection to an engine of this process, without a socket. */
export class MemoryConnection implements RedisConnection {
  readonly #engine: RedisEngine
  readonly #session: Session
  readonly #listeners = new Map<string, Set<MessageListener>>()
  /** Resolves after the blocked command and those behind it; undefined: none waits. */
  #last: Promise<void> | undefined
  #isClosed = false

  constructor(engine: RedisEngine, database = 0) {
    this.#engine = engine
    this.#session = engine.open(push => this.#deliver(push))
    this.#session.mayMix = true
    this.#session.db = engine.database(database)
  }

  async command(args: readonly Argument[], signal?: AbortSignal): Promise<RedisReply> {
    while (this.#last !== undefined) await this.#last
    signal?.throwIfAborted()
    const result = this.#execute(args)
    return result instanceof Blocked ? this.#wait(result, signal) : replyTo(result)
  }

  async transaction(commands: readonly (readonly Argument[])[]): Promise<readonly RedisReply[]> {
    while (this.#last !== undefined) await this.#last
    this.#now(['MULTI'])
    for (const args of commands) this.#now(args)
    const replies = this.#now(['EXEC'])
    if (!Array.isArray(replies)) throw replies instanceof RedisError ? replies : new Error('EXEC was aborted')
    return replies as readonly RedisReply[]
  }

  async subscribe(pattern: string, listener: MessageListener): Promise<() => Promise<void>> {
    const bytes = bytesOf(pattern)
    const listeners = this.#listeners.get(bytes)
    if (listeners === undefined) {
      this.#listeners.set(bytes, new Set([listener]))
      this.#now(['PSUBSCRIBE', pattern])
    } else listeners.add(listener)
    return Promise.resolve(async () => {
      const left = this.#listeners.get(bytes)
      left?.delete(listener)
      if (left?.size === 0) {
        this.#listeners.delete(bytes)
        this.#now(['PUNSUBSCRIBE', pattern])
      }
      return Promise.resolve()
    })
  }

  async duplicate(): Promise<RedisConnection> {
    return Promise.resolve(new MemoryConnection(this.#engine, this.#session.db.index))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    this.#engine.end(this.#session)
    return Promise.resolve()
  }

  /** Runs a command that does not block. */
  #now(args: readonly Argument[]): RedisReply {
    const result = this.#execute(args)
    return toReply(result instanceof Blocked ? result.inTransaction : result)
  }

  #execute(args: readonly Argument[]): Result | Blocked {
    if (this.#isClosed || this.#engine.isClosed) throw closed()
    const texts: string[] = []
    for (const arg of args) texts.push(typeof arg === 'string' ? bytesOf(arg) : arg.toString('latin1'))
    return this.#engine.run(this.#session, texts)
  }

  async #wait(blocked: Blocked, signal: AbortSignal | undefined): Promise<RedisReply> {
    const session = this.#session
    const over = Promise.withResolvers<void>()
    this.#last = over.promise
    const onAbort = (): void => session.cancelWait?.(undefined)
    signal?.addEventListener('abort', onAbort, {once: true})
    const result = await new Promise<Result | undefined>(resolve => this.#engine.wait(session, blocked, resolve))
    signal?.removeEventListener('abort', onAbort)
    this.#last = undefined
    over.resolve()
    if (result !== undefined) return replyTo(result)
    signal?.throwIfAborted()
    throw closed()
  }

  #deliver({items: [kind, pattern, channel, message]}: Push): void {
    if (kind !== 'pmessage' || typeof pattern !== 'string') return
    if (typeof channel !== 'string' || typeof message !== 'string') return
    const name = Buffer.from(channel, 'latin1').toString()
    const bytes = Buffer.from(message, 'latin1')
    // after the command that has caused the event: a listener's command must not run in the middle of a transaction
    queueMicrotask(() => {
      for (const listener of this.#listeners.get(pattern) ?? []) listener(name, bytes)
    })
  }
}
