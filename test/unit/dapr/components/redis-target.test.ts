import t from 'tap'
import {componentType} from '../../../../src/dapr/components/block-types.ts'
import {Properties} from '../../../../src/dapr/components/properties.ts'
import {redisTarget} from '../../../../src/dapr/components/redis/open-redis.ts'
import type {RedisTarget} from '../../../../src/dapr/components/redis/redis-servers.ts'

const place = {file: 'redis.yaml', line: 1, column: 1, source: ''}

const targetOf = (values: Readonly<Record<string, string>>): RedisTarget =>
  redisTarget(new Properties(Object.entries(values).map(([name, value]) => ({name, value, place}))))

t.test('the type "sentinel", which Dapr documents for locks, is a single server without a failover', async t => {
  const redisHost = 'localhost:6379'
  t.match(targetOf({redisHost, redisType: 'sentinel'}), {host: 'localhost', port: 6379, database: 0})
  t.match(targetOf({redisHost, redisType: 'sentinel', failover: 'true', sentinelMasterName: 'mine'}), {
    sentinels: {master: 'mine'}
  })
  t.throws(() => targetOf({redisHost, redisType: 'ring'}), {
    message: 'redisType: "ring" is none of node, cluster, sentinel'
  })
})

t.test('older names for retries are known of all types for which Dapr reads them', async t => {
  for (const type of ['state.redis', 'lock.redis'])
    for (const name of ['maxRetries', 'maxRetryBackoff'])
      t.ok(componentType(type)?.properties.includes(name), `${type}: ${name}`)
})
