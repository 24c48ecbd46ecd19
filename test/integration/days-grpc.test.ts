import t from 'tap'
import {walkGrpc} from '../days/connections/grpc-walk.ts'

const SEEDS = 6
const STEPS = 200

for (let seed = 1; seed <= SEEDS; seed++)
  t.test(
    'calls of gRPC end once and with one status, whatever both sides do meanwhile: walks of six seeds',
    async t => {
      const {faults} = await walkGrpc({seed, steps: STEPS})
      t.strictSame(faults, [], `npm run days -- --connections --seed ${seed}`)
    }
  )
