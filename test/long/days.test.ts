/** What `test/integration/days.test.ts` and `days-work.test.ts` do with few seeds, with more of them. */
import t from 'tap'
import {workWalk} from '../days/work/steps.ts'
import {walkWork} from '../days/work/walks.ts'
import {days} from '../rig/days.ts'
import {limitAlone} from '../rig/limit.ts'

await limitAlone()

t.setTimeout(600_000)

const FROM = 101
const SEEDS = 3
const WORK_SEEDS = 100
const WORK_STEPS = 60

for (const flags of [[], ['--lazy']])
  t.test(`three days go as the manual says ${flags.join(' ')}`, async t => {
    const {code, printed} = await days(...flags, '--seed', `${FROM}`, '--seeds', `${SEEDS}`, '--steps', '100')
    t.equal(code, 0, printed)
    t.equal(printed.match(/as it must be/g)?.length, SEEDS, printed)
  })

t.test('what outlives a run is exact: walks of 100 seeds', async t => {
  for (let seed = FROM; seed < FROM + WORK_SEEDS; seed++) {
    const {faults} = await walkWork(seed, workWalk(seed, WORK_STEPS))
    if (faults.length > 0) t.fail(`seed ${seed}: ${faults.join('; ')}: npm run days -- --work --seed ${seed}`)
  }
})
