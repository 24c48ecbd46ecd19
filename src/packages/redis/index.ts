/**
 * Redis, from both sides: a connection to a real server or cluster, and a server of our own that keeps its keys in a file. A run that uses neither loads neither: large parts come with a `load…`.
 */
import {join} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import {UserError} from '../../model/errors.ts'

export type {BuiltInRedis} from './built-in-redis.ts'
export type {RedisAddress, Sentinels} from './official-client.ts'
export type {Argument, MessageListener, RedisConnection, RedisReply} from './connection.ts'
export {DELETE_SCRIPT, SAVE_SCRIPT, UNLOCK_SCRIPT} from './dapr-scripts.ts'
export {itemsIn, orClosed, UnsentError} from './connection.ts'
export {RedisError} from './engine/result.ts'
export {answererOf, identify, type Answerer} from './identify.ts'

/** Our own server: `BuiltInRedis`. */
export const loadBuiltIn = async (): Promise<typeof import('./built-in-redis.ts')> => import('./built-in-redis.ts')

/** The client of a real server, with the library that it uses: `ClientConnection`. */
export async function loadClient(): Promise<typeof import('./client-connection.ts')> {
  const [client] = await Promise.all([import('./client-connection.ts'), import('./client-library.ts')])
  return client
}

/** The client of a cluster, or of a master that sentinels name: `openMasters`. */
export const loadMasters = async (): Promise<typeof import('./masters-connection.ts')> =>
  import('./masters-connection.ts')

/** Reads `PILLION_REDIS`: where the built-in Redis stores its keys, or that there is none. Throws a UserError for other words. */
export function redisMode({PILLION_REDIS: mode = ''}: Environment): 'file' | 'memory' | 'off' {
  if (mode === '') return 'file'
  if (mode === 'memory' || mode === 'off') return mode
  throw new UserError(`PILLION_REDIS is "${mode}": it can be "memory" (keep no keys) or "off" (no built-in Redis)`)
}

/** Returns the file of keys of the built-in Redis at a port, in a folder for state. */
export const keysFile = (folder: string, port: number): string => join(folder, `redis-${port}.db`)
