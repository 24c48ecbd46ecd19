import t from 'tap'
import type {RedisConnection} from '#redis'
import type {RedisTarget} from '../../../../src/dapr/components/redis/redis-servers.ts'
import {open} from '../../../../src/dapr/components/state/redis.ts'
import {PartlyRefused, type StateOperation} from '../../../../src/dapr/components/state-store.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {Blocked, RedisError} from '../../../../src/packages/redis/engine/result.ts'
import type {Session} from '../../../../src/packages/redis/engine/session.ts'
import {ClientConnection} from '../../../../src/packages/redis/client-connection.ts'
import {RedisServer} from '../../../../src/packages/redis/server.ts'
import {MemoryConnection} from '../../../../src/packages/redis/memory-connection.ts'
import {openComponent} from '../../../rig/open-component.ts'

const save = (key: string, etag: string, ttlInSeconds: string, concurrency: '' | 'first-write' = '') => {
  const options = {concurrency, consistency: ''} as const
  const request = {key, value: Buffer.from('1'), isJson: true, etag, metadata: {ttlInSeconds}, options}
  return {kind: 'upsert', request} as const satisfies StateOperation
}

t.test('a save that a transaction refuses leaves the time to live of what is there', async t => {
  const redis = new MemoryConnection(new RedisEngine())
  const store = await openComponent(t, open, {redisHost: 'localhost'}, {redis: {connect: async () => redis}})
  /** Hundreds of seconds; -0: for ever. */
  const ttlOf = async (key: string): Promise<number> => Math.ceil(Number(await redis.command(['TTL', key])) / 100)

  await store.set(save('a', '', '').request)
  const refused = store.transact([save('a', '7', '500'), save('b', '', '500'), save('a', '', '', 'first-write')])
  const error = await refused.catch((failure: unknown) => failure)
  t.same([...(error as PartlyRefused).refused], [0, 2])
  t.equal(await ttlOf('a'), -0)
  t.equal(await ttlOf('b'), 5)
  await store.transact([save('a', '1', '1000')])
  t.equal(await ttlOf('a'), 10)
  await t.rejects(store.transact([save('a', '1', '0')]), /failed to set key a/)
  t.equal(await ttlOf('a'), 10)
  await store.transact([save('a', '2', '0'), save('c', '', '700', 'first-write')])
  t.equal(await ttlOf('a'), -0)
  t.equal(await ttlOf('c'), 7)
})

t.test('strong consistency waits for as many replicas as there are', async t => {
  const asked: string[] = []
  let replicas = 0
  const redis = new MemoryConnection(new RedisEngine())
  const run = redis.command.bind(redis)
  redis.command = async (args, signal) => {
    if (args[0] === 'INFO') return Buffer.from(`role:master\r\nconnected_slaves:${replicas}\r\n`)
    if (args[0] === 'WAIT') asked.push(args.join(' '))
    return run(args, signal)
  }
  redis.duplicate = async () => redis
  const store = await openComponent(t, open, {redisHost: 'localhost'}, {redis: {connect: async () => redis}})
  const options = {concurrency: '', consistency: 'strong'} as const
  const {request} = save('a', '', '')
  await store.set({...request, options})
  t.same(asked, [])
  replicas = 2
  await store.set({...request, options})
  t.same(asked, ['WAIT 2 1000'])
})

t.test('a save that waits for replicas holds up no other command', async t => {
  const engine = new RedisEngine()
  const run = engine.run.bind(engine)
  const waits = Promise.withResolvers<Session>()
  engine.run = (session, args) => {
    if (args[0] === 'INFO') return 'role:master\r\nconnected_slaves:1\r\n'
    if (args[0] !== 'WAIT') return run(session, args)
    waits.resolve(session)
    return new Blocked([], 0, () => undefined)
  }
  const server = await RedisServer.bind(0)
  t.teardown(async () => server.close())
  server.serve(engine)
  const redis = await ClientConnection.open({host: '127.0.0.1', port: server.port})
  const store = await openComponent(t, open, {redisHost: 'localhost'}, {redis: {connect: async () => redis}})
  const {request} = save('a', '', '')
  const saved = store.set({...request, options: {concurrency: '', consistency: 'strong'}})
  const session = await waits.promise
  t.equal((await store.get('a', {metadata: {}, consistency: ''}))?.etag, '1')
  session.cancelWait?.(1)
  await saved
})

t.test('a store can be closed while the connection of its first strong save is opened, or that fails', async t => {
  for (const fails of [false, true]) {
    const redis = new MemoryConnection(new RedisEngine())
    const opening = Promise.withResolvers<never>()
    const asked = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    redis.duplicate = async () => {
      asked.resolve()
      return opening.promise
    }
    redis.close = async () => {
      closed.resolve()
      opening.reject(new Error('the connection to Redis is closed'))
      return Promise.resolve()
    }
    const store = await openComponent(t, open, {redisHost: 'localhost'}, {redis: {connect: async () => redis}})
    const {request} = save('a', '', '')
    const saved = store.set({...request, options: {concurrency: '', consistency: 'strong'}})
    await asked.promise
    const closing = store.close?.()
    if (fails) opening.reject(new Error('ECONNREFUSED'))
    await t.rejects(saved, Error)
    await closing
    await closed.promise
  }
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

t.test('a user who may not ask for replicas saves all the same', async t => {
  const redis = new MemoryConnection(new RedisEngine())
  const run = redis.command.bind(redis)
  redis.command = async (args, signal) => {
    if (args[0] === 'INFO') throw new RedisError("NOPERM User me has no permissions to run the 'info' command")
    return run(args, signal)
  }
  redis.duplicate = async () => redis
  const store = await openComponent(t, open, {redisHost: 'localhost'}, {redis: {connect: async () => redis}})
  await store.set({...save('a', '', '').request, options: {concurrency: '', consistency: 'strong'}})
  t.equal((await store.get('a', {metadata: {}, consistency: ''}))?.etag, '1')
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
