import type {RedisError} from './engine/result.ts'

/** An argument; texts are UTF-8. */
export type Argument = string | Buffer

/** An answer of Redis in the shapes of RESP2: a status is a string, bytes are a Buffer, maps are flat arrays. */
export type RedisReply = null | number | string | Buffer | RedisError | readonly RedisReply[]

/** Returns the items of a list reply; none for other replies. */
export const itemsIn = (reply: RedisReply | undefined): readonly RedisReply[] =>
  Array.isArray(reply) ? (reply as readonly RedisReply[]) : []

/** The error of a command that Redis has not received. */
export class UnsentError extends Error {}

export const CLOSED = 'the connection to Redis is closed'

/** Returns the error of commands under way on a connection that is closed. */
export const closed = (): Error => new Error(CLOSED)

/** Resolves with an opened connection once it is ready for use. Closes it if that fails. */
export async function orClosed<C extends Pick<RedisConnection, 'close'>>(
  opened: C,
  ready: Promise<unknown>
): Promise<C> {
  await ready.catch(async (error: unknown) => {
    await opened.close()
    throw error
  })
  return opened
}

export type MessageListener = (channel: string, message: Buffer) => void

/**
 * A connection to Redis: the built-in one in memory, or a real one. Commands run in order. A blocking command delays those behind it, so
 * open a connection for it with `duplicate`.
 */
export interface RedisConnection {
  /**
   * Rejects with a RedisError if Redis refuses the command, with another error if it cannot be reached. `signal` ends the wait of a blocking
   * command: the promise rejects with its reason.
   */
  command(args: readonly Argument[], signal?: AbortSignal): Promise<RedisReply>
  /** Runs commands in one MULTI and EXEC. A failed command becomes a RedisError in the list and does not undo the others. */
  transaction(commands: readonly (readonly Argument[])[]): Promise<readonly RedisReply[]>
  /** Listens on the channels that match a pattern, also after a reconnect. The returned function ends it. */
  subscribe(pattern: string, listener: MessageListener): Promise<() => Promise<void>>
  /** Calls the listener whenever the connection continues with another or restarted server, which has lost its settings. Omitted if it never does. */
  onServer?(listener: () => void): void
  /** The connection to the node that has a key, for commands without one. Omitted: all keys are at one server. */
  nodeOf?(key: Argument): Promise<RedisConnection>
  /** Opens another connection to the same Redis and database. */
  duplicate(): Promise<RedisConnection>
  /** Closes the connection and rejects waiting commands. */
  close(): Promise<void>
}
