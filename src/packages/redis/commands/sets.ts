import {reads, writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {Database} from '../engine/database.ts'
import {syntaxError} from '../engine/errors.ts'
import {countIn, integer} from '../engine/numbers.ts'
import type {Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {sample} from './hashes.ts'
import {memoryOf} from './object.ts'
import {scanned} from './scan.ts'

type Members = ReadonlySet<string>
/** Combines two sets. May change and return the first. */
type Combine = (first: Set<string>, other: Members) => Set<string>

const NONE: Members = new Set()
const UNION: Combine = (first, other) => {
  for (const member of other) first.add(member)
  return first
}
const INTERSECTION: Combine = (first, other) => new Set([...first].filter(member => other.has(member)))
const DIFFERENCE: Combine = (first, other) => new Set([...first].filter(member => !other.has(member)))

export const SETS: CommandTable = {
  sadd: writes(-3, ({db}, [key = '', ...members]) => add(db, key, members)),
  srem: writes(-3, ({db}, [key = '', ...members]) => remove(db, key, members, 'srem')),
  smembers: reads(2, ({db}, [key = '']) => db.members(key) ?? NONE),
  scard: reads(2, ({db}, [key = '']) => db.members(key)?.size ?? 0),
  sismember: reads(3, ({db}, [key = '', member = '']) => (db.members(key)?.has(member) === true ? 1 : 0)),
  smismember: reads(-3, ({db}, [key = '', ...members]) => {
    const set = db.members(key) ?? NONE
    return members.map(member => (set.has(member) ? 1 : 0))
  }),
  spop: writes(-2, popRandom),
  srandmember: reads(-2, ({db}, [key = '', count, ...rest]) => {
    if (rest.length > 0) throw syntaxError()
    const members = [...(db.members(key) ?? NONE)]
    return count === undefined ? (sample(members, 1)[0] ?? null) : sample(members, integer(count))
  }),
  smove: writes(
    4,
    ({db}, [from = '', to = '', member = '']) => {
      const source = db.members(from)
      if (source === undefined) return 0
      db.members(to)
      if (!source.has(member)) return 0
      if (from === to) return 1
      db.moved(from, to)
      remove(db, from, [member], 'srem')
      add(db, to, [member])
      return 1
    },
    [1, 2, 1]
  ),
  sunion: combines(UNION),
  sinter: combines(INTERSECTION),
  sdiff: combines(DIFFERENCE),
  sunionstore: stores(UNION, 'sunionstore'),
  sinterstore: stores(INTERSECTION, 'sinterstore'),
  sdiffstore: stores(DIFFERENCE, 'sdiffstore'),
  sscan: reads(-3, ({db}, [key = '', cursor = '', ...options]) => [
    '0',
    scanned([...(db.members(key) ?? NONE)], cursor, options)
  ])
}

function add(db: Database, key: string, members: readonly string[]): number {
  const set = db.members(key) ?? new Set<string>()
  const before = set.size
  for (const member of members) set.add(member)
  if (set.size === before) return 0
  db.put(key, set)
  db.changed(key, 's', 'sadd')
  return set.size - before
}

const remove = (db: Database, key: string, members: readonly string[], event: string): number =>
  db.deleteMembers(key, db.members(key), members, ['s', event])

function popRandom({db}: Session, [key = '', count, ...rest]: readonly string[]): Result {
  if (rest.length > 0) throw syntaxError()
  const wanted = count === undefined ? 1 : countIn(count)
  const chosen = sample([...(db.members(key) ?? NONE)], wanted)
  remove(db, key, chosen, 'spop')
  return count === undefined ? (chosen[0] ?? null) : new Set(chosen)
}

function combine({db}: Session, keys: readonly string[], how: Combine): Set<string> {
  const [first = NONE, ...others] = keys.map(key => db.members(key) ?? NONE)
  return others.reduce(how, new Set(first))
}

function combines(how: Combine): CommandDefinition {
  return reads(-2, (session, keys) => combine(session, keys, how), [1, -1, 1])
}

function stores(how: Combine, event: string): CommandDefinition {
  return writes(
    -3,
    (session, [key = '', ...keys]) => {
      const {db, engine} = session
      for (const each of keys) engine.memory.take(memoryOf(each, db.members(each) ?? ''))
      const set = combine(session, keys, how)
      if (set.size === 0) db.delete(key)
      else {
        db.replace(key, set)
        db.changed(key, 's', event)
      }
      return set.size
    },
    [1, -1, 1]
  )
}
