import t from 'tap'
import {walkConnections} from '../days/connections/walk.ts'

const SEEDS = 10
const STEPS = 200

for (let seed = 1; seed <= SEEDS; seed++)
  t.test(
    'no request comes twice, and each is answered or cut, whenever connections end: walks of ten seeds',
    async t => {
      const {faults} = await walkConnections({seed, steps: STEPS})
      t.strictSame(faults, [], `npm run days -- --connections --seed ${seed}`)
    }
  )
