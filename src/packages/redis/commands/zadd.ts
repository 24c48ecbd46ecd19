import {syntaxError} from '../engine/errors.ts'
import {floating} from '../engine/numbers.ts'
import {Double, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {SortedSet} from '../engine/sorted-set.ts'

const OPTIONS = new Set(['NX', 'XX', 'GT', 'LT', 'CH', 'INCR'])

/** ZADD with its options: NX only new members, XX only old ones, GT and LT only to higher or lower scores. */
export function addScored({db}: Session, [key = '', ...args]: readonly string[]): Result {
  let start = 0
  const options = new Set<string>()
  for (; OPTIONS.has((args[start] ?? '').toUpperCase()); start++) options.add((args[start] ?? '').toUpperCase())
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
  return Array.from({length: args.length / 2}, (_, at) => [floating(args[2 * at] ?? ''), args[2 * at + 1] ?? ''])
}

function mayChange(old: number | undefined, score: number, options: ReadonlySet<string>): boolean {
  if (old === undefined) return !options.has('XX')
  if (options.has('NX')) return false
  if (options.has('GT')) return score > old
  return !options.has('LT') || score < old
}
