import t from 'tap'
import {SimulatedWorld} from '../days/simulated/world.ts'
import {scriptOf} from '../days/script.ts'
import {walkOf} from '../days/steps.ts'
import {walk} from '../days/walk.ts'

// `npm run days` takes other seeds, makes what fails short, and does the same with real processes
for (const seed of [1, 2, 3, 4])
  t.test(`what people do in any order goes as the manual says: day ${seed.toString()}`, async t => {
    const finding = await walk(walkOf(seed, 100), async () => Promise.resolve(new SimulatedWorld(seed)))
    if (finding !== undefined) t.comment(scriptOf(finding.actions))
    t.same(finding?.faults ?? [], [])
  })
