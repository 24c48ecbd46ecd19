import {keyless, reads, writes, type CommandTable} from '../engine/command.ts'
import {noSuchKey, syntaxError, unknownSubcommand, wrongArity} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {OK_STATUS, RedisError, Status, Verbatim, type Result} from '../engine/result.ts'
import type {Session} from '../engine/session.ts'
import {formatInfo} from './info.ts'
import {encodingOf, memoryOf} from './object.ts'

export const SERVER: CommandTable = {
  dbsize: keyless(1, ({db}) => [...db.keys()].length),
  flushdb: {...keyless(-1, ({db}, [mode]) => flush(mode, () => db.flush())), isWrite: true},
  flushall: {
    ...keyless(-1, ({engine}, [mode]) =>
      flush(mode, () => {
        for (const db of engine.databases) db.flush()
      })
    ),
    isWrite: true
  },
  info: keyless(-1, ({engine}, sections) => new Verbatim(formatInfo(engine, sections))),
  config: keyless(-2, config),
  time: keyless(1, () => {
    const now = Date.now()
    return [Math.trunc(now / 1000).toString(), ((now % 1000) * 1000).toString()]
  }),
  wait: keyless(3, (_, [replicas = '', timeout = '']) => {
    integer(replicas)
    integer(timeout)
    return 0
  }),
  role: keyless(1, () => ['master', 0, []]),
  lastsave: keyless(1, () => Math.trunc(Date.now() / 1000)),
  save: keyless(1, ({engine}) =>
    engine.save() ? OK_STATUS : new RedisError('ERR the file of keys cannot be written')
  ),
  bgsave: keyless(-1, () => new Status('Background saving started')),
  bgrewriteaof: keyless(1, () => new Status('Background append only file rewriting started')),
  cluster: keyless(-2, () => new RedisError('ERR This instance has cluster support disabled')),
  slowlog: keyless(-2, (_, [given = '']) =>
    given.toLowerCase() === 'len' ? 0 : given.toLowerCase() === 'get' ? [] : OK_STATUS
  ),
  latency: keyless(-2, (_, [given = '']) => (given.toLowerCase() === 'reset' ? 0 : [])),
  module: keyless(-2, (_, [given = '']) => {
    if (given.toLowerCase() !== 'list') throw unknownSubcommand('MODULE', given)
    return []
  }),
  memory: keyless(-2, memory),
  object: reads(-2, object, [2, 2, 1]),
  debug: keyless(-2, (session, [given = '', key = '']) => {
    if (given.toLowerCase() !== 'object') throw new RedisError(`ERR DEBUG ${given.toUpperCase()} is not supported here`)
    const value = session.db.get(key)
    if (value === undefined) throw noSuchKey()
    return new Status(
      `Value at:0x0 refcount:1 encoding:${encodingOf(value)} serializedlength:${memoryOf(key, value)} lru:0 lru_seconds_idle:0`
    )
  }),
  swapdb: writes(3, () => new RedisError('ERR SWAPDB is not supported here'), [0, 0, 0]),
  shutdown: keyless(
    -1,
    () => new RedisError('ERR SHUTDOWN is not supported here: stop the pillion that answers at this port')
  )
}

function flush(mode: string | undefined, run: () => void): Result {
  if (mode !== undefined && !['ASYNC', 'SYNC'].includes(mode.toUpperCase())) throw syntaxError()
  run()
  return OK_STATUS
}

function config({engine}: Session, [given = '', ...args]: readonly string[]): Result {
  switch (given.toLowerCase()) {
    case 'get':
      if (args.length === 0) throw wrongArity('config|get')
      return engine.configuration.get(args)
    case 'set': {
      if (args.length === 0 || args.length % 2 !== 0) throw wrongArity('config|set')
      engine.configuration.set(
        Array.from({length: args.length / 2}, (_, at) => [args[2 * at] ?? '', args[2 * at + 1] ?? ''])
      )
      return OK_STATUS
    }
    case 'resetstat':
      return OK_STATUS
    case 'rewrite':
      throw new RedisError('ERR The server is running without a config file')
    default:
      throw unknownSubcommand('CONFIG', given)
  }
}

function memory({db}: Session, [given = '', key = '']: readonly string[]): Result {
  switch (given.toLowerCase()) {
    case 'usage': {
      const value = db.get(key)
      return value === undefined ? null : memoryOf(key, value)
    }
    case 'doctor':
      return new Verbatim('No memory issue is known here.\n')
    case 'purge':
      return OK_STATUS
    case 'stats':
      return new Map<string, Result>([['total.allocated', process.memoryUsage.rss()]])
    default:
      throw unknownSubcommand('MEMORY', given)
  }
}

function object({db}: Session, [given = '', key = '']: readonly string[]): Result {
  const subcommand = given.toLowerCase()
  if (!['encoding', 'refcount', 'idletime', 'freq'].includes(subcommand)) throw unknownSubcommand('OBJECT', given)
  const value = db.get(key)
  if (value === undefined) return null
  if (subcommand === 'encoding') return encodingOf(value)
  if (subcommand === 'freq')
    throw new RedisError(
      'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'
    )
  return subcommand === 'refcount' ? 1 : 0
}
