import {VERSION} from '../../../model/version.ts'
import type {CommandEngine} from '../engine/session.ts'

/** The version of Redis whose commands and answers these are. */
export const REDIS_VERSION = '7.0.15'

type Section = (engine: CommandEngine) => Readonly<Record<string, string | number>>

const SECTIONS: Readonly<Record<string, Section>> = {
  Server: ({port, space, runId, startedAt}) => ({
    redis_version: REDIS_VERSION,
    redis_mode: 'standalone',
    pillion_version: VERSION,
    ...(space !== '' && {pillion_space: space}),
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
export function formatInfo(engine: CommandEngine, wanted: readonly string[]): string {
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
