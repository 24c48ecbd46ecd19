import {readdirSync, readFileSync} from 'node:fs'
import type {MetricsRegistry} from './registry.ts'

const startedAt = Date.now() / 1000 - process.uptime()

/** Gauges and counters of our process, which all sidecars share. Returns a function that updates them before each export. */
export function registerProcess(registry: MetricsRegistry): () => void {
  const cpu = registry.counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', [])
  const start = registry.gauge(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    []
  )
  const memory = registry.gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', [])
  const virtual = registry.gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.', [])
  const open = registry.gauge('process_open_fds', 'Number of open file descriptors.', [])
  const max = registry.gauge('process_max_fds', 'Maximum number of open file descriptors.', [])
  return () => {
    const {user, system} = process.cpuUsage()
    cpu.series().value = (user + system) / 1e6
    start.series().value = startedAt
    memory.series().value = process.memoryUsage.rss()
    // only available on Linux
    const fromLinux = readLinux()
    if (fromLinux === undefined) return
    virtual.series().value = fromLinux.virtualBytes
    open.series().value = fromLinux.openFiles
    max.series().value = fromLinux.maxFiles
  }
}

function readLinux(): {virtualBytes: number; openFiles: number; maxFiles: number} | undefined {
  try {
    const [pages = ''] = readFileSync('/proc/self/statm', 'utf8').split(' ')
    const [, limit = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return {
      virtualBytes: Number(pages) * 4096,
      openFiles: readdirSync('/proc/self/fd').length,
      maxFiles: limit === 'unlimited' ? Infinity : Number(limit)
    }
  } catch {
    return undefined
  }
}
