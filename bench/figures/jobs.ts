import {beginFile, countingRun, writeJobs, type CountingRun} from '../../test/rig/many-jobs.ts'
import {residentMegabytes} from '../../test/rig/usage.ts'
import {inRounds, type Figure} from '../figure.ts'
import {freePorts, withRig} from '../tools.ts'

const WAITING = 100_000
const DAY_MS = 86_400_000
/** So long a run has to start, before jobs fall due. */
const AHEAD_MS = 6000

/** Jobs of an app that answers at once: how late the last one of many comes, and what those cost that wait. */
export const jobs: Figure = {
  name: 'jobs',
  needs: [],
  measure: async ({rounds}) => {
    const row = {peer: [], peerName: ''} as const
    const spread = await inRounds(rounds, async () => lateness(2000, n => n / 2))
    const burst = await inRounds(rounds, async () => lateness(10_000, () => 0))
    const {megabytes, startMs} = await waiting()
    return [
      {...row, name: 'jobs: 2,000 in one second, last', unit: 'ms', ours: spread},
      {...row, name: 'jobs: 10,000 at once, last', unit: 'ms', ours: burst},
      {...row, name: 'jobs: 100,000, memory', unit: 'MB', ours: [megabytes]},
      {...row, name: 'jobs: 100,000, start', unit: 'ms', ours: [startMs]}
    ]
  }
}

/** How many ms after its time the last one comes; `at`: each job's time, in ms from the first. */
async function lateness(count: number, at: (index: number) => number): Promise<number> {
  return withRig(async rig => {
    const [appPort = 0] = await freePorts(1)
    await beginFile(rig, appPort)
    const begin = Math.ceil(Date.now() / 1000) * 1000 + AHEAD_MS
    await writeJobs(rig, count, n => begin + Math.floor(at(n)))
    const run = await countingRun(rig, appPort)
    if (Date.now() >= begin) throw new Error('the run has started too late')
    const told = await run.ticked(count)
    if (told.count !== count || told.names !== count) throw new Error(`${told.count} ticks of ${told.names} jobs`)
    await run.end()
    return told.last - begin - at(count - 1)
  })
}

/** The first one at once, the others tomorrow. */
const soon = (n: number): number => (n === 0 ? Date.now() : Date.now() + DAY_MS + n)

/** What jobs that wait take, and how much later the first tick comes after a start that finds them. */
async function waiting(): Promise<{readonly megabytes: number; readonly startMs: number}> {
  return withRig(async rig => {
    const [appPort = 0] = await freePorts(1)
    await beginFile(rig, appPort)
    await writeJobs(rig, 1, soon)
    const plain = await firstTick(async () => countingRun(rig, appPort))
    await writeJobs(rig, WAITING, soon)
    const many = await firstTick(async () => countingRun(rig, appPort))
    return {megabytes: many.megabytes - plain.megabytes, startMs: many.ms - plain.ms}
  })
}

async function firstTick(
  start: () => Promise<CountingRun>
): Promise<{readonly ms: number; readonly megabytes: number}> {
  const from = Date.now()
  const run = await start()
  const {first} = await run.ticked(1)
  const megabytes = await residentMegabytes(run.program.pid)
  await run.end()
  return {ms: first - from, megabytes}
}
