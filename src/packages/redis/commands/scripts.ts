import {createHash} from 'node:crypto'
import {containing, keyless, type CommandTable} from '../engine/command.ts'
import {integer, addInt64, int64} from '../engine/numbers.ts'
import {OK_STATUS, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {DELETE_SCRIPT, SAVE_SCRIPT, UNLOCK_SCRIPT} from '../dapr-scripts.ts'
import type {Database} from '../engine/database.ts'
import {notInHash} from '../engine/errors.ts'

/** A script that was loaded or run. */
interface Script {
  readonly program: ScriptProgram
  readonly sha: string
  /** Line of its `error(…)` call, which Redis names; 0 without one. */
  readonly errorLine: number
}

const byText = new Map<string, Script>()
const bySha = new Map<string, Script>()

/** EVAL without Lua: recognizes scripts by their effects (`known-scripts.ts`), and refuses others. */
export const SCRIPT_COMMANDS: CommandTable = {
  eval: {
    ...keyless(-3, (session, [text = '', ...args]) => {
      const given = keysAndArguments(args)
      return run(session, load(text), given)
    }),
    grows: ([, text = '']) => SAVING.has(byText.get(text)?.program ?? programOf(text))
  },
  evalsha: {
    ...keyless(-3, (session, [sha = '', ...args]) => {
      const script = bySha.get(sha.toLowerCase())
      if (script === undefined) throw new RedisError('NOSCRIPT No matching script. Please use EVAL.')
      return run(session, script, keysAndArguments(args))
    }),
    grows: ([, sha = '']) => SAVING.has(bySha.get(sha.toLowerCase())?.program)
  },
  script: containing({
    load: keyless(3, (_, [text = '']) => load(text).sha),
    exists: keyless(-3, (_, shas) => shas.map(sha => (bySha.has(sha.toLowerCase()) ? 1 : 0))),
    flush: keyless(-2, () => {
      byText.clear()
      bySha.clear()
      return OK_STATUS
    })
  })
}

function load(text: string): Script {
  const known = byText.get(text)
  if (known !== undefined) return known
  const program = programOf(text)
  if (program === undefined)
    throw new RedisError(
      "ERR this script cannot run here: Pillion's built-in Redis has no Lua, it knows only the scripts of Dapr's components. Run a redis-server for others"
    )
  const sha = createHash('sha1').update(text, 'latin1').digest('hex')
  const at = text.indexOf('error(')
  const errorLine = at === -1 ? 0 : text.slice(0, at).split('\n').length
  const script = {program, sha, errorLine}
  byText.set(text, script)
  bySha.set(sha, script)
  return script
}

type Given = readonly [key: string, args: readonly string[]]

function keysAndArguments([count = '', ...args]: readonly string[]): Given {
  const keys = integer(count)
  if (keys > args.length) throw new RedisError("ERR Number of keys can't be greater than number of args")
  if (keys < 0) throw new RedisError("ERR Number of keys can't be negative")
  return [args[0] ?? '', args.slice(keys)]
}

function run({db}: Session, {program, sha, errorLine}: Script, [key, args]: Given): Result {
  const result = program(db, key, args)
  if (typeof result !== 'string') return result
  if (errorLine === 0) throw new RedisError(`ERR ${result}`)
  const line = errorLine.toString()
  throw new RedisError(`ERR user_script:${line}: ${result} script: ${sha}, on @user_script:${line}.`)
}

/** The effect of a script on its first key; a string is the text of an error that it raises. */
type ScriptProgram = (db: Database, key: string, args: readonly string[]) => number | string

/** Saves a state item as Dapr's state.redis does: only if its version is the given etag. Etag `0` means none. */
const save: ScriptProgram = (db, key, [etag = '', data = '', isFirstWrite]) => {
  let hash = hashOrNone(db, key)
  const version = hash?.get('version') ?? ''
  const isFree = version === '' || version === etag || (etag === '0' && hash?.has('first-write') !== true)
  if (!isFree) return `failed to set key ${key}`
  if (hash === undefined) db.delete(key)
  hash ??= new Map()
  db.put(key, hash.set('data', data))
  db.changed(key, 'h', 'hset')
  if (isFirstWrite === '0') {
    hash.set('first-write', '0')
    db.changed(key, 'h', 'hset')
  }
  const next = addInt64(int64(hash.get('version') ?? '0', notInHash), 1n)
  hash.set('version', next.toString())
  db.changed(key, 'h', 'hincrby')
  return Number(next)
}

/** As `save`, except that an ordinary save may follow a first write, and a first write without an etag may create the item. */
const saveFreely: ScriptProgram = (db, key, args) => {
  const [etag = '', , isFirstWrite] = args
  if (etag !== '0') return save(db, key, args)
  const version = hashOrNone(db, key)?.get('version') ?? ''
  if (isFirstWrite === '0' && version !== '') return `failed to set key ${key}`
  return save(db, key, [version || '0', ...args.slice(1)])
}

/** Deletes a state item, only if its version is the given etag. */
const remove: ScriptProgram = (db, key, [etag = '']) => {
  const version = hashOrNone(db, key)?.get('version') ?? ''
  if (version !== '' && version !== etag && etag !== '0') return `failed to delete ${key}`
  return db.delete(key) ? 1 : 0
}

/** Deletes a lock; -1: no lock; -2: another owner's. */
const unlock: ScriptProgram = (db, key, [owner]) => {
  const value = db.string(key)
  if (value === undefined) return -1
  return value === owner ? Number(db.delete(key)) : -2
}

/** Deletes a lock; 0: none, or another owner's. The usual script of Redis' documentation. */
const unlockPlainly: ScriptProgram = (db, key, [owner]) => (db.string(key) === owner ? Number(db.delete(key)) : 0)

function hashOrNone(db: Database, key: string): Map<string, string> | undefined {
  const value = db.get(key)
  return value instanceof Map ? value : undefined
}

/** Effects of other programs' scripts, by the SHA-1 of the text that `normalize` returns. */
const FOREIGN: ReadonlyMap<string, ScriptProgram> = new Map([
  ['26718588df3dc0ae0d433263d4bbb0078b13223c', save], // Dapr 1.8 and later (others in between differ only in names)
  ['b4d5a4835a69f15e40e1798d878b1e8440bac9e6', save], // Dapr 1.0: without `first-write`, which could not be set then
  ['77f2b6d3b9b2a2b5947684d558410faf0969023f', remove], // all versions of Dapr
  ['e018aae330c282eba10f9908d0615128596564d2', unlock], // all versions of Dapr
  ['c0c707c4bec016dafd187acc09028350cd8b3f6d', unlockPlainly], // the script for locks in the documentation of Redis
  ['912441b4aad949bb531c064a33f9c12eab73d70b', unlockPlainly] // a lock of redis-py
])

/** Programs that may make keys grow. */
const SAVING: ReadonlySet<ScriptProgram | undefined> = new Set([save, saveFreely])

const OWN: ReadonlyMap<string, ScriptProgram> = new Map([
  [SAVE_SCRIPT, saveFreely],
  [DELETE_SCRIPT, remove],
  [UNLOCK_SCRIPT, unlock]
])

/** Returns the effect of a script, if it is known. */
export const programOf = (text: string): ScriptProgram | undefined =>
  OWN.get(text) ?? FOREIGN.get(createHash('sha1').update(normalize(text)).digest('hex'))

/** Removes parts without meaning from a script: comments, spaces, semicolons, capitals, quotes, and names of locals. */
function normalize(text: string): string {
  if (text.length > 4096) return ''
  const names: string[] = []
  return text
    .replaceAll(/--.*/g, ' ')
    .replaceAll("'", '"')
    .replaceAll(/\blocal\s+(\w+)\s*=/g, (_, name: string) => {
      names.push(name)
      return ` ${name}=`
    })
    .replaceAll(/"[^"]*"|\w+/g, word => {
      const at = names.indexOf(word)
      return at === -1 ? word.toLowerCase() : String.fromCharCode(97 + at)
    })
    .replaceAll(/("[^"]*")|\s*;\s*|\s+/g, (_, quoted: string | undefined) => quoted ?? ' ')
    .replaceAll(/("[^"]*")| ?([^\w\s"]|$|^) ?/g, (_, quoted: string | undefined, sign: string) => quoted ?? sign)
    .replaceAll(/" (?=\w)/g, '"')
    .trim()
}
