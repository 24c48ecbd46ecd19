import {walkNumbers} from './numbers.ts'

/** Walks seeds one after the other, and prints what is not as it must be; false: something was not. */
export async function walkAllCopies({
  seed: first,
  seeds,
  steps,
  isFirst
}: {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
  readonly isFirst: boolean
}): Promise<boolean> {
  let failed = 0
  for (let seed = first; seed < first + seeds; seed++) {
    // what fails once fails with its first steps, too: these are the walk
    const {faults, done} = await walkNumbers(seed, steps)
    if (faults.length === 0) continue
    failed++
    console.log(
      `seed ${seed}: ${faults.join('; ')}\n# --copies --seed ${seed} --steps ${done.length}\n${done.join('\n')}\n`
    )
    if (isFirst) break
  }
  console.log(`${seeds} walks of ${steps} steps through numbers of ports, ${failed} failed`)
  return failed === 0
}
