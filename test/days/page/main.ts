/** `node test/days/page/main.ts --seed N --steps M --seeds K`: see ../README.md. */
import {parseArgs} from 'node:util'
import {launch} from '../../browser/browser.ts'
import {walkPage} from './walk.ts'

const {values} = parseArgs({
  options: {
    seed: {type: 'string', default: Math.floor(Math.random() * 1e6).toString()},
    steps: {type: 'string', default: '100'},
    seeds: {type: 'string', default: '1'}
  }
})
const steps = Number(values.steps)
const browser = await launch()
for (let seed = Number(values.seed), last = seed + Number(values.seeds); seed < last; seed++) {
  const walk = await walkPage(browser, {seed, steps})
  await Promise.all(browser.contexts().map(async context => context.close()))
  console.log(`page walk ${seed}, ${steps} steps: ${walk.faults.length === 0 ? 'as it must be' : 'not as it must be'}`)
  if (walk.faults.length === 0) continue
  process.exitCode = 1
  console.log(`${walk.steps.join('\n')}\n${walk.faults.map(fault => `✗ ${fault}`).join('\n')}\n`)
}
await browser.close()
