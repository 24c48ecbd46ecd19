import {readdir, readFile} from 'node:fs/promises'
import {descendantsOf, environmentOf} from './traces.ts'

/** What a run takes for itself: all processes of ours, the apps' not. */
export interface Usage {
  /** Proportional memory (PSS). */
  readonly megabytes: number
  readonly descriptors: number
  readonly processes: number
  /** Processes of apps; they are not counted in the rest. */
  readonly apps: number
}

/** The run's process and all below it that are no app's. */
export async function usageOf(pid: number): Promise<Usage> {
  const below = (await descendantsOf(pid)).map(trace => trace.pid)
  const markers = await Promise.all(
    below.map(async each => (await environmentOf(each)).some(entry => entry.startsWith('PILLION_LIFE=')))
  )
  const ours = [pid, ...below.filter((_, index) => !markers[index])]
  const sizes = await Promise.all(ours.map(proportionalBytes))
  const descriptors = await Promise.all(ours.map(descriptorsOf))
  return {
    megabytes: sum(sizes) / 1e6,
    descriptors: sum(descriptors),
    processes: ours.length,
    apps: markers.filter(Boolean).length
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** Of one that has ended meanwhile both are 0. */
async function proportionalBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid.toString()}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
}

const descriptorsOf = async (pid: number): Promise<number> =>
  (await readdir(`/proc/${pid.toString()}/fd`).catch(() => [])).length
