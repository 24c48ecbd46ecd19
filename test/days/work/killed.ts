import {workWalk} from './steps.ts'
import {walkWork} from './walks.ts'

const SEED = 5

/** Walks once for each of these writes, before and after which the run is killed; what was not as it must be. */
export async function killedAt(isWanted: (write: number) => boolean): Promise<readonly string[]> {
  const walk = workWalk(SEED, 20)
  const {writes} = await walkWork(SEED, walk)
  const found: string[] = []
  for (let write = 1; write <= Math.min(writes, 60); write++)
    for (const isAfter of isWanted(write) ? [false, true] : []) {
      const {faults} = await walkWork(SEED, walk, undefined, {write, isAfter})
      if (faults.length > 0) found.push(`killed ${isAfter ? 'after' : 'before'} write ${write}: ${faults.join('; ')}`)
    }
  return found
}
