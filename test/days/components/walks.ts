import {walkComponents} from './walk.ts'

/** Walks of these seeds, one after the other; what is not as it must be is printed with what was done. */
export async function walkAllComponents({
  seed: first,
  seeds,
  steps
}: {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
}): Promise<void> {
  for (let seed = first; seed < first + seeds; seed++) {
    const {faults, steps: done} = await walkComponents({seed, steps})
    console.log(`seed ${seed}, ${steps} steps: ${faults.length === 0 ? 'as it must be' : 'not as it must be'}`)
    if (faults.length === 0) continue
    process.exitCode = 1
    console.log(`${done.join('\n')}\n${faults.map(fault => `✗ ${fault}`).join('\n')}\n`)
  }
}
