import {UserError} from '../model/errors.ts'

/** `PILLION_REDIS`: where the built-in Redis keeps its keys, or that there shall be none. Throws a UserError for other words. */
export function redisMode({
  PILLION_REDIS: mode = ''
}: Readonly<Record<string, string | undefined>>): 'file' | 'memory' | 'off' {
  if (mode === '') return 'file'
  if (mode === 'memory' || mode === 'off') return mode
  throw new UserError(`PILLION_REDIS is "${mode}": it can be "memory" (keep no keys) or "off" (no built-in Redis)`)
}
