import {constants} from 'node:buffer'
import {reads, writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {Database} from '../engine/database.ts'
import {syntaxError, wrongArity} from '../engine/errors.ts'
import {addFloating, addInt64, clampRange, int64, integer} from '../engine/numbers.ts'
import {OK_STATUS, textPairs, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {parseExpiry} from './expiry.ts'

/** Maximum length of a string: V8's limit, a few bytes below the 512 MiB of Redis. */
const MAX_LENGTH = constants.MAX_STRING_LENGTH
const tooLong = (): RedisError => new RedisError('ERR string exceeds maximum allowed size (proto-max-bulk-len)')

export const STRINGS: CommandTable = {
  get: reads(2, ({db}, [key = '']) => db.string(key) ?? null),
  set: writes(-3, set),
  setnx: writes(3, ({db}, [key = '', value = '']) => {
    if (db.get(key) !== undefined) return 0
    store(db, key, value)
    return 1
  }),
  setex: setsExpiring('setex', 'EX'),
  psetex: setsExpiring('psetex', 'PX'),
  getset: writes(3, ({db}, [key = '', value = '']) => {
    const old = db.string(key) ?? null
    store(db, key, value)
    return old
  }),
  getdel: writes(2, ({db}, [key = '']) => {
    const old = db.string(key) ?? null
    db.delete(key)
    return old
  }),
  getex: writes(-2, getAndExpire),
  mget: reads(
    -2,
    // a key of another type counts as missing
    ({db}, keys) => keys.map(key => db.get(key)).map(value => (typeof value === 'string' ? value : null)),
    [1, -1, 1]
  ),
  mset: writes(
    -3,
    ({db}, args) => {
      for (const [key, value] of pairs(args, 'mset')) store(db, key, value, true)
      return OK_STATUS
    },
    [1, -1, 2]
  ),
  msetnx: writes(
    -3,
    ({db}, args) => {
      const all = pairs(args, 'msetnx')
      if (all.some(([key]) => db.get(key) !== undefined)) return 0
      for (const [key, value] of all) store(db, key, value, true)
      return 1
    },
    [1, -1, 2]
  ),
  incr: writes(2, ({db}, [key = '']) => increase(db, key, 1n)),
  decr: writes(2, ({db}, [key = '']) => increase(db, key, -1n)),
  incrby: writes(3, ({db}, [key = '', by = '']) => increase(db, key, int64(by))),
  decrby: writes(3, ({db}, [key = '', by = '']) => {
    const amount = int64(by)
    if (amount === -(2n ** 63n)) throw new RedisError('ERR decrement would overflow')
    return increase(db, key, -amount)
  }),
  incrbyfloat: writes(3, ({db}, [key = '', by = '']) => {
    const text = addFloating(db.string(key) ?? '0', by)
    db.put(key, text)
    db.changed(key, '$', 'incrbyfloat')
    return text
  }),
  append: writes(3, ({db}, [key = '', value = '']) => {
    const old = db.string(key) ?? ''
    if (old.length + value.length > MAX_LENGTH) throw tooLong()
    const text = old + value
    db.put(key, text)
    db.changed(key, '$', 'append')
    return text.length
  }),
  strlen: reads(2, ({db}, [key = '']) => db.string(key)?.length ?? 0),
  getrange: reads(4, range),
  setrange: writes(4, setRange)
}

function set({db}: Session, [key = '', value = '', ...options]: readonly string[]): Result {
  let condition = ''
  let isGet = false
  let isKept = false
  let expiry: number | undefined
  for (let at = 0; at < options.length; at++) {
    const option = (options[at] ?? '').toUpperCase()
    if ((option === 'NX' || option === 'XX') && ['', option].includes(condition)) condition = option
    else if (option === 'GET') isGet = true
    else if (option === 'KEEPTTL' && expiry === undefined) isKept = true
    else if (!isKept && expiry === undefined && at + 1 < options.length)
      expiry = parseExpiry(option, options[++at] ?? '', 'set')
    else throw syntaxError()
  }
  const old = isGet ? (db.string(key) ?? null) : null
  const isThere = db.get(key) !== undefined
  if ((condition === 'NX' && isThere) || (condition === 'XX' && !isThere)) return old
  if (isKept) db.put(key, value)
  else db.replace(key, value)
  db.changed(key, '$', 'set')
  if (expiry !== undefined) expire(db, key, expiry)
  return isGet ? old : OK_STATUS
}

/** Stores a value. `isOneOfMany`: the file gets all values of the command together. */
function store(db: Database, key: string, value: string, isOneOfMany = false): void {
  if (isOneOfMany) db.moved(key)
  db.replace(key, value)
  db.changed(key, '$', 'set')
}

function expire(db: Database, key: string, at: number): void {
  db.setExpiry(key, at)
  db.changed(key, 'g', 'expire')
  db.expire(key)
}

function setsExpiring(name: string, unit: string): CommandDefinition {
  return writes(4, ({db}, [key = '', time = '', value = '']) => {
    const expiry = parseExpiry(unit, time, name)
    store(db, key, value)
    expire(db, key, expiry)
    return OK_STATUS
  })
}

function getAndExpire({db}: Session, [key = '', option = '', time, ...rest]: readonly string[]): Result {
  const value = db.string(key)
  const unit = option.toUpperCase()
  const isPersist = unit === 'PERSIST'
  if (rest.length > 0 || (option !== '' && isPersist !== (time === undefined))) throw syntaxError()
  const expiry = time === undefined ? undefined : parseExpiry(unit, time, 'getex')
  if (value === undefined) return null
  if (expiry !== undefined) expire(db, key, expiry)
  else if (isPersist) db.persist(key)
  return value
}

function pairs(args: readonly string[], name: string): readonly (readonly [string, string])[] {
  if (args.length % 2 !== 0) throw wrongArity(name)
  return textPairs(args)
}

function increase(db: Database, key: string, by: bigint): Result {
  const sum = addInt64(int64(db.string(key) ?? '0'), by)
  db.put(key, sum.toString())
  db.changed(key, '$', 'incrby')
  return sum
}

function range({db}: Session, [key = '', start = '', end = '']: readonly string[]): Result {
  const [first, last] = [integer(start), integer(end)]
  const text = db.string(key) ?? ''
  if (last < first && first < 0) return ''
  // unlike in a list, an end before the first byte is the first byte
  return text.slice(...clampRange(first, Math.max(last, -text.length), text.length))
}

function setRange({db, engine}: Session, [key = '', offset = '', value = '']: readonly string[]): Result {
  const at = integer(offset)
  if (at < 0) throw new RedisError('ERR offset is out of range')
  const text = db.string(key) ?? ''
  if (value === '') return text.length
  if (at + value.length > MAX_LENGTH) throw tooLong()
  engine.memory.take(at)
  const result = text.slice(0, at).padEnd(at, '\0') + value + text.slice(at + value.length)
  result.charCodeAt(0) // makes V8 join the parts now, so that the memory of the text is counted
  db.put(key, result)
  db.changed(key, '$', 'setrange')
  return result.length
}
