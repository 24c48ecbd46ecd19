/** What components of Redis can be told: TLS, users, databases, clusters, Sentinel. */
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {OpenOptions} from '../../src/dapr/components/component.ts'
import {Properties} from '../../src/dapr/components/properties.ts'
import type {TopicReader} from '../../src/dapr/components/pubsub.ts'
import {RedisStreams} from '../../src/dapr/components/pubsub/redis.ts'
import {openRedis} from '../../src/dapr/components/redis/open-redis.ts'
import {RedisServers} from '../../src/dapr/components/redis/redis-servers.ts'
import {open as openState} from '../../src/dapr/components/state/redis.ts'
import {ClientConnection} from '../../src/packages/redis/client-connection.ts'
import type {RedisConnection} from '../../src/packages/redis/connection.ts'
import {freePort} from '../rig/free-port.ts'
import {realRedis, skipWithoutRedis, type RealRedis} from '../rig/redis.ts'
import {shown} from '../rig/redis-keys.ts'
import {TLS, tlsFile} from '../rig/tls.ts'

const optionsOf = (t: Test, values: Readonly<Record<string, string>>): OpenOptions => {
  const redis = new RedisServers({env: {PILLION_REDIS: 'memory'}, isOwnPort: () => false, reporter: {warn: () => {}}})
  t.teardown(async () => redis.close())
  const place = {file: 'store.yaml', line: 1, column: 1, source: ''}
  return {
    name: 'store',
    version: 'v1',
    properties: new Properties(Object.entries(values).map(([name, value]) => ({name, value, place}))),
    folder: '/',
    env: {},
    redis,
    warn: () => {}
  }
}

const connect = async (t: Test, values: Readonly<Record<string, string>>): Promise<RedisConnection> => {
  const connection = await openRedis('redis', optionsOf(t, values))
  t.teardown(async () => connection.close())
  return connection
}

t.test('TLS with a client’s certificate, a user with a password, a database', {skip: skipWithoutRedis}, async t => {
  const tlsPort = (await freePort()).toString()
  const files = ['--tls-cert-file', 'server.pem', '--tls-key-file', 'server.key', '--tls-ca-cert-file', 'ca.pem']
  const paths = files.map(each => (each.startsWith('--') ? each : join(TLS, each)))
  const user = ['--user', 'shop', 'on', '>secret', '~*', '&*', '+@all']
  await realRedis(t, ['--tls-port', tlsPort, ...paths, '--requirepass', 'other', ...user])
  const secure = {redisHost: `localhost:${tlsPort}`, enableTLS: 'true', insecureSkipTLSVerify: 'true'}
  const certificate = {clientCert: tlsFile('client.pem'), clientKey: tlsFile('client.key')}
  const access = {redisUsername: 'shop', redisPassword: 'secret'}
  const redis = await connect(t, {...secure, ...certificate, ...access, redisDB: '3'})
  t.equal(await redis.command(['SET', 'a', '1']), 'OK')
  t.match(shown(await redis.command(['CLIENT', 'INFO'])), / db=3 .* user=shop /)
  const faults: readonly (readonly [values: Readonly<Record<string, string>>, message: RegExp])[] = [
    [{...secure, ...access}, /certificate required|closed/],
    [{...secure, ...certificate, ...access, insecureSkipTLSVerify: 'false'}, /certificate/],
    [{...secure, ...certificate, redisPassword: 'wrong'}, /WRONGPASS/],
    [{...secure, ...certificate}, /NOAUTH/]
  ]
  for (const [values, message] of faults) await t.rejects(connect(t, values), {message})
})

/** Three masters without replicas. */
const startCluster = async (t: Test): Promise<readonly number[]> => {
  const start = async (slots: string): Promise<{server: RealRedis; node: ClientConnection; busPort: string}> => {
    const busPort = (await freePort()).toString()
    const own = ['--cluster-config-file', 'nodes.conf', '--cluster-port', busPort]
    const server = await realRedis(t, ['--cluster-enabled', 'yes', ...own])
    const node = await ClientConnection.open({host: '127.0.0.1', port: server.port})
    await node.command(['CLUSTER', 'ADDSLOTSRANGE', ...slots.split(' ')])
    return {server, node, busPort}
  }
  const members = await Promise.all(['0 5460', '5461 10922', '10923 16383'].map(start))
  for (const [n, {node}] of members.entries())
    for (const {server, busPort} of members.slice(n + 1))
      await node.command(['CLUSTER', 'MEET', '127.0.0.1', server.port.toString(), busPort])
  await Promise.all(members.map(async ({server}) => server.logged('Cluster state changed: ok')))
  await Promise.all(members.map(async ({node}) => node.close()))
  return members.map(({server}) => server.port)
}

/** A node takes no writes in its first two seconds: it starts with this file, and once. */
const cluster = skipWithoutRedis === false ? startCluster(t) : Promise.resolve([])

t.test('Sentinel: the master is found, and the next one when it is gone', {skip: skipWithoutRedis}, async t => {
  const master = await realRedis(t, ['--repl-diskless-sync-delay', '0'])
  const replica = await realRedis(t, ['--replicaof', '127.0.0.1', master.port.toString()])
  const second = await ClientConnection.open({host: '127.0.0.1', port: replica.port})
  await replica.logged('sync: Finished with success')
  const file = join(t.testdir(), 'sentinel.conf')
  writeFileSync(
    file,
    [
      `sentinel monitor mine 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds mine 60000',
      'sentinel failover-timeout mine 60000'
    ].join('\n')
  )
  const sentinel = await realRedis(t, [file, '--sentinel'], '+slave')
  const values = {
    redisHost: `127.0.0.1:1,127.0.0.1:${sentinel.port}`,
    failover: 'true',
    sentinelMasterName: 'mine',
    dialTimeout: '20s'
  }
  const redis = await connect(t, values)
  await redis.command(['SET', 'a', '1'])
  await redis.command(['WAIT', '1', '0'])
  const other = await redis.duplicate()
  await master.stop()
  const control = await ClientConnection.open({host: '127.0.0.1', port: sentinel.port})
  t.equal(await control.command(['SENTINEL', 'FAILOVER', 'mine']), 'OK')
  await control.close()
  const set = async (): Promise<unknown> => redis.command(['SET', 'b', '2']).catch(set)
  t.equal(await set(), 'OK')
  t.equal(shown(await other.command(['GET', 'a'])), '1')
  t.equal(shown(await second.command(['GET', 'b'])), '2')
  await second.close()
  await t.rejects(connect(t, {...values, sentinelMasterName: 'other', dialTimeout: '2s'}), {
    message: /the sentinels name no master "other": .*ECONNREFUSED 127\.0\.0\.1:1; ERR No such master with that name/
  })
})

t.test('a cluster: keys of all nodes, transactions, streams, events of keys', {skip: skipWithoutRedis}, async t => {
  const ports = await cluster
  const hosts = ports.map(port => `127.0.0.1:${port}`)
  const values = {redisHost: `127.0.0.1:1,${hosts.join(',')}`, redisType: 'cluster'}
  const store = await openState(optionsOf(t, values))
  t.teardown(async () => store.close?.())
  const options = {concurrency: '', consistency: ''} as const
  const keys = Array.from({length: 30}, (_, n) => `shop||k${n}`)
  const save = (key: string): Parameters<typeof store.set>[0] => ({
    key,
    value: Buffer.from('1'),
    isJson: false,
    etag: '',
    options,
    metadata: {ttlInSeconds: '100'}
  })
  for (const key of keys.slice(0, 15)) await store.set(save(key))
  await store.transact(keys.slice(15).map(key => ({kind: 'upsert', request: save(key)})))
  for (const key of keys) t.match(await store.get(key, {consistency: '', metadata: {}}), {etag: '1'})
  t.same([...((await store.keys?.('shop||', 100)) ?? [])].toSorted(), keys.toSorted())
  const redis = await connect(t, values)
  t.same((shown(await redis.command(['KEYS', '*'])) as readonly string[]).toSorted(), keys.toSorted())

  await redis.command(['CONFIG', 'SET', 'notify-keyspace-events', 'KA'])
  const heard = new Set<string>()
  const all = Promise.withResolvers<void>()
  await redis.subscribe('__keyspace@0__:s*', channel => {
    heard.add(channel)
    if (heard.size === 5) all.resolve()
  })
  for (const key of ['s1', 's2', 's3', 's4', 's5']) await redis.command(['SET', key, `${key}||v`])
  await all.promise
  t.same(shown(await redis.command(['MGET', 's1', 's2', 'none', 's5'])), ['s1||v', 's2||v', null, 's5||v'])

  const streams = new RedisStreams(await connect(t, values), {
    consumerId: '',
    redeliverIntervalMs: 15_000,
    processingTimeoutMs: 60_000,
    queueDepth: 100,
    concurrency: 10,
    maxLength: 0,
    ttlMs: 0,
    readTimeoutMs: 3000
  })
  const seen = new Set<string>()
  const done = Promise.withResolvers<void>()
  const topics = ['a', 'b', 'c', 'd']
  const readers: TopicReader[] = []
  for (const topic of topics) {
    const reader = await streams.subscribe({
      topic,
      group: 'shop',
      metadata: {},
      ready: async () => undefined,
      atOnce: 0,
      handle: async ({data}) => {
        seen.add(data.toString())
        if (seen.size === topics.length) done.resolve()
        return Promise.resolve('done')
      },
      log: () => {}
    })
    readers.push(reader)
  }
  for (const topic of topics) await streams.publish(topic, {data: Buffer.from(topic), metadata: {}})
  await done.promise
  t.same([...seen].toSorted(), topics)
  for (const reader of readers) t.type((await reader.backlog?.())?.waiting, 'number')
  await streams.close()
})

t.test('a slot that moves to another node is followed', {skip: skipWithoutRedis}, async t => {
  const ports = await cluster
  const redis = await connect(t, {redisHost: `127.0.0.1:${String(ports[0])}`, redisType: 'cluster'})
  await redis.command(['SET', 'foo', '1']) // slot 12182, of the third
  const nodes = await Promise.all(ports.map(async port => ClientConnection.open({host: '127.0.0.1', port})))
  t.teardown(async () => Promise.all(nodes.map(async node => node.close())))
  const ids = await Promise.all(nodes.map(async node => shown(await node.command(['CLUSTER', 'MYID'])) as string))
  const [first, , third] = nodes
  await first?.command(['CLUSTER', 'SETSLOT', '12182', 'IMPORTING', ids[2] ?? ''])
  await third?.command(['CLUSTER', 'SETSLOT', '12182', 'MIGRATING', ids[0] ?? ''])
  await third?.command(['MIGRATE', '127.0.0.1', String(ports[0]), 'foo', '0', '5000'])
  t.equal(shown(await redis.command(['GET', 'foo'])), '1', 'while it moves')
  t.same(await redis.transaction([['SET', 'foo', '1']]), ['OK'], 'while it moves')
  await first?.command(['CLUSTER', 'SETSLOT', '12182', 'NODE', ids[0] ?? ''])
  await third?.command(['CLUSTER', 'SETSLOT', '12182', 'NODE', ids[0] ?? ''])
  t.equal(shown(await redis.command(['GET', 'foo'])), '1')
  t.equal((await redis.transaction([['SET', 'foo', '2']]))[0], 'OK')
})

t.test('settings that cannot be', async t => {
  const host = {redisHost: 'localhost:1'}
  const cases: readonly (readonly [values: Readonly<Record<string, string>>, message: string])[] = [
    [{}, 'redisHost is missing'],
    [{...host, redisType: 'ring'}, 'redisType: "ring" is none of node, cluster, sentinel'],
    [{...host, failover: 'true'}, 'failover needs sentinelMasterName'],
    [{redisHost: 'a:b:c'}, '"a:b:c" is no host and port']
  ]
  for (const [values, message] of cases) await t.rejects(connect(t, values), {message})
})
