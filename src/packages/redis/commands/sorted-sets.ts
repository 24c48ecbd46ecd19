import {reads, writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {Database} from '../engine/database.ts'
import {syntaxError} from '../engine/errors.ts'
import {clampRange, countIn, floating, integer} from '../engine/numbers.ts'
import {Double, RedisError, formatDouble, textPairs, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {SortedSet, type Scored} from '../engine/sorted-set.ts'
import {scanned} from './scan.ts'
import {scoreRange, rangeCommands} from './zrange.ts'

export const SORTED_SETS: CommandTable = {
  zadd: writes(-4, addScored),
  zincrby: writes(4, (session, [key = '', ...pair]) => addScored(session, [key, 'INCR', ...pair])),
  zrem: writes(-3, ({db}, [key = '', ...members]) => db.deleteMembers(key, db.sortedSet(key), members, ['z', 'zrem'])),
  zscore: reads(3, ({db}, [key = '', member = '']) => scoreOf(db.sortedSet(key), member)),
  zmscore: reads(-3, ({db}, [key = '', ...members]) => members.map(member => scoreOf(db.sortedSet(key), member))),
  zcard: reads(2, ({db}, [key = '']) => db.sortedSet(key)?.size ?? 0),
  zcount: reads(4, ({db}, [key = '', min = '', max = '']) => {
    const isIn = scoreRange(min, max)
    return orderedAt(db, key).filter(isIn).length
  }),
  zrank: ranks(false),
  zrevrank: ranks(true),
  zpopmin: pops(false),
  zpopmax: pops(true),
  zremrangebyscore: writes(4, ({db}, [key = '', min = '', max = '']) => {
    const isIn = scoreRange(min, max)
    return removeScored(db, key, orderedAt(db, key).filter(isIn), 'zremrangebyscore')
  }),
  zremrangebyrank: writes(4, ({db}, [key = '', start = '', stop = '']) => {
    const [first, last] = [integer(start), integer(stop)]
    const all = orderedAt(db, key)
    return removeScored(db, key, all.slice(...clampRange(first, last, all.length)), 'zremrangebyrank')
  }),
  zscan: reads(-3, ({db}, [key = '', cursor = '', ...options]) => {
    const {ordered, scores} = db.sortedSet(key) ?? new SortedSet()
    const all = ordered.map(({member}) => member)
    return ['0', scanned(all, cursor, options).flatMap(member => [member, formatDouble(scores.get(member) ?? 0)])]
  }),
  ...rangeCommands
}

const orderedAt = (db: Database, key: string): readonly Scored[] => db.sortedSet(key)?.ordered ?? []

function scoreOf(set: SortedSet | undefined, member: string): Result {
  const score = set?.scores.get(member)
  return score === undefined ? null : new Double(score)
}

function removeScored(db: Database, key: string, gone: readonly Scored[], event: string): number {
  const members = gone.map(({member}) => member)
  return db.deleteMembers(key, db.sortedSet(key), members, ['z', event])
}

function ranks(isReversed: boolean): CommandDefinition {
  return reads(3, ({db}, [key = '', member = '']) => {
    const all = orderedAt(db, key)
    const at = all.findIndex(each => each.member === member)
    if (at === -1) return null
    return isReversed ? all.length - 1 - at : at
  })
}

function pops(isMax: boolean): CommandDefinition {
  return writes(-2, ({db, protocol}: Session, [key = '', count, ...rest]) => {
    if (rest.length > 0) throw syntaxError()
    const wanted = count === undefined ? 1 : countIn(count)
    const all = orderedAt(db, key)
    const gone = (isMax ? all.toReversed() : all).slice(0, wanted)
    removeScored(db, key, gone, isMax ? 'zpopmax' : 'zpopmin')
    const found = gone.map(({member, score}) => [member, new Double(score)])
    return protocol === 3 && count !== undefined ? found : found.flat()
  })
}

const ADD_OPTIONS = new Set(['NX', 'XX', 'GT', 'LT', 'CH', 'INCR'])

/** ZADD with its options: NX only new members, XX only old ones, GT and LT only to higher or lower scores. */
function addScored({db}: Session, [key = '', ...args]: readonly string[]): Result {
  let start = 0
  const options = new Set<string>()
  for (; ADD_OPTIONS.has((args[start] ?? '').toUpperCase()); start++) options.add((args[start] ?? '').toUpperCase())
  const pairs = readPairs(args.slice(start), options)
  const set = db.sortedSet(key) ?? new SortedSet()
  let [added, changed] = [0, 0]
  let last: number | undefined
  for (const [given, member] of pairs) {
    const old = set.scores.get(member)
    const score = options.has('INCR') ? (old ?? 0) + given : given
    if (Number.isNaN(score)) throw new RedisError('ERR resulting score is not a number (NaN)')
    if (!mayChange(old, score, options)) continue
    last = score
    if (old === undefined) added++
    else if (old !== score) changed++
    set.set(member, score)
  }
  if (added + changed > 0) {
    db.put(key, set)
    db.changed(key, 'z', options.has('INCR') ? 'zincr' : 'zadd')
  }
  if (options.has('INCR')) return last === undefined ? null : new Double(last)
  return options.has('CH') ? added + changed : added
}

function readPairs(args: readonly string[], options: ReadonlySet<string>): readonly (readonly [number, string])[] {
  if (args.length === 0 || args.length % 2 !== 0) throw syntaxError()
  if (options.has('NX') && options.has('XX'))
    throw new RedisError('ERR XX and NX options at the same time are not compatible')
  const orders = ['NX', 'GT', 'LT'].filter(option => options.has(option)).length
  if (orders > 1) throw new RedisError('ERR GT, LT, and/or NX options at the same time are not compatible')
  if (options.has('INCR') && args.length > 2)
    throw new RedisError('ERR INCR option supports a single increment-element pair')
  return textPairs(args).map(([score, member]) => [floating(score), member])
}

function mayChange(old: number | undefined, score: number, options: ReadonlySet<string>): boolean {
  if (old === undefined) return !options.has('XX')
  if (options.has('NX')) return false
  if (options.has('GT')) return score > old
  return !options.has('LT') || score < old
}
