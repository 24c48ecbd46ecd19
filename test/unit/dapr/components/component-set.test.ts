import {componentType} from '../../../../src/dapr/components/block-types.ts'
import {isDaprType} from '../../../../src/files/resources/component-types.ts'
import t from 'tap'
import {ComponentSet, serverPorts} from '../../../../src/dapr/components/component-set.ts'
import type {RedisConnection} from '../../../../src/packages/redis/connection.ts'
import type {ComponentResource} from '../../../../src/files/resources/components.ts'

const place = {file: 'store.yaml', line: 1, column: 1, source: ''}

const store: ComponentResource = {
  name: 'store',
  namespace: '',
  scopes: [],
  type: 'state.redis',
  isOfDapr: isDaprType('state.redis'),
  capabilities: componentType('state.redis')?.capabilities,
  version: 'v1',
  properties: [],
  initTimeoutMs: 1,
  ignoresErrors: false,
  secretStore: '',
  isDefault: false,
  place,
  typePlace: place
}

t.test('a component that opens after its time is closed again, and the next who wants it opens another', async t => {
  const connections = [Promise.withResolvers<RedisConnection>(), Promise.withResolvers<RedisConnection>()]
  let asked = 0
  const connect = async (): Promise<RedisConnection> =>
    connections[asked++]?.promise ?? Promise.reject(new Error('asked too often'))
  const set = new ComponentSet({env: {}, redis: {connect}})
  const use = async (resource: ComponentResource): ReturnType<ComponentSet['use']> => {
    const properties = [{name: 'redisHost', value: 'localhost:1', place}]
    return set.use({resource, properties, folder: '/', owner: '', warn: text => t.fail(text)})
  }
  await t.rejects(use(store), {message: 'init timeout for component store exceeded after 0.001s', place})
  const closed = Promise.withResolvers<string>()
  const connectionOf = (name: string): RedisConnection =>
    ({close: async () => closed.resolve(name)}) as unknown as RedisConnection
  connections[0]?.resolve(connectionOf('the late one'))
  t.equal(await closed.promise, 'the late one')
  connections[1]?.resolve(connectionOf('the second'))
  t.match(await use({...store, initTimeoutMs: 60_000}), {component: {capabilities: ['ETAG', 'TRANSACTIONAL']}})
  t.equal(asked, 2)
})

t.test('while the built-in Redis starts, or code is loaded, the time of a component does not run', async t => {
  const set = new ComponentSet({
    env: {},
    redis: {
      async connect(_, apart = async work => work) {
        await apart(new Promise(resolve => setTimeout(resolve, 250)))
        return {close: async () => {}} as unknown as RedisConnection
      }
    }
  })
  const properties = [{name: 'redisHost', value: 'localhost:1', place}]
  const wanted = {
    resource: {...store, initTimeoutMs: 100},
    properties,
    folder: '/',
    owner: '',
    warn: (text: string) => t.fail(text)
  }
  t.match(await set.use(wanted), {component: {capabilities: ['ETAG', 'TRANSACTIONAL']}})
})

t.test('a store in memory lives as long as the run, also while no app uses it', async t => {
  const set = new ComponentSet({env: {}, redis: {connect: async () => Promise.reject(new Error('none is needed'))}})
  const resource = {...store, type: 'state.in-memory', initTimeoutMs: 60_000}
  const wanted = {resource, properties: [], folder: '/', owner: '', warn: (text: string) => t.fail(text)}
  const first = await set.use(wanted)
  await first.release()
  t.equal((await set.use(wanted)).component, first.component)
})

const portsOf = (type: string, values: Readonly<Record<string, string>>): readonly number[] => {
  const place = {file: 'c.yaml', line: 1, column: 1, source: ''}
  return [
    ...serverPorts(
      type,
      Object.entries(values).map(([name, value]) => ({name, value, place}))
    )
  ]
}

t.test('where a component has its server; without a port it is the usual one of its type', async t => {
  t.same(portsOf('state.redis', {redisHost: 'localhost:6380'}), [6380])
  t.same(portsOf('state.redis', {redisHost: 'localhost', redisPort: '6381'}), [6381])
  t.same(portsOf('state.redis', {redisHost: 'localhost'}), [6379])
  t.same(portsOf('state.redis', {redisHost: 'redis.example'}), [])
  t.same(portsOf('state.postgresql', {connectionString: 'host=localhost user=me'}), [5432])
  t.same(portsOf('state.postgresql', {connectionString: 'postgres://me@db.example/shop'}), [])
  t.same(portsOf('bindings.http', {url: 'http://localhost:3000/hook'}), [3000])
  t.same(portsOf('state.in-memory', {}), [])
  t.same(portsOf('state.constructor', {host: 'localhost'}), [])
})
