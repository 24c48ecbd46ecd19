import {launch} from '../../browser/browser.ts'
import {walkPage} from './walk.ts'

/** Walks of these seeds, one after the other; what is not as it must be is printed with what was done. */
export async function walkPages({
  seed: first,
  seeds,
  steps
}: {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
}): Promise<void> {
  const browser = await launch()
  for (let seed = first; seed < first + seeds; seed++) {
    const walk = await walkPage(browser, {seed, steps})
    await Promise.all(browser.contexts().map(async context => context.close()))
    console.log(
      `page walk ${seed}, ${steps} steps: ${walk.faults.length === 0 ? 'as it must be' : 'not as it must be'}`
    )
    if (walk.faults.length === 0) continue
    process.exitCode = 1
    console.log(`${walk.steps.join('\n')}\n${walk.faults.map(fault => `✗ ${fault}`).join('\n')}\n`)
  }
  await browser.close()
}
