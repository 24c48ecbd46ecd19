import t from 'tap'
import {walkComponents} from '../days/components/walk.ts'
import {skipWithoutRedis} from '../rig/redis.ts'

t.test(
  'files of components and subscriptions change in any order, and their servers come and go',
  {skip: skipWithoutRedis, timeout: 170_000},
  async t => {
    for (const seed of [1, 2, 3]) {
      const {faults, steps} = await walkComponents({seed, steps: 12})
      t.strictSame(faults, [], `seed ${seed}`, {steps})
    }
  }
)
