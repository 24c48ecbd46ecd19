import {Random} from '../../fuzz/random.ts'
import {shrink} from '../shrink.ts'
import {NotNow, type WorkStep} from './step.ts'
import {KINDS, workWalk} from './steps.ts'
import {isOfEnd} from './disk.ts'
import {WorkWorld} from './world.ts'

/** How often each kind of step was made. */
export type WorkTally = Map<string, number>

/** A crash at a write of the first run. */
export interface CrashAt {
  readonly write: number
  readonly isAfter: boolean
}

/** Makes the steps of a walk; what was wrong. `crash`: at a write of the first run, counted from its beginning. */
export async function walkWork(
  seed: number,
  steps: readonly WorkStep[],
  tally?: WorkTally,
  crash?: CrashAt
): Promise<{readonly faults: readonly string[]; readonly writes: number}> {
  const world = new WorkWorld(seed)
  const {disk} = world.runs[0]
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

/** Steps as text, which `workWalkIn` reads; after `…` the next one follows in the same instant. */
export const workText = (steps: readonly WorkStep[]): string =>
  steps.map(({kind, a, b, isHurried}) => `${kind} ${a} ${b}${isHurried ? ' …' : ''}`).join(', ')

export const workWalkIn = (text: string): readonly WorkStep[] =>
  text.split(', ').map(each => {
    const [, kind = '', a, b, hurry] = /^(.+) (\d+) (\d+)( …)?$/.exec(each) ?? []
    if (!(kind in KINDS)) throw new Error(`no step: ${each}`)
    return {kind, a: Number(a), b: Number(b), isHurried: hurry !== undefined}
  })

interface WorkWalks {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
  readonly walk?: string | undefined
  readonly tries: number
  readonly isFirst: boolean
  /** Of each seed each write of the first run is once the last one before a crash. */
  readonly crashes: boolean
}

/** Walks seeds one after the other, and prints what fails, shortened; false: something did. */
export async function walkWorks({
  seed: first,
  seeds,
  steps,
  walk,
  tries,
  isFirst,
  crashes
}: WorkWalks): Promise<boolean> {
  const tally: WorkTally = new Map()
  let failed = 0
  let crashed = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const whole = walk === undefined ? workWalk(seed, steps) : workWalkIn(walk)
    let {faults, writes} = await walkWork(seed, whole, tally)
    let crash: CrashAt | undefined
    const points = crashes ? writes : 0
    for (let write = 1; write <= points && faults.length === 0; write++)
      for (const isAfter of [false, true]) {
        crash = {write, isAfter}
        crashed++
        ;({faults} = await walkWork(seed, whole, tally, crash))
        if (faults.length > 0) break
      }
    if (faults.length === 0) continue
    failed++
    const sort = sortOf(faults)
    const fails = async (part: readonly WorkStep[]): Promise<boolean> =>
      sortOf((await walkWork(seed, part, undefined, faults.length > 0 ? crash : undefined)).faults) === sort
    const shortest = tries > 0 && crash === undefined ? await shrink(whole, fails, tries) : whole
    const at = crash === undefined ? '' : ` (a crash ${crash.isAfter ? 'after' : 'before'} write ${crash.write})`
    console.log(`seed ${seed}${at}: ${faults.join('; ')}`)
    console.log(`  ${shortest.length} steps: --work --seed ${seed} --walk '${workText(shortest)}'`)
    if (isFirst) break
  }
  console.log(`${seeds} seeds of ${steps} steps, ${failed} failed${crashes ? `; ${crashed} crashes` : ''}`)
  console.log(`made: ${[...tally].map(([kind, n]) => `${n} × ${kind}`).join(', ')}`)
  return failed === 0
}

/** What kind of failure it is, whatever it names. */
const sortOf = ([fault = '']: readonly string[]): string =>
  fault.replaceAll(/'[^']*'|\{.*|[\da-f]{8}-[\da-f-]+|\S*\d+\S*|\b[abc]\b/g, '_')
