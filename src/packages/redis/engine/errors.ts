import {RedisError} from './result.ts'

// The words of Redis 7.0 (shared.c, networking.c and the commands' own files).
export const wrongType = (): RedisError =>
  new RedisError('WRONGTYPE Operation against a key holding the wrong kind of value')
export const syntaxError = (): RedisError => new RedisError('ERR syntax error')
export const notInteger = (): RedisError => new RedisError('ERR value is not an integer or out of range')
export const notInHash = (): RedisError => new RedisError('ERR hash value is not an integer')
export const notFloatInHash = (): RedisError => new RedisError('ERR hash value is not a float')
export const notFloat = (): RedisError => new RedisError('ERR value is not a valid float')
export const noSuchKey = (): RedisError => new RedisError('ERR no such key')
export const mustBePositive = (): RedisError => new RedisError('ERR value is out of range, must be positive')
export const outOfMemory = (): RedisError => new RedisError("OOM command not allowed when used memory > 'maxmemory'.")
export const overflow = (): RedisError => new RedisError('ERR increment or decrement would overflow')
export const invalidExpire = (command: string): RedisError =>
  new RedisError(`ERR invalid expire time in '${command}' command`)
export const wrongArity = (command: string): RedisError =>
  new RedisError(`ERR wrong number of arguments for '${command}' command`)
export const unknownSubcommand = (command: string, given: string): RedisError =>
  new RedisError(`ERR unknown subcommand '${given.slice(0, 128)}'. Try ${command} HELP.`)
