import t from 'tap'
import {walkRedis} from '../days/redis/walk.ts'
import {skipWithoutRedis7} from '../rig/redis.ts'

t.test(
  'commands that nobody thought of are answered as by redis-server, and what they leave outlives the built-in one',
  {skip: skipWithoutRedis7, timeout: 120_000},
  async t => {
    for (const seed of [5, 7, 33]) {
      const {faults, steps} = await walkRedis({seed, steps: 700})
      t.strictSame(faults, [], `seed ${seed}`, {steps: steps.slice(-20)})
    }
  }
)
