import {VERSION} from '../../../model/version.ts'
import {containing, keyless, writes, type CommandDefinition, type CommandTable} from '../engine/command.ts'
import type {Database} from '../engine/database.ts'
import {syntaxError, wrongArity} from '../engine/errors.ts'
import {integer} from '../engine/numbers.ts'
import {bytesOf, OK_STATUS, textPairs, RedisError, Status, Verbatim} from '../engine/result.ts'
import type {CommandEngine, RunCommand, Session} from '../engine/session.ts'
import {encodingOf, memoryOf} from './object.ts'

export const SERVER: CommandTable = {
  dbsize: keyless(1, ({db}) => [...db.keys()].length),
  flushdb: flushes(({db}) => [db]),
  flushall: flushes(({engine}) => engine.databases),
  info: keyless(-1, ({engine}, sections) => new Verbatim(formatInfo(engine, sections))),
  config: containing({
    get: keyless(-3, ({engine}, patterns) => engine.configuration.get(patterns)),
    set: keyless(-4, ({engine}, args) => {
      if (args.length % 2 !== 0) throw wrongArity('config|set')
      engine.configuration.set(textPairs(args))
      return OK_STATUS
    }),
    resetstat: keyless(2, () => OK_STATUS),
    rewrite: keyless(2, () => new RedisError('ERR The server is running without a config file'))
  }),
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
  module: containing({list: keyless(2, () => [])}),
  memory: containing({
    usage: keyless(-3, ({db}, [key = '']) => {
      const value = db.get(key)
      return value === undefined ? null : memoryOf(key, value)
    })
  }),
  object: containing(
    {
      encoding: keyless(3, ({db}, [key = '']) => {
        const value = db.get(key)
        return value === undefined ? null : encodingOf(value)
      })
    },
    [2, 2, 1]
  ),
  shutdown: keyless(
    -1,
    () => new RedisError('ERR SHUTDOWN is not supported here: stop the pillion that answers at this port')
  )
}

function flushes(databasesOf: (session: Session) => readonly Database[]): CommandDefinition {
  const run: RunCommand = (session, [mode]) => {
    if (mode !== undefined && !['ASYNC', 'SYNC'].includes(mode.toUpperCase())) throw syntaxError()
    for (const db of databasesOf(session)) db.flush()
    return OK_STATUS
  }
  return writes(-1, run, [0, 0, 0])
}

/** The version of Redis whose commands and answers these are. */
export const REDIS_VERSION = '7.0.15'

type Section = (engine: CommandEngine) => Readonly<Record<string, string | number>>

const SECTIONS: Readonly<Record<string, Section>> = {
  Server: ({port, space, runId, startedAt}) => ({
    redis_version: REDIS_VERSION,
    redis_mode: 'standalone',
    pillion_version: VERSION,
    ...(space !== '' && {pillion_space: bytesOf(space)}),
    os: `${process.platform} ${process.arch}`,
    arch_bits: 64,
    process_id: process.pid,
    run_id: runId,
    tcp_port: port,
    uptime_in_seconds: Math.trunc((Date.now() - startedAt) / 1000),
    uptime_in_days: Math.trunc((Date.now() - startedAt) / 86_400_000)
  }),
  Clients: ({sessions}) => ({
    connected_clients: [...sessions].filter(({address}) => address !== '').length,
    maxclients: 10_000,
    blocked_clients: [...sessions].filter(({cancelWait}) => cancelWait !== undefined).length
  }),
  Memory: () => {
    const {heapUsed, rss} = process.memoryUsage()
    return {used_memory: heapUsed, used_memory_rss: rss, maxmemory: 0, maxmemory_policy: 'noeviction'}
  },
  Persistence: () => ({loading: 0, rdb_bgsave_in_progress: 0, aof_enabled: 0}),
  Stats: ({channels, commandsRun}) => ({
    total_commands_processed: commandsRun,
    pubsub_channels: channels.names.length,
    pubsub_patterns: channels.patternCount
  }),
  Replication: () => ({role: 'master', connected_slaves: 0, master_repl_offset: 0}),
  CPU: () => {
    const {user, system} = process.cpuUsage()
    return {used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6)}
  },
  Modules: () => ({}),
  Errorstats: () => ({}),
  Cluster: () => ({cluster_enabled: 0}),
  Keyspace: ({databases}) =>
    Object.fromEntries(
      databases
        .filter(({size}) => size > 0)
        .map(({index, size, expiries}) => [`db${index}`, `keys=${size},expires=${expiries.size},avg_ttl=0`])
    )
}

const ALL = new Set(['default', 'all', 'everything'])

/** INFO: the sections that are named, or all. */
function formatInfo(engine: CommandEngine, wanted: readonly string[]): string {
  const names = new Set(wanted.map(name => name.toLowerCase()))
  const hasAll = names.size === 0 || [...ALL].some(name => names.has(name))
  return Object.entries(SECTIONS)
    .filter(([name]) => hasAll || names.has(name.toLowerCase()))
    .map(([name, section]) => {
      const lines = Object.entries(section(engine)).map(([key, value]) => `${key}:${value}\r\n`)
      return `# ${name}\r\n${lines.join('')}`
    })
    .join('\r\n')
}
