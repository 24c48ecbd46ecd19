import t from 'tap'
import type {RedisConnection, RedisReply} from '#redis'
import {open} from '../../../../src/dapr/components/state/redis.ts'
import {openComponent} from '../../../rig/open-component.ts'

t.test('a strong save waits for the replicas of the node that has the key', async t => {
  const asked: string[] = []
  const connectionAs = (name: string): RedisConnection => ({
    command: async ([word = '']): Promise<RedisReply> => {
      asked.push(`${name} ${String(word)}`)
      return word === 'INFO' ? 'connected_slaves:1' : 1
    },
    transaction: async () => [],
    subscribe: async () => async () => undefined,
    duplicate: async () => connectionAs('cluster'),
    nodeOf: async key => connectionAs(`the node of ${String(key)}`),
    close: async () => undefined
  })
  const redis = {connect: async () => connectionAs('cluster')}
  const store = await openComponent(t, open, {redisHost: 'localhost:7000', redisType: 'cluster'}, {redis})
  await store.set({
    key: 'shop||1',
    etag: '',
    value: Buffer.from('1'),
    isJson: true,
    metadata: {},
    options: {concurrency: '', consistency: 'strong'}
  })
  t.same(asked, ['cluster EVAL', 'the node of shop||1 INFO', 'the node of shop||1 WAIT'])
})
