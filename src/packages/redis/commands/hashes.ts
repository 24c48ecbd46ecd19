import {reads, writes, type CommandTable} from '../engine/command.ts'
import type {Database} from '../engine/database.ts'
import {notFloatInHash, notInHash, syntaxError, wrongArity} from '../engine/errors.ts'
import {addFloating, addInt64, floating, int64, integer} from '../engine/numbers.ts'
import {OK_STATUS, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {scanned} from './scan.ts'

const NONE: ReadonlyMap<string, string> = new Map()

export const HASHES: CommandTable = {
  hset: writes(-4, ({db}, args) => setFields(db, args, 'hset')),
  hmset: writes(-4, ({db}, args) => {
    setFields(db, args, 'hmset')
    return OK_STATUS
  }),
  hsetnx: writes(4, ({db}, [key = '', field = '', value = '']) =>
    db.hash(key)?.has(field) === true ? 0 : setFields(db, [key, field, value], 'hsetnx')
  ),
  hget: reads(3, ({db}, [key = '', field = '']) => db.hash(key)?.get(field) ?? null),
  hmget: reads(-3, ({db}, [key = '', ...fields]) => {
    const hash = db.hash(key) ?? NONE
    return fields.map(field => hash.get(field) ?? null)
  }),
  hgetall: reads(2, ({db}, [key = '']) => db.hash(key) ?? NONE),
  hdel: writes(-3, ({db}, [key = '', ...fields]) => db.deleteMembers(key, db.hash(key), fields, ['h', 'hdel'])),
  hlen: reads(2, ({db}, [key = '']) => db.hash(key)?.size ?? 0),
  hexists: reads(3, ({db}, [key = '', field = '']) => (db.hash(key)?.has(field) === true ? 1 : 0)),
  hkeys: reads(2, ({db}, [key = '']) => [...(db.hash(key) ?? NONE).keys()]),
  hvals: reads(2, ({db}, [key = '']) => [...(db.hash(key) ?? NONE).values()]),
  hstrlen: reads(3, ({db}, [key = '', field = '']) => db.hash(key)?.get(field)?.length ?? 0),
  hincrby: writes(4, increase),
  hincrbyfloat: writes(4, increaseFloat),
  hrandfield: reads(-2, randomFields),
  hscan: reads(-3, ({db}, [key = '', cursor = '', ...options]) => {
    const found = scanned([...(db.hash(key) ?? NONE).keys()], cursor, options)
    return ['0', found.flatMap(field => [field, db.hash(key)?.get(field) ?? ''])]
  })
}

/** Sets fields, and returns how many are new. */
function setFields(db: Database, [key = '', ...args]: readonly string[], command: string): number {
  if (args.length % 2 !== 0) throw wrongArity(command)
  const hash = db.hash(key) ?? new Map<string, string>()
  const before = hash.size
  for (let at = 0; at < args.length; at += 2) hash.set(args[at] ?? '', args[at + 1] ?? '')
  db.put(key, hash)
  db.changed(key, 'h', 'hset')
  return hash.size - before
}

function increase({db}: Session, [key = '', field = '', by = '']: readonly string[]): Result {
  const amount = int64(by)
  return BigInt(change(db, [key, field, 'hincrby'], old => addInt64(int64(old, notInHash), amount).toString()))
}

function increaseFloat({db}: Session, [key = '', field = '', by = '']: readonly string[]): Result {
  floating(by) // a wrong argument is reported before a wrong value of the field
  return change(db, [key, field, 'hincrbyfloat'], old => addFloating(old, by, notFloatInHash))
}

function change(
  db: Database,
  [key, field, event]: readonly [string, string, string],
  by: (old: string) => string
): string {
  const hash = db.hash(key) ?? new Map<string, string>()
  const value = by(hash.get(field) ?? '0')
  hash.set(field, value)
  db.put(key, hash)
  db.changed(key, 'h', event)
  return value
}

function randomFields({db, protocol}: Session, [key = '', count, option, ...rest]: readonly string[]): Result {
  const hash = db.hash(key) ?? NONE
  const fields = [...hash.keys()]
  if (count === undefined) return sample(fields, 1)[0] ?? null
  const wanted = integer(count)
  if (rest.length > 0 || (option !== undefined && option.toUpperCase() !== 'WITHVALUES')) throw syntaxError()
  const chosen = sample(fields, wanted)
  if (option === undefined) return chosen
  const found = chosen.map(field => [field, hash.get(field) ?? ''])
  return protocol === 3 ? found : found.flat()
}

/** Returns `count` different elements; for a negative `count` its absolute number of elements, possibly repeated. */
export function sample(all: readonly string[], count: number): readonly string[] {
  if (all.length === 0) return []
  if (count < 0)
    return Array.from({length: Math.min(-count, 1_000_000)}, () => all[Math.trunc(Math.random() * all.length)] ?? '')
  const rest = [...all]
  for (let at = 0; at < Math.min(count, rest.length); at++) {
    const other = at + Math.trunc(Math.random() * (rest.length - at))
    const [here = '', there = ''] = [rest[at], rest[other]]
    rest[at] = there
    rest[other] = here
  }
  return rest.slice(0, count)
}
