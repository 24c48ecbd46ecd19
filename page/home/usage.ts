import {effect, signal} from '@preact/signals'
import {api} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {connection, isPaused} from '../state/run.ts'

/** The memory and CPU use of the processes of an app. */
export interface Usage {
  readonly memoryBytes: number
  /** The CPU use since the measurement before, in percent of a core; undefined at the first measurement of a process. */
  readonly cpu: number | undefined
}

const EVERY_MS = 5000

/** The usage by the pid of the app; updated only between `followUsage` and its end. */
export const usage = signal<ReadonlyMap<number, Usage>>(new Map())

interface Sample {
  readonly at: number
  readonly cpuMs: ReadonlyMap<number, number>
}

/** Keeps the usage up to date until the returned function is called. */
export function followUsage(): () => void {
  const gone = new AbortController()
  let [isAsking, nextAt] = [false, 0]
  let before: Sample | undefined
  const look = async (): Promise<void> => {
    const {at, groups} = await api.ask('GET /usage', {signal: gone.signal})
    const sample = {at: Date.parse(at), cpuMs: new Map(groups.map(({pid, cpuMs}) => [pid, cpuMs]))}
    const since = before
    usage.value = new Map(
      groups.map(({pid, memoryBytes, cpuMs}) => {
        const earlier = since?.cpuMs.get(pid)
        const ms = sample.at - (since?.at ?? sample.at)
        const cpu = earlier === undefined || ms <= 0 ? undefined : (100 * Math.max(0, cpuMs - earlier)) / ms
        return [pid, {memoryBytes, cpu}]
      })
    )
    // the second measurement comes soon after the first, because CPU use needs two
    nextAt = performance.now() + (before === undefined ? 1000 : EVERY_MS)
    before = sample
  }
  const stop = effect(() => {
    void now.value // looks each second; the clock itself may be set back
    if (performance.now() < nextAt || isAsking || isPaused.value || connection.value.state !== 'open') return
    isAsking = true
    look()
      .catch(() => (nextAt = performance.now() + EVERY_MS))
      .finally(() => (isAsking = false))
  })
  return () => {
    gone.abort()
    stop()
  }
}
