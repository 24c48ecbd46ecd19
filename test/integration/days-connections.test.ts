import t from 'tap'
import {walkCalls} from '../days/connections/call-walk.ts'
import {walkStreams} from '../days/connections/stream-walk.ts'
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

for (let seed = 1; seed <= SEEDS; seed++)
  t.test(
    'streams of HTTP/2 end whole or broken off, whatever both sides change meanwhile: walks of ten seeds',
    async t => {
      const {faults} = await walkStreams({seed, steps: STEPS})
      t.strictSame(faults, [], `npm run days -- --connections --seed ${seed}`)
    }
  )

for (let seed = 1; seed <= SEEDS / 2; seed++)
  t.test(
    'each call of HTTP/1 gets the whole answer to what it has asked, whatever its app goes through: walks of five seeds',
    async t => {
      const {faults} = await walkCalls({seed, steps: STEPS / 2})
      t.strictSame(faults, [], `npm run days -- --connections --seed ${seed}`)
    }
  )
