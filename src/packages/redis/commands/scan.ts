import type {Database} from '../engine/database.ts'
import {syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {MatchBudget, matches, matching} from '../engine/pattern.ts'
import {RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {typeOf} from './object.ts'

/** A scan under way. Its iterator continues while keys are added and removed. */
interface Scan {
  /** The iterator. Omitted: it was dropped after a pause. */
  readonly keys?: Iterator<string, void>
  /** Value of `Database.removed` at the start of its iterator. */
  readonly removed: number
  readonly pause?: NodeJS.Timeout
}

/** The latest scans of a database, by their cursors. */
const scans = new WeakMap<Database, Map<number, Scan>>()
const MAX_SCANS = 100
/** Time after which an interrupted scan is forgotten, in ms: V8 keeps all keys and values of an iterator's last step alive. */
const MAX_PAUSE_MS = 60_000
let lastScan = 0

/**
 * SCAN. The cursor contains the number of keys so far, and the number of the scan. A known scan returns every key that exists during the
 * whole scan; a forgotten scan resumes at the same position.
 */
export function scanKeys({db}: Session, [cursor = '', ...options]: readonly string[]): Result {
  const start = parseCursor(cursor)
  const {pattern, count, type} = parseScanOptions(options, true)
  const own = scans.get(db) ?? new Map<number, Scan>()
  scans.set(db, own)
  const known = own.get(start)
  own.delete(start)
  clearTimeout(known?.pause)
  let removed = known?.removed ?? db.removed
  let before = Math.trunc(start / MAX_SCANS)
  let keys = known?.keys
  if (keys === undefined) {
    // each key removed since may have moved the following ones
    before = Math.max(0, before - (db.removed - removed))
    keys = iteratorBehind(db, before)
    removed = db.removed
  }
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
  const forget = (): unknown => own.get(place)?.keys === keys && own.set(place, {removed})
  own.set(place, {keys, removed, pause: setTimeout(forget, MAX_PAUSE_MS).unref()})
  const [[oldest, left] = [place]] = own
  if (own.size > MAX_SCANS && own.delete(oldest)) clearTimeout(left?.pause)
  return [place.toString(), found]
}

function iteratorBehind(db: Database, count: number): Iterator<string, void> {
  const keys = db.keys()
  for (let at = 0; at < count; at++) if (keys.next().done === true) break
  return keys
}

function parseCursor(text: string): number {
  if (!/^\d{1,20}$/.test(text)) throw new RedisError('ERR invalid cursor')
  return Number(text)
}

/** Reads the options MATCH, COUNT and, for SCAN, TYPE. */
function parseScanOptions(
  options: readonly string[],
  mayHaveType = false
): {readonly pattern: string | undefined; readonly count: number; readonly type: string | undefined} {
  let pattern: string | undefined
  let type: string | undefined
  let count = 10
  for (let at = 0; at < options.length; at += 2) {
    const value = options[at + 1]
    const name = (options[at] ?? '').toUpperCase()
    if (value === undefined) throw syntaxError()
    if (name === 'MATCH') pattern = value
    else if (name === 'COUNT') {
      count = integer(value)
      if (count < 1) throw syntaxError()
    } else if (name === 'TYPE' && mayHaveType) type = value.toLowerCase()
    else throw syntaxError()
  }
  return {pattern, count, type}
}

/** Returns all members that match at once, for HSCAN, SSCAN and ZSCAN, as Redis does for a small collection. */
export function scanned(members: readonly string[], cursor: string, options: readonly string[]): readonly string[] {
  parseCursor(cursor)
  const {pattern} = parseScanOptions(options)
  return pattern === undefined ? members : matching(members, pattern)
}
