import {reads, writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {Database} from '../engine/database.ts'
import {noSuchKey, syntaxError, wrongArity} from '../engine/errors.ts'
import {List, type Side} from '../engine/list.ts'
import {clampRange, countIn, integer, parseFloating} from '../engine/numbers.ts'
import {Blocked, NIL_ARRAY, OK_STATUS, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'

export const LISTS: CommandTable = {
  lpush: pushes('left', 'lpush', true),
  rpush: pushes('right', 'rpush', true),
  lpushx: pushes('left', 'lpush', false),
  rpushx: pushes('right', 'rpush', false),
  lpop: pops('left'),
  rpop: pops('right'),
  llen: reads(2, ({db}, [key = '']) => db.list(key)?.length ?? 0),
  lrange: reads(4, ({db}, [key = '', start = '', stop = '']) => {
    const [first, last] = [integer(start), integer(stop)]
    const list = db.list(key) ?? new List()
    return list.slice(...clampRange(first, last, list.length))
  }),
  lindex: reads(3, ({db}, [key = '', index = '']) => {
    const at = integer(index)
    return db.list(key)?.at(at) ?? null
  }),
  lset: writes(4, ({db}, [key = '', index = '', value = '']) => {
    const list = db.list(key)
    if (list === undefined) throw noSuchKey()
    const given = integer(index)
    const at = given < 0 ? list.length + given : given
    if (at < 0 || at >= list.length) throw new RedisError('ERR index out of range')
    list.set(at, value)
    db.changed(key, 'l', 'lset')
    return OK_STATUS
  }),
  lrem: writes(4, removeEqual),
  ltrim: writes(4, ({db}, [key = '', start = '', stop = '']) => {
    const [first, last] = [integer(start), integer(stop)]
    const list = db.list(key)
    if (list === undefined) return OK_STATUS
    const {length} = list
    const [from, to] = clampRange(first, last, length)
    for (let gone = Math.min(from, length); gone > 0; gone--) list.take('left')
    for (let gone = length - Math.max(from, to); gone > 0; gone--) list.take('right')
    db.changed(key, 'l', 'ltrim')
    db.deleteIfEmpty(key, list.length)
    return OK_STATUS
  }),
  linsert: writes(5, insert),
  lpos: reads(-3, positions),
  rpoplpush: moves(3, () => ['right', 'left']),
  lmove: moves(5, sidesIn),
  blpop: popsLater('left'),
  brpop: popsLater('right'),
  brpoplpush: moves(4, () => ['right', 'left'], true),
  blmove: moves(6, sidesIn, true)
}

function pushes(side: Side, event: string, mayCreate: boolean): CommandDefinition {
  return writes(-3, ({db}, [key = '', ...values]) =>
    db.list(key) === undefined && !mayCreate ? 0 : push(db, key, side, values, event)
  )
}

function push(db: Database, key: string, side: Side, values: readonly string[], event: string): number {
  const list = db.list(key) ?? new List()
  for (const value of values) list.add(side, value)
  db.put(key, list)
  db.changed(key, 'l', event)
  return list.length
}

function pops(side: Side): CommandDefinition {
  return writes(-2, ({db}, [key = '', count, ...rest]) => {
    if (rest.length > 0) throw wrongArity(side === 'left' ? 'lpop' : 'rpop')
    const wanted = count === undefined ? 1 : countIn(count)
    const list = db.list(key)
    if (count === undefined) return pop(db, key, side) ?? null
    if (list === undefined) return NIL_ARRAY
    const gone = Math.min(wanted, list.length)
    if (gone === 0) return []
    const taken = Array.from({length: gone}, () => list.take(side) ?? '')
    popped(db, key, side, list)
    return taken
  })
}

function pop(db: Database, key: string, side: Side): string | undefined {
  const list = db.list(key)
  const value = list?.take(side)
  if (list === undefined || value === undefined) return undefined
  popped(db, key, side, list)
  return value
}

function popped(db: Database, key: string, side: Side, list: List): void {
  db.changed(key, 'l', side === 'left' ? 'lpop' : 'rpop')
  db.deleteIfEmpty(key, list.length)
}

/** The end of the source list from which an element moves, and the end of the target list. */
type Sides = readonly [source: Side, target: Side]

function sidesIn([source = '', target = '']: readonly string[]): Sides {
  return [sideOf(source), sideOf(target)]
}

function sideOf(text: string): Side {
  const side = text.toLowerCase()
  if (side !== 'left' && side !== 'right') throw syntaxError()
  return side
}

function moveElement(db: Database, from: string, to: string, [source, target]: Sides): string | undefined {
  const list = db.list(from)
  if (list === undefined) return undefined
  db.list(to)
  const value = list.take(source)
  if (value === undefined) return undefined
  db.moved(from, to)
  push(db, to, target, [value], target === 'left' ? 'lpush' : 'rpush')
  // after the push: a list whose only element moves to its other end keeps its time to live
  popped(db, from, source, list)
  return value
}

function moves(arity: number, sides: (args: readonly string[]) => Sides, isLater = false): CommandDefinition {
  return writes(
    arity,
    ({db}, [from = '', to = '', ...rest]) => {
      const ends = sides(rest)
      const timeoutMs = isLater ? parseTimeout(rest.at(-1) ?? '') : 0
      const attempt = (isFirst = false): string | undefined =>
        isFirst || db.get(from) instanceof List ? moveElement(db, from, to, ends) : undefined
      return attempt(true) ?? (isLater ? new Blocked([from], timeoutMs, attempt, null) : null)
    },
    [1, 2, 1]
  )
}

/** LREM: removes the first `count` equal elements, for a negative number the last, for 0 all. */
function removeEqual({db}: Session, [key = '', count = '', value = '']: readonly string[]): Result {
  const wanted = integer(count)
  const list = db.list(key)
  if (list === undefined) return 0
  let left = wanted === 0 ? Infinity : Math.abs(wanted)
  const inOrder = wanted < 0 ? list.toArray().toReversed() : list.toArray()
  const kept = inOrder.filter(each => each !== value || left-- <= 0)
  const removed = list.length - kept.length
  if (removed === 0) return 0
  db.put(key, new List(wanted < 0 ? kept.toReversed() : kept))
  db.changed(key, 'l', 'lrem')
  db.deleteIfEmpty(key, kept.length)
  return removed
}

function insert({db}: Session, [key = '', place = '', pivot = '', value = '']: readonly string[]): Result {
  const where = place.toUpperCase()
  if (where !== 'BEFORE' && where !== 'AFTER') throw syntaxError()
  const list = db.list(key)
  if (list === undefined) return 0
  const values = list.toArray()
  const at = values.indexOf(pivot)
  if (at === -1) return -1
  db.put(key, new List(values.toSpliced(where === 'BEFORE' ? at : at + 1, 0, value)))
  db.changed(key, 'l', 'linsert')
  return values.length + 1
}

function positions({db}: Session, [key = '', value = '', ...options]: readonly string[]): Result {
  let [rank, count, most] = [1, -1, 0]
  for (let at = 0; at < options.length; at += 2) {
    const name = (options[at] ?? '').toUpperCase()
    if (options[at + 1] === undefined) throw syntaxError()
    const amount = integer(options[at + 1] ?? '')
    if (name === 'RANK') rank = amount
    else if (name === 'COUNT') count = amount
    else if (name === 'MAXLEN') most = amount
    else throw syntaxError()
    if (name !== 'RANK' && amount < 0) throw new RedisError(`ERR ${name} can't be negative`)
  }
  if (rank === 0)
    throw new RedisError(
      "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
    )
  const list = db.list(key) ?? new List()
  const wanted = count === -1 ? 1 : count === 0 ? Infinity : count
  const found: number[] = []
  const looked = most === 0 ? list.length : Math.min(most, list.length)
  let skipped = Math.abs(rank) - 1
  for (let step = 0; step < looked && found.length < wanted; step++) {
    const at = rank > 0 ? step : list.length - 1 - step
    if (list.at(at) === value && skipped-- <= 0) found.push(at)
  }
  return count === -1 ? (found[0] ?? null) : found
}

function popsLater(side: Side): CommandDefinition {
  return writes(
    -3,
    ({db}, args) => {
      const keys = args.slice(0, -1)
      const timeoutMs = parseTimeout(args.at(-1) ?? '')
      const attempt = (isFirst = false): readonly string[] | undefined => {
        for (const key of keys) {
          // after the first look, a key of another type counts as empty
          const value = isFirst || db.get(key) instanceof List ? pop(db, key, side) : undefined
          if (value !== undefined) return [key, value]
        }
        return undefined
      }
      return attempt(true) ?? new Blocked(keys, timeoutMs, attempt)
    },
    [1, -2, 1]
  )
}

/** Reads a timeout in seconds, with fractions, and returns milliseconds. */
function parseTimeout(text: string): number {
  const seconds = parseFloating(text)
  if (seconds === undefined || !Number.isFinite(seconds))
    throw new RedisError('ERR timeout is not a float or out of range')
  if (seconds < 0) throw new RedisError('ERR timeout is negative')
  return Math.ceil(seconds * 1000)
}
