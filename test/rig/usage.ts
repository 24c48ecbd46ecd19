import {readdir, readFile} from 'node:fs/promises'
import {descendantsOf, environmentOf} from './traces.ts'

/** What a run takes for itself: all processes of ours, the apps' not. */
export interface Usage {
  /** Proportional memory (PSS). */
  readonly megabytes: number
  /** Memory that no other process has a part in, in MB: what starts and ends beside the run does not move it, as it moves PSS. */
  readonly unsharedMegabytes: number
  readonly descriptors: number
  readonly processes: number
  /** Processes of apps; they are not counted in the rest. */
  readonly apps: number
}

/** The run's process and all below it that are no app's. */
export async function usageOf(pid: number): Promise<Usage> {
  const {ours, apps} = await processesOf(pid)
  const sizes = await Promise.all(ours.map(async each => sizeOf(each, 'Pss')))
  const unshared = await Promise.all(ours.map(async each => sizeOf(each, 'Private_(?:Clean|Dirty)')))
  const descriptors = await Promise.all(ours.map(descriptorsOf))
  return {
    megabytes: sum(sizes) / 1e6,
    unsharedMegabytes: sum(unshared) / 1e6,
    descriptors: sum(descriptors),
    processes: ours.length,
    apps
  }
}

/** Resident memory of the same processes, in MB: what they take where nobody else runs the same programs. */
export async function residentMegabytes(pid: number): Promise<number> {
  const {ours} = await processesOf(pid)
  return sum(await Promise.all(ours.map(async each => sizeOf(each, 'Rss')))) / 1e6
}

/** Processor time of one process so far, in ms: Linux counts hundredths of a second (proc(5)). */
export async function cpuOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  return sum(text.slice(text.lastIndexOf(')')).split(' ').slice(12, 14).map(Number)) * 10
}

async function processesOf(pid: number): Promise<{readonly ours: readonly number[]; readonly apps: number}> {
  const below = descendantsOf(pid).map(trace => trace.pid)
  const markers = below.map(each => environmentOf(each).some(entry => entry.startsWith('PILLION_LIFE=')))
  return {ours: [pid, ...below.filter((_, index) => !markers[index])], apps: markers.filter(Boolean).length}
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** In bytes, the sum of the rows of that name (proc(5)); 0 of one that has ended meanwhile. */
async function sizeOf(pid: number, rows: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return sum([...text.matchAll(new RegExp(`^${rows}: +(\\d+) kB$`, 'gm'))].map(([, size]) => Number(size))) * 1024
}

const descriptorsOf = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`).catch(() => [])).length
