// A client of the official library for a real Redis: its options, its values, and its end.
import {isUtf8} from 'node:buffer'
import type {RedisClientOptions} from '@redis/client'
import {codeOf, messageOf} from '../../model/errors.ts'
import {closed, type Argument, type RedisReply} from './connection.ts'
import {RedisError} from './engine/result.ts'

/** The address of a real Redis, and the credentials of the client. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly database?: number
  readonly tls?: {readonly cert?: string; readonly key?: string; readonly rejectUnauthorized?: boolean}
  /** Other nodes of the cluster, or other sentinels. */
  readonly more?: readonly {readonly host: string; readonly port: number}[]
  /** Maximum time to connect, and of a command's wait for a lost connection, in ms. */
  readonly connectTimeoutMs?: number
  /** Maximum time for an answer, in ms; Infinity: unlimited, except for the first answer. */
  readonly readTimeoutMs?: number
}

/** The name of a master that sentinels know, and the credentials for the sentinels. */
export interface Sentinels {
  readonly master: string
  readonly username?: string
  readonly password?: string
}

/** Called when the connection is lost, with the reason, and when it is restored. */
export interface ConnectionListener {
  lost(reason: string): void
  back(): void
}

/** The parts of `@redis/client` that a connection needs. */
export type Library = typeof import('./client-library.ts')
export type Client = ReturnType<typeof createClient>
export type None = Record<string, never>
type Options = RedisClientOptions<None, None, None, 2>

/** Default of `connectTimeoutMs`. */
export const CONNECT_TIMEOUT_MS = 5000
/** Default of `readTimeoutMs`. */
export const READ_TIMEOUT_MS = 3000

/** Returns the options of a client. `reconnectStrategy`: returns the pause in ms before the next try, or an error or `false` to end. `signal`: ends its socket. */
export function clientOptions(
  {RESP_TYPES}: Library,
  {host, port, username, password, database, tls, connectTimeoutMs = CONNECT_TIMEOUT_MS}: RedisAddress,
  reconnectStrategy: (retries: number, cause: Error) => Error | false | number,
  signal: AbortSignal
): Options {
  const socket = {host, port, connectTimeout: connectTimeoutMs, reconnectStrategy, signal}
  return {
    RESP: 2,
    socket: tls === undefined ? socket : {...socket, tls: true, ...tls},
    ...(username !== undefined && username !== '' && {username}),
    ...(password !== undefined && password !== '' && {password}),
    ...(database !== undefined && {database}),
    disableOfflineQueue: true,
    // the library's timeout for commands would create an AbortSignal and a timer for each
    commandOptions: {typeMapping: {[RESP_TYPES.BLOB_STRING]: Buffer}, timeout: 0}
  }
}

/** Creates a client of the official library, not connected yet. */
export function createClient(
  library: Library,
  address: RedisAddress,
  reconnectStrategy: (retries: number, cause: Error) => Error | number
) {
  const over = new AbortController()
  const client = library.createClient(clientOptions(library, address, reconnectStrategy, over.signal))
  ends.set(client, over)
  return client
}

/** Controllers that end the sockets of connecting clients: the library itself would continue with a socket that opens after its end. */
const ends = new WeakMap<object, AbortController>()

/** Ends a client, also one that is still connecting. */
export function destroyClient(client: Client): void {
  if (client.isOpen) client.destroy()
  ends.get(client)?.abort()
}

const MAX_TEXT_BYTES = 16_384

/** Converts a short argument to a text: the library writes texts of a command together, and each Buffer separately. */
export const shortAsText = (arg: Argument): Argument =>
  typeof arg !== 'string' && arg.length <= MAX_TEXT_BYTES && isUtf8(arg) ? arg.toString() : arg

/** Converts a reply of the library to a RedisReply. */
export function replyOf(value: unknown): RedisReply {
  if (Array.isArray(value)) return value.map(replyOf)
  if (value instanceof Error) return new RedisError(value.message)
  return value as RedisReply
}

/** Returns how long Redis may wait before it answers, in ms; Infinity: unlimited. */
export function blockMsIn(args: readonly Argument[]): number {
  const at = args.indexOf('BLOCK')
  return (at === -1 ? 0 : Number(args[at + 1])) || Infinity
}

/** The error if the server is not a Redis. */
export class NoRedisError extends Error {
  constructor(why: string) {
    super(`what listens there does not answer as Redis does (${why})`)
  }
}

/** Replaces the library's error for a command on a closed or replaced connection, which only reports the disconnection, by one with the reason. */
export const givenUp = (error: unknown, isClosed: boolean, why: string): unknown =>
  messageOf(error) !== 'Disconnects client' ? error : isClosed ? closed() : new Error(why, {cause: error})

/** Returns why a first connection has failed. */
export function whyNotOpened({ErrorReply}: Library, error: unknown): unknown {
  // the library wraps the socket's error
  const cause = error instanceof Error && 'socketError' in error ? error.socketError : error
  if (cause instanceof ErrorReply) return new RedisError(cause.message)
  const isUnknown = cause instanceof Error && codeOf(cause) === '' && cause.name === 'Error'
  return isUnknown && !(cause instanceof NoRedisError) ? new NoRedisError(cause.message) : cause
}
