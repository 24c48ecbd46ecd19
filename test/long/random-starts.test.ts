import t from 'tap'
import {Random} from '../fuzz/random.ts'
import {outcomeOf, startOf} from '../fuzz/starts.ts'
import {openRig} from '../rig/rig.ts'

/** More of them: PILLION_STARTS=200. */
const count = Number(process.env['PILLION_STARTS'] ?? 12)
const seed = Number(process.env['PILLION_SEED'] ?? 1)

t.setTimeout(60_000 * count)

for (let n = 0; n < count; n++) {
  const start = startOf(new Random(seed, n))
  const {output, reader, event} = start
  t.test(`start ${n} of seed ${seed}: stdout ${output}, reader ${reader}, ${event}: it ends as it should`, async t => {
    t.equal(await outcomeOf(await openRig(t), start), '')
  })
}
