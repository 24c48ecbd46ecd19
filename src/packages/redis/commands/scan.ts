import type {Database} from '../engine/database.ts'
import {MatchBudget, matches} from '../engine/pattern.ts'
import type {Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {parseCursor, parseScanOptions} from './scan-options.ts'
import {typeOf} from './object.ts'

/** The latest scans of a database, by their cursors: an iterator continues while keys are added and removed, on any connection. */
const scans = new WeakMap<Database, Map<number, Iterator<string, void>>>()
const MAX_SCANS = 100
let lastScan = 0

/**
 * SCAN. The cursor says how many keys were looked at, and which of the latest scans it is: that one sees every key that is there all
 * the time. Any other begins behind as many keys.
 */
export function scanKeys({db}: Session, [cursor = '', ...options]: readonly string[]): Result {
  const start = parseCursor(cursor)
  const {pattern, count, type} = parseScanOptions(options, true)
  const own = scans.get(db) ?? new Map<number, Iterator<string, void>>()
  scans.set(db, own)
  const before = Math.trunc(start / MAX_SCANS)
  const keys = own.get(start) ?? iteratorBehind(db, before)
  own.delete(start)
  const found: string[] = []
  const budget = new MatchBudget()
  for (let looked = 0; looked < count; looked++) {
    const next = keys.next()
    if (next.done === true) return ['0', found]
    const key = next.value
    const isWanted = pattern === undefined || matches(pattern, key, budget)
    if (isWanted && (type === undefined || typeOf(db.get(key)) === type)) found.push(key)
  }
  lastScan = (lastScan + 1) % MAX_SCANS
  const place = (before + count) * MAX_SCANS + lastScan
  own.set(place, keys)
  const [oldest] = own.keys()
  if (own.size > MAX_SCANS && oldest !== undefined) own.delete(oldest)
  return [place.toString(), found]
}

function iteratorBehind(db: Database, count: number): Iterator<string, void> {
  const keys = db.keys()
  for (let at = 0; at < count; at++) if (keys.next().done === true) break
  return keys
}
