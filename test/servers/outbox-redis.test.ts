import {execFileSync} from 'node:child_process'
import t from 'tap'
import {killWithOutbox, KILLED, OUTBOX} from '../rig/outbox-kills.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

t.test(`a real Redis: commits have their events: ${KILLED}`, {timeout: 600_000, skip: skipWithoutRedis}, async t => {
  const rig = await openRig(t)
  const {port} = await realRedis(t)
  const redisHost = `localhost:${port}`
  await killWithOutbox(t, rig, {
    protocol: 'grpc',
    resources: {'resources/store.yaml': component('store', 'state.redis', {redisHost, ...OUTBOX})},
    keys: async () => {
      const text = execFileSync('redis-cli', ['-p', port.toString(), 'keys', '*'], {encoding: 'utf8'})
      return Promise.resolve(text.trim().split('\n'))
    }
  })
})
