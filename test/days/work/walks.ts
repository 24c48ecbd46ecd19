import {Random} from '../../fuzz/random.ts'
import type {WalkKind, WalkStep} from '../walks.ts'
import {NotNow} from './step.ts'
import {KINDS, workWalk} from './steps.ts'
import {isOfEnd} from './disk.ts'
import {WorkWorld} from './world.ts'

/** A crash at a write of the first run. */
export interface CrashAt {
  readonly write: number
  readonly isAfter: boolean
}

/** Makes the steps of a walk; what was wrong. `crash`: at a write of the first run, counted from its beginning. */
export async function walkWork(
  seed: number,
  steps: readonly WalkStep[],
  tally?: Map<string, number>,
  crash?: CrashAt
): Promise<{readonly faults: readonly string[]; readonly writes: number}> {
  const world = new WorkWorld(seed)
  const {disk} = world.run
  if (crash !== undefined) {
    disk.crashAt = crash.write
    disk.isAfter = crash.isAfter
  }
  try {
    for (const step of steps) {
      const [, act] = KINDS[step.kind] ?? [0, () => undefined]
      const isMade = await made(async () => act(world, new Random(step.kind, step.a, step.b)))
      if (isMade) tally?.set(step.kind, (tally.get(step.kind) ?? 0) + 1)
      if (!step.isHurried) {
        await world.settle()
        await world.checkRest()
      }
      if (world.faults.length > 0) break
    }
    if (world.faults.length === 0) await world.drain()
  } catch (error) {
    world.watch.fault(`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
  }
  const {writes} = disk
  world.close()
  return {faults: world.faults, writes}
}

/** A step that is made while its run ends is none. */
async function made(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (error instanceof NotNow || isOfEnd(error)) return false
    throw error
  }
}

/** What kind of failure it is, whatever it names. */
const sortOf = ([fault = '']: readonly string[]): string =>
  fault.replaceAll(/'[^']*'|\{.*|[\da-f]{8}-[\da-f-]+|\S*\d+\S*|\b[abc]\b/g, '_')

/** With `crashes` each write of the first run of each seed is once the last one before a crash. */
export const workWalks = (crashes: boolean): WalkKind => ({
  flag: 'work',
  kinds: KINDS,
  invented: workWalk,
  walk: async (seed, steps, tally) => {
    const {faults, writes} = await walkWork(seed, steps, tally)
    const points = crashes && tally !== undefined && faults.length === 0 ? writes : 0
    for (let write = 1; write <= points; write++)
      for (const isAfter of [false, true]) {
        const crashed = await walkWork(seed, steps, tally, {write, isAfter})
        if (crashed.faults.length > 0)
          return {faults: crashed.faults, at: ` (a crash ${isAfter ? 'after' : 'before'} write ${write})`}
      }
    return {faults}
  },
  sortOf
})
