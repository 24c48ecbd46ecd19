import t from 'tap'
import {walkRedis} from '../days/redis/walk.ts'
import {skipWithoutRedis7} from '../rig/redis.ts'

t.test('unforeseen commands are answered as by redis-server', {skip: skipWithoutRedis7, timeout: 120_000}, async t => {
  for (const seed of [5, 7, 33]) {
    const {faults, steps} = await walkRedis({seed, steps: 700})
    t.strictSame(faults, [], `seed ${seed}`, {steps: steps.slice(-20)})
  }
})
