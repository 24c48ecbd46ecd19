import t from 'tap'
import {open as openHttp} from '../../../../src/dapr/components/bindings/http.ts'
import type {OpenComponent} from '../../../../src/dapr/components/component.ts'
import type {Component} from '../../../../src/dapr/components/component.ts'
import {Properties} from '../../../../src/dapr/components/properties.ts'
import {rabbitSettings} from '../../../../src/dapr/components/pubsub/rabbitmq-settings.ts'
import {openRedis} from '../../../../src/dapr/components/redis/open-redis.ts'
import {open as openSqlite} from '../../../../src/dapr/components/state/sqlite.ts'
import {InMemoryState} from '../../../../src/dapr/components/state/in-memory.ts'
import {STATE_TYPES} from '../../../../src/dapr/components/block-types.ts'

const place = {file: 'store.yaml', line: 1, column: 1, source: ''}

const read = (value: string, unitMs?: number): number =>
  new Properties([{name: 'cleanupInterval', value, place}]).durationMs('cleanupInterval', 1, unitMs)

t.test('a component’s duration that no timer can wait is the longest possible: it fired at once, always', async t => {
  t.equal(read('720h'), 2 ** 31 - 1)
  t.equal(read('2592000', 1000), 2 ** 31 - 1)
  t.equal(read('24h'), 86_400_000)
  t.equal(read('-1'), -1)
})

const ttlOf = (value: string): number | undefined =>
  rabbitSettings(new Properties([{name: 'ttlInSeconds', value, place}])).ttlMs

t.test('what a message lives is no timer: it is as long as RabbitMQ takes it', async t => {
  t.equal(ttlOf('720h'), 2_592_000_000)
  t.equal(ttlOf('2592000'), 2_592_000_000)
  t.equal(ttlOf('9999h'), 2 ** 32 - 1)
})

t.test('a part of a millisecond is a whole one', async t => {
  for (const [text, ms] of [
    ['1.001s', 1001],
    ['1.5ms', 2],
    ['10us', 1]
  ] as const)
    t.equal(read(text), ms, text)
})

t.test('a value whose time to live ends after the last date never expires: it could not be read', async t => {
  const state = new InMemoryState(() => Date.now())
  const options = {concurrency: '', consistency: ''} as const
  const value = Buffer.from('"x"')
  await state.set({key: 'a', value, isJson: true, etag: '', options, metadata: {ttlInSeconds: '9000000000000'}})
  t.match(await state.get('a'), {data: value, metadata: {}})
  await state.set({key: 'a', value, isJson: true, etag: '', options, metadata: {ttlInSeconds: '60'}})
  t.match((await state.get('a'))?.metadata['ttlExpireTime'], /^20\d\d-/)
})

t.test('a dial timeout of Redis is whole ms: while Redis is away each command failed with its parts', async t => {
  const dialTimeout = {name: 'dialTimeout', value: '1.0005s', place}
  const properties = new Properties([{name: 'redisHost', value: 'localhost', place}, dialTimeout])
  const waits: (number | undefined)[] = []
  const connect = async ({connectTimeoutMs}: {readonly connectTimeoutMs?: number}): Promise<never> => {
    waits.push(connectTimeoutMs)
    return Promise.reject(new Error('it is away'))
  }
  const options = {properties, redis: {connect}} as unknown as Parameters<typeof openRedis>[1]
  await t.rejects(openRedis('', options), /it is away/)
  t.same(waits, [1001])
})

/** Notes what is made of durations. */
class Noting extends Properties {
  readonly read: Record<string, number> = {}

  override durationMs(...given: Parameters<Properties['durationMs']>): number {
    return (this.read[given[0]] = super.durationMs(...given))
  }
}

const readBy = async (open: OpenComponent<Component>, given: Readonly<Record<string, string>>): Promise<object> => {
  const properties = new Noting(Object.entries(given).map(([name, value]) => ({name, value, place})))
  await (await open({properties, folder: '/', env: {}} as unknown as Parameters<typeof open>[0])).close?.()
  return properties.read
}

t.test('a bare number of SQLite, and of an HTTP binding, counts seconds, as in Dapr', async t => {
  const sqlite = {connectionString: ':memory:', busyTimeout: '5', cleanupInterval: '60'}
  t.strictSame(await readBy(openSqlite, sqlite), {busyTimeout: 5000, cleanupInterval: 60_000})
  const older = {connectionString: ':memory:', busyTimeout: '5', cleanupIntervalInSeconds: '60'}
  t.strictSame(await readBy(openSqlite, older), {busyTimeout: 5000, cleanupIntervalInSeconds: 60_000})
  t.ok(STATE_TYPES['sqlite']?.properties.includes('cleanupIntervalInSeconds'))
  t.strictSame(await readBy(openHttp, {url: 'http://a', responseTimeout: '10'}), {responseTimeout: 10_000})
})
