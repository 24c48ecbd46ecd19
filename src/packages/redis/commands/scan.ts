import type {Database} from '../engine/database.ts'
import {MatchBudget, matches} from '../engine/pattern.ts'
import type {Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {parseCursor, parseScanOptions} from './scan-options.ts'
import {typeOf} from './object.ts'

interface Position {
  readonly database: Database
  readonly cursor: number
  readonly keys: Iterator<string, void>
}

/** Where each connection is in its scan: an iterator goes on over keys that come and go. */
const positions = new WeakMap<Session, Position>()

/**
 * SCAN. The cursor counts the keys that were looked at. A connection that goes on with its last cursor sees every key that
 * is there all the time; with another cursor the count starts again from the first key.
 */
export function scanKeys(session: Session, [cursor = '', ...options]: readonly string[]): Result {
  const start = parseCursor(cursor)
  const {pattern, count, type} = parseScanOptions(options, true)
  const keys = iteratorAt(session, start)
  const found: string[] = []
  const budget = new MatchBudget()
  for (let looked = 0; looked < count; looked++) {
    const next = keys.next()
    if (next.done === true) {
      positions.delete(session)
      return ['0', found]
    }
    const key = next.value
    const isWanted = pattern === undefined || matches(pattern, key, budget)
    if (isWanted && (type === undefined || typeOf(session.db.get(key)) === type)) found.push(key)
  }
  positions.set(session, {database: session.db, cursor: start + count, keys})
  return [(start + count).toString(), found]
}

function iteratorAt(session: Session, cursor: number): Iterator<string, void> {
  const position = positions.get(session)
  if (position?.database === session.db && position.cursor === cursor && cursor > 0) return position.keys
  const keys = session.db.keys()
  for (let at = 0; at < cursor; at++) if (keys.next().done === true) break
  return keys
}
