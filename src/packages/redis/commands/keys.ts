import {reads, writes, keyless, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {Database} from '../engine/database.ts'
import {noSuchKey, syntaxError} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {matching} from '../engine/pattern.ts'
import {OK_STATUS, RedisError, Status, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {scanKeys} from './scan.ts'
import {copyOfValue, memoryOf, typeOf} from './object.ts'

export const KEYS: CommandTable = {
  del: writes(-2, ({db}, keys) => keys.filter(key => db.delete(key)).length, [1, -1, 1]),
  unlink: writes(-2, ({db}, keys) => keys.filter(key => db.delete(key)).length, [1, -1, 1]),
  exists: reads(-2, count, [1, -1, 1]),
  touch: reads(-2, count, [1, -1, 1]),
  type: reads(2, ({db}, [key = '']) => new Status(typeOf(db.get(key)))),
  keys: keyless(2, ({db}, [pattern = '']) => matching([...db.keys()], pattern)),
  scan: keyless(-2, scanKeys),
  randomkey: keyless(1, ({db}) => {
    const keys = [...db.keys()]
    return keys[Math.trunc(Math.random() * keys.length)] ?? null
  }),
  rename: renames(false),
  renamenx: renames(true),
  copy: writes(-3, copy, [1, 2, 1]),
  move: writes(3, move)
}

function count({db}: Session, keys: readonly string[]): number {
  return keys.filter(key => db.get(key) !== undefined).length
}

/** Renames a key. `isCareful`: only if the target does not exist. */
function renames(isCareful: boolean): CommandDefinition {
  const run = ({db}: Session, [from = '', to = '']: readonly string[]): Result => {
    if (db.get(from) === undefined) throw noSuchKey()
    if (isCareful && db.get(to) !== undefined) return 0
    if (from !== to) transfer([db, from, 'rename_from'], [db, to, 'rename_to'])
    return isCareful ? 1 : OK_STATUS
  }
  return writes(3, run, [1, 2, 1])
}

type Place = readonly [database: Database, key: string, event: string]

/** Moves a value and its time to live to another key or database. Returns false if the key has no value. */
function transfer([db, from, leaves]: Place, [target, to, comes]: Place): boolean {
  const value = db.get(from)
  if (value === undefined) return false
  const expiry = db.expiresAt(from)
  db.moved(from, to)
  db.delete(from, leaves)
  target.replace(to, value)
  target.setExpiry(to, expiry)
  target.changed(to, 'g', comes)
  return true
}

export function databaseAt(session: Session, text: string): Database {
  const database = session.engine.databases[integer(text)]
  if (database === undefined) throw new RedisError('ERR DB index is out of range')
  return database
}

function copy(session: Session, [from = '', to = '', ...options]: readonly string[]): Result {
  let target = session.db
  let isReplacing = false
  for (let at = 0; at < options.length; at++) {
    const option = (options[at] ?? '').toUpperCase()
    if (option === 'REPLACE') isReplacing = true
    else if (option === 'DB' && at + 1 < options.length) target = databaseAt(session, options[++at] ?? '')
    else throw syntaxError()
  }
  if (target === session.db && from === to) throw new RedisError('ERR source and destination objects are the same')
  const value = session.db.get(from)
  if (value === undefined || (target.get(to) !== undefined && !isReplacing)) return 0
  session.engine.memory.take(memoryOf(from, value))
  target.replace(to, copyOfValue(value))
  target.setExpiry(to, session.db.expiresAt(from))
  target.changed(to, 'g', 'copy_to')
  return 1
}

function move(session: Session, [key = '', index = '']: readonly string[]): Result {
  const {db} = session
  if (integer(index) === db.index) throw new RedisError('ERR source and destination objects are the same')
  const target = databaseAt(session, index)
  if (target.get(key) !== undefined) return 0
  return transfer([db, key, 'move_from'], [target, key, 'move_to']) ? 1 : 0
}
