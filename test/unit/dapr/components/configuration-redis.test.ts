import t from 'tap'
import type {ConfigurationItems} from '../../../../src/dapr/components/configuration/types.ts'
import {open} from '../../../../src/dapr/components/configuration/redis.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {MemoryConnection} from '../../../../src/packages/redis/memory-connection.ts'
import {openComponent} from '../../../rig/open-component.ts'

t.test('who watches all keys hears of texts alone: state and events of the same Redis are none', async t => {
  const engine = new RedisEngine()
  const other = new MemoryConnection(engine)
  const redis = {connect: async () => new MemoryConnection(engine)}
  const store = await openComponent(t, open, {redisHost: 'localhost:6379'}, {redis})
  const heard: ConfigurationItems[] = []
  const gone = Promise.withResolvers<void>()
  await store.subscribe([], {}, items => {
    heard.push(items)
    if (heard.length === 2) gone.resolve()
  })
  await other.command(['HSET', 'shop||1', 'data', '1'])
  await other.command(['XADD', 'orders', '*', 'data', '1'])
  await other.command(['SET', 'color', 'red||2'])
  while (heard.length === 0) await new Promise(setImmediate)
  await other.command(['DEL', 'color'])
  await gone.promise
  t.same(heard, [{color: {value: 'red', version: '2', metadata: {}}}, {color: {value: '', version: '', metadata: {}}}])
  await other.close()
  engine.close()
})
