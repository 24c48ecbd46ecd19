/** What `test/integration/days-connections.test.ts` does with one seed, with more of them. */
import t from 'tap'
import {CONNECTION_WALKS} from '../days/connections/kinds.ts'

const LAST = [5, 3, 3]

for (const [at, [what, walk, steps]] of CONNECTION_WALKS.entries())
  for (let seed = 2; seed <= (LAST[at] ?? 0); seed++)
    t.test(`${what}: walks of more seeds`, async t => {
      const {faults} = await walk({seed, steps})
      t.strictSame(faults, [], `npm run days -- --connections --seed ${seed}`)
    })
