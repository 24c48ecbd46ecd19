import {reads, writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {Database} from '../engine/database.ts'
import {invalidExpire, syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {RedisError} from '../engine/result.ts'

export const EXPIRY: CommandTable = {
  expire: expires('expire', true, true),
  pexpire: expires('pexpire', false, true),
  expireat: expires('expireat', true, false),
  pexpireat: expires('pexpireat', false, false),
  ttl: expiryCommand(at => Math.round((at - Date.now()) / 1000)),
  pttl: expiryCommand(at => at - Date.now()),
  expiretime: expiryCommand(at => Math.trunc((at + 500) / 1000)),
  pexpiretime: expiryCommand(at => at),
  persist: writes(2, ({db}, [key = '']) => (db.get(key) !== undefined && db.persist(key) ? 1 : 0))
}

function expires(name: string, isSeconds: boolean, isRelative: boolean): CommandDefinition {
  return writes(-3, ({db}, [key = '', time = '', ...conditions]) => {
    const wanted = parseConditions(conditions)
    const at = expiryAt(integer(time), isSeconds, isRelative, name)
    if (db.get(key) === undefined || !mayExpire(db, key, at, wanted)) return 0
    if (at <= Date.now()) db.delete(key)
    else {
      db.setExpiry(key, at)
      db.changed(key, 'g', 'expire')
    }
    return 1
  })
}

/** Returns a command that answers with the `amount` of a key's expiry; -2: no such key; -1: the key never expires. */
function expiryCommand(amount: (at: number) => number): CommandDefinition {
  return reads(2, ({db}, [key = '']) => {
    if (db.get(key) === undefined) return -2
    const at = db.expiresAt(key)
    return at === undefined ? -1 : amount(at)
  })
}

function parseConditions(options: readonly string[]): ReadonlySet<string> {
  const wanted = new Set(options.map(option => option.toUpperCase()))
  for (const [at, option] of [...wanted].entries())
    if (!['NX', 'XX', 'GT', 'LT'].includes(option)) throw new RedisError(`ERR Unsupported option ${options[at] ?? ''}`)
  if (wanted.has('NX') && wanted.size > 1)
    throw new RedisError('ERR NX and XX, GT or LT options at the same time are not compatible')
  if (wanted.has('GT') && wanted.has('LT'))
    throw new RedisError('ERR GT and LT options at the same time are not compatible')
  return wanted
}

/** Whether the options allow the expiry. A key that never expires counts as infinitely late. */
function mayExpire(db: Database, key: string, at: number, wanted: ReadonlySet<string>): boolean {
  const now = db.expiresAt(key)
  if (wanted.has('NX') && now !== undefined) return false
  if (wanted.has('XX') && now === undefined) return false
  if (wanted.has('GT') && at <= (now ?? Infinity)) return false
  return !wanted.has('LT') || at < (now ?? Infinity)
}

/** Reads an option EX, PX, EXAT or PXAT of SET and GETEX. Returns when the key expires, in milliseconds since 1970. */
export function parseExpiry(unit: string, time: string, command: string): number {
  const isSeconds = unit === 'EX' || unit === 'EXAT'
  if (!isSeconds && unit !== 'PX' && unit !== 'PXAT') throw syntaxError()
  const value = integer(time)
  if (value <= 0) throw invalidExpire(command)
  return expiryAt(value, isSeconds, !unit.endsWith('AT'), command)
}

/** Converts a time in seconds or milliseconds, from now or since 1970, to milliseconds since 1970. */
function expiryAt(value: number, isSeconds: boolean, isRelative: boolean, command: string): number {
  const at = value * (isSeconds ? 1000 : 1) + (isRelative ? Date.now() : 0)
  if (!Number.isSafeInteger(at)) throw invalidExpire(command)
  return at
}
