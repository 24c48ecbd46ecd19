import t from 'tap'
import {CONNECTION_WALKS} from '../days/connections/kinds.ts'

// `test/long/days-connections.test.ts` goes on with the next ones
for (const [what, walk, steps] of CONNECTION_WALKS)
  t.test(`${what}: a walk`, async t => {
    const {faults} = await walk({seed: 1, steps})
    t.strictSame(faults, [], 'npm run days -- --connections --seed 1')
  })
