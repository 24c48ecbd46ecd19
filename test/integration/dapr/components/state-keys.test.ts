import {join} from 'node:path'
import t, {type Test} from 'tap'
import {RedisServers} from '../../../../src/dapr/components/redis/redis-servers.ts'
import {open as openMemory} from '../../../../src/dapr/components/state/in-memory.ts'
import {open as openRedis} from '../../../../src/dapr/components/state/redis.ts'
import {open as openSqlite} from '../../../../src/dapr/components/state/sqlite.ts'
import type {StateStore} from '../../../../src/dapr/components/state-store.ts'
import {freePort} from '../../../rig/free-port.ts'
import {openComponent} from '../../../rig/open-component.ts'

const STORES: Readonly<Record<string, (t: Test) => Promise<StateStore>>> = {
  'in-memory': async t => openComponent(t, openMemory, {}),
  sqlite: async t => openComponent(t, openSqlite, {connectionString: join(t.testdir(), 'state.db')}),
  redis: async t => {
    const redis = new RedisServers({env: {PILLION_REDIS: 'memory'}, isOwnPort: () => false, reporter: {warn: () => {}}})
    t.teardown(async () => redis.close())
    return openComponent(t, openRedis, {redisHost: `127.0.0.1:${await freePort()}`}, {redis})
  }
}

/** The keys that a prefix has, in order. */
const keysOf = async (store: StateStore, prefix: string, limit = 1000): Promise<readonly string[]> =>
  (await store.keys?.(prefix, limit))?.toSorted() ?? ['none']

for (const [name, opened] of Object.entries(STORES))
  t.test(`the keys of an actor in ${name}: those with its prefix alone, whatever signs are in it`, async t => {
    const store = await opened(t)
    const options = {concurrency: '', consistency: ''} as const
    const set = async (key: string): Promise<void> =>
      store.set({key, value: Buffer.from('1'), isJson: true, etag: '', metadata: {}, options})
    t.same(await keysOf(store, 'app||Cart||1||'), [])
    const others = ['app||Cart||12||items', 'app||Cart||x||items', 'APP||cart||1||items', 'app||CartX||1||items']
    for (const key of ['app||Cart||1||items', 'app||Cart||1||owner', ...others]) await set(key)
    t.same(await keysOf(store, 'app||Cart||1||'), ['app||Cart||1||items', 'app||Cart||1||owner'])
    for (const id of ['*', '[1]', '?', '%', '_', String.raw`\1`, 'Ä😀']) {
      await set(`app||Cart||${id}||items`)
      t.same(await keysOf(store, `app||Cart||${id}||`), [`app||Cart||${id}||items`], id)
    }
    await store.delete({key: 'app||Cart||1||owner', etag: '', metadata: {}, options})
    t.same(await keysOf(store, 'app||Cart||1||'), ['app||Cart||1||items'])
    t.equal((await keysOf(store, 'app||', 3)).length, 3)
  })
