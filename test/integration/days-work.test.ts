import t from 'tap'
import {killedAt} from '../days/work/killed.ts'
import {workWalk} from '../days/work/steps.ts'
import {walkWork} from '../days/work/walks.ts'
import type {WalkStep} from '../days/walks.ts'

/** `test/long/days-work.test.ts` goes on with the next ones, with all writes, and with walks that found something once. */
const SEEDS = 6
const STEPS = 60

const kinds = (walk: readonly WalkStep[]): readonly string[] => walk.map(({kind, a, b}) => `${kind} ${a} ${b}`)

for (let seed = 1; seed <= SEEDS; seed++)
  t.test('what outlives a run is exact, whatever comes in whichever order: walks of six seeds', async t => {
    const {faults} = await walkWork(seed, workWalk(seed, STEPS))
    if (faults.length > 0) t.fail(`seed ${seed}: ${faults.join('; ')}: npm run days -- --work --seed ${seed}`)
  })

t.test('a run that is killed at some writes of a walk goes on with the next one', async t => {
  t.strictSame(await killedAt(write => write % 15 === 5), [])
})

t.test('the same seed makes the same walk', async t => {
  t.strictSame(kinds(workWalk(7, 50)), kinds(workWalk(7, 50)))
  t.notSame(kinds(workWalk(7, 50)), kinds(workWalk(8, 50)))
})
