/** What a walk has found; empty: all was as it must be. */
export interface SeedWalk {
  readonly faults: readonly string[]
  /** What was done, in its order. */
  readonly steps: readonly string[]
}

/** Which walks to make. */
export interface Seeds {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
}

/** The longest time of one walk in ms: one that waits for what never comes is a finding. */
const LIMIT_MS = 60_000

/** Awaits a walk; its end within the limit is a part of what must be. */
async function walked(walk: Promise<SeedWalk>): Promise<SeedWalk> {
  const {promise: late, resolve} = Promise.withResolvers<SeedWalk>()
  const timer = setTimeout(resolve, LIMIT_MS, {faults: [`it does not end within ${LIMIT_MS / 1000} s`], steps: []})
  return Promise.race([walk, late]).finally(() => clearTimeout(timer))
}

/** Walks of these seeds, one after the other; what is not as it must be is printed with what was done. */
export async function walkSeeds(
  {seed: first, seeds, steps}: Seeds,
  name: string,
  walk: (one: {readonly seed: number; readonly steps: number}) => Promise<SeedWalk>
): Promise<void> {
  for (let seed = first; seed < first + seeds; seed++) {
    const {faults, steps: done} = await walked(walk({seed, steps}))
    const isRight = faults.length === 0
    console.log(`${name} walk ${seed}, ${steps} steps: ${isRight ? 'as it must be' : 'not as it must be'}`)
    if (isRight) continue
    process.exitCode = 1
    console.log(`${done.join('\n')}\n${faults.map(fault => `✗ ${fault}`).join('\n')}\n`)
  }
}
