import t from 'tap'
import type {RedisConnection} from '#redis'
import type {RedisTarget} from '../../../../src/dapr/components/redis/redis-servers.ts'
import {open} from '../../../../src/dapr/components/state/redis.ts'
import {PartlyRefused, type StateOperation} from '../../../../src/dapr/components/state-store.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {MemoryConnection} from '../../../../src/packages/redis/memory-connection.ts'
import {openComponent} from '../../../rig/open-component.ts'

const save = (key: string, etag: string, ttlInSeconds: string, concurrency: '' | 'first-write' = '') => {
  const options = {concurrency, consistency: ''} as const
  const request = {key, value: Buffer.from('1'), isJson: true, etag, metadata: {ttlInSeconds}, options}
  return {kind: 'upsert', request} as const satisfies StateOperation
}

t.test('a transaction names the saves that Redis refuses, and does the others', async t => {
  const redis = new MemoryConnection(new RedisEngine())
  const store = await openComponent(t, open, {redisHost: 'localhost'}, {redis: {connect: async () => redis}})
  await store.set(save('a', '', '').request)
  const refused = store.transact([save('a', '7', ''), save('b', '', '500'), save('a', '', '', 'first-write')])
  const error = await refused.catch((failure: unknown) => failure)
  t.same([...(error as PartlyRefused).refused], [0, 2])
  t.equal(await redis.command(['TTL', 'b']), 500)
})

t.test('in a transaction the last time to live of a key counts, and one that Redis refuses is an error', async t => {
  const redis = new MemoryConnection(new RedisEngine())
  const store = await openComponent(t, open, {redisHost: 'localhost'}, {redis: {connect: async () => redis}})
  const remove = (key: string): StateOperation => ({kind: 'delete', request: {...save(key, '', '').request, key}})
  const cases: readonly (readonly [operations: (key: string) => readonly StateOperation[], ttl: number])[] = [
    [key => [save(key, '1', '500'), remove(key), save(key, '', '')], -1],
    [key => [save(key, '1', '500'), save(key, '', '0')], -1],
    [key => [save(key, '1', '500'), save(key, '', '')], 500],
    [key => [save(key, '1', '500'), save(key, '2', '900')], 900],
    [key => [save(key, '', '900'), save(key, '2', '500')], 500]
  ]
  for (const [at, [operations, ttl]] of cases.entries()) {
    const key = `key${at}`
    await store.set(save(key, '', '').request)
    await store.transact(operations(key))
    t.ok(Math.abs(Number(await redis.command(['TTL', key])) - ttl) <= 1, `case ${at}`)
  }
  await store.set(save('a', '', '').request)
  await t.rejects(store.transact([save('a', '1', '9223372036854775')]), /invalid expire time/)
})

t.test('a readTimeout below 0 has no end, and 0 is the usual one', async t => {
  const times: (number | undefined)[] = []
  const connect = async ({readTimeoutMs}: RedisTarget): Promise<RedisConnection> => {
    times.push(readTimeoutMs)
    return Promise.resolve(new MemoryConnection(new RedisEngine()))
  }
  for (const readTimeout of ['-1', '-1s', '0', '200', '2s'])
    await openComponent(t, open, {redisHost: 'localhost', readTimeout}, {redis: {connect}})
  t.same(times, [Infinity, Infinity, undefined, 200, 2000])
})

t.test('a time to live that Redis does not take is no etag that has changed', async t => {
  const redis = new MemoryConnection(new RedisEngine())
  const store = await openComponent(t, open, {redisHost: 'localhost'}, {redis: {connect: async () => redis}})
  await store.set(save('a', '', '').request)
  const failure = await store.set(save('a', '1', '9'.repeat(17)).request).catch((error: unknown) => error)
  t.match(failure, {name: 'Error', message: /^failed to set key a ttl: ERR invalid expire time/})
})
