import type {Browser} from 'playwright-core'
import {Random} from '../../fuzz/random.ts'
import type {SeedWalk} from '../seeds.ts'
import {House} from './house.ts'
import {Visitor} from './visitor.ts'

/** So many steps come without a look. */
const BURST = 5

/**
 * Somebody clicks and types anywhere on the page of a run, while the run changes. After each few steps the page shows the apps that there
 * are, says nothing to its console, and can be used by all (axe).
 */
export async function walkPage(
  browser: Browser,
  {seed, steps}: {readonly seed: number; readonly steps: number}
): Promise<SeedWalk> {
  const random = new Random('page', seed)
  const house = new House(new Random('house', seed))
  const done: string[] = []
  try {
    const visitor = await Visitor.of(browser, await house.open(), new Random('visitor', seed))
    for (let step = 1; step <= steps; step++) {
      done.push(random.oneIn(4) ? `· ${await house.happen()}` : await visitor.act())
      if (step % BURST > 0 && step < steps) continue
      const faults = await visitor.faults(await house.rest())
      done.push('look')
      if (faults.length > 0) return {faults, steps: done}
    }
    return {faults: [], steps: done}
  } catch (error) {
    return {
      faults: [`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`],
      steps: done
    }
  } finally {
    await house.close()
  }
}
