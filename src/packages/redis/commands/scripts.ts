import {createHash} from 'node:crypto'
import {containing, keyless, type CommandTable} from '../engine/command.ts'
import {integer} from '../engine/numbers.ts'
import {OK_STATUS, RedisError, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {programOf, SAVING, type ScriptProgram} from './known-scripts.ts'

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
