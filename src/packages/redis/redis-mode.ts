import {join} from 'node:path'
import type {Environment} from '../../model/environment.ts'
import {UserError} from '../../model/errors.ts'

/** Reads `PILLION_REDIS`: where the built-in Redis stores its keys, or that there is none. Throws a UserError for other words. */
export function redisMode({PILLION_REDIS: mode = ''}: Environment): 'file' | 'memory' | 'off' {
  if (mode === '') return 'file'
  if (mode === 'memory' || mode === 'off') return mode
  throw new UserError(`PILLION_REDIS is "${mode}": it can be "memory" (keep no keys) or "off" (no built-in Redis)`)
}

/** Returns the file of keys of the built-in Redis at a port, in a folder for state. */
export const keysFile = (folder: string, port: number): string => join(folder, `redis-${port}.db`)
