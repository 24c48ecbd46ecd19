import {createDecipheriv} from 'node:crypto'
import {DatabaseSync} from 'node:sqlite'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {AppComponents} from '../../../../src/dapr/components/app-components.ts'
import {ComponentSet} from '../../../../src/dapr/components/component-set.ts'
import type {StateStore} from '../../../../src/dapr/components/state-store.ts'
import type {ComponentResource} from '../../../../src/files/resources/components.ts'
import {componentResource} from '../../../rig/component-resource.ts'

const SECRETS = {
  one: '11'.repeat(32),
  two: '22'.repeat(16),
  three: '33'.repeat(24),
  short: 'abcd',
  words: 'x'.repeat(64)
}

const options = {concurrency: '', consistency: ''} as const
const request = (key: string, value: string, etag = '') => ({
  key,
  value: Buffer.from(value),
  isJson: true,
  etag,
  metadata: {},
  options
})

/** A SQLite store whose keys are these secrets. */
const withKeys = (folder: string, primary: string, secondary = ''): ComponentResource => {
  const store = componentResource('store', 'state.sqlite', {connectionString: join(folder, 'state.db')})
  const place = {...store.place, line: 7}
  const key = (name: string, secret: string) => ({
    name,
    value: '',
    secret: {name: secret, key: secret},
    envRef: '',
    place
  })
  const keys = [
    ...(primary === '' ? [] : [key('PrimaryEncryptionKey', primary)]),
    ...(secondary === '' ? [] : [key('secondaryEncryptionKey', secondary)])
  ]
  return {...store, secretStore: 'secrets', properties: [...store.properties, ...keys]}
}

const connect = async (): Promise<never> => Promise.reject(new Error('there is no Redis'))

const follow = async (t: Test, folder: string, store: ComponentResource) => {
  const set = new ComponentSet({env: {}, redis: {connect}})
  const own = new AppComponents({appId: 'shop', folder, env: {}, set, log: () => undefined})
  t.teardown(async () => own.close())
  const secrets = componentResource('secrets', 'secretstores.local.file', {secretsFile: 'secrets.json'})
  return {own, failures: await own.follow([store, secrets])}
}

const open = async (t: Test, folder: string, primary: string, secondary = ''): Promise<StateStore> => {
  const {own, failures} = await follow(t, folder, withKeys(folder, primary, secondary))
  t.strictSame(failures, [])
  const found = await own.find('state', 'store')
  if (found === undefined) throw new Error('there is no store')
  return found.component
}

const textOf = async (store: StateStore, key: string): Promise<string | undefined> =>
  (await store.get(key, {consistency: '', metadata: {}}))?.data.toString()

/** The value as the database has it. */
const kept = (folder: string, key: string): string => {
  const database = new DatabaseSync(join(folder, 'state.db'))
  const row = database.prepare('SELECT value, is_binary FROM state WHERE key = ?').get(key)
  database.close()
  const value = String(row?.['value'])
  return row?.['is_binary'] === 1 ? Buffer.from(value, 'base64').toString() : value
}

t.test('values are base64 of nonce, data and tag, and the secret’s name; keys and etags are as before', async t => {
  const folder = t.testdir({'secrets.json': JSON.stringify(SECRETS)})
  for (const name of ['one', 'two', 'three'] as const) {
    const store = await open(t, folder, name)
    await store.set(request('pear', '{"price":1}'))
    const [sealed = '', by] = kept(folder, 'pear').split('||')
    t.equal(by, name)
    const bytes = Buffer.from(sealed, 'base64')
    const key = Buffer.from(SECRETS[name], 'hex')
    const decipher = createDecipheriv(`aes-${key.length * 8}-gcm` as 'aes-256-gcm', key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    t.equal(decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8'), '{"price":1}')
    t.equal(await textOf(store, 'pear'), '{"price":1}')
    const etag = (await store.get('pear', {consistency: '', metadata: {}}))?.etag ?? ''
    await store.transact([
      {kind: 'upsert', request: request('pear', '2', etag)},
      {kind: 'upsert', request: request('plum', '')}
    ])
    t.equal(await textOf(store, 'pear'), '2')
    t.equal(await textOf(store, 'plum'), '')
    t.same((await store.keys?.('p', 10))?.toSorted(), ['pear', 'plum'], 'keys are listed as they are')
    t.same(await store.keys?.('pl', 10), ['plum'])
    await t.rejects(store.set(request('pear', '3', etag)), {message: /etag/, kind: 'mismatch'})
    t.equal(await textOf(store, 'nothing'), undefined)
  }
})

t.test('the secondary key is read, too, and what is saved then has the primary one', async t => {
  const folder = t.testdir({'secrets.json': JSON.stringify(SECRETS)})
  await (await open(t, folder, 'one')).set(request('pear', 'old'))
  const store = await open(t, folder, 'two', 'one')
  t.equal(await textOf(store, 'pear'), 'old')
  await store.set(request('pear', 'new'))
  t.match(kept(folder, 'pear'), /\|\|two$/)
  const without = await open(t, folder, 'three')
  await t.rejects(textOf(without, 'pear'), {
    message:
      'could not decrypt data for state store store: it was encrypted with "two", which is neither primaryEncryptionKey nor secondaryEncryptionKey'
  })
})

t.test('a value that was saved in plain, or changed, is an error in words', async t => {
  const folder = t.testdir({'secrets.json': JSON.stringify(SECRETS)})
  const plain = await open(t, folder, '')
  await plain.set(request('pear', '{"price":1}'))
  await plain.set(request('plum', '"a||b"'))
  await plain.set({...request('lime', 'AAAA||one'), isJson: false})
  const store = await open(t, folder, 'one')
  await t.rejects(textOf(store, 'pear'), {message: /encryption key name not found on record \(it was saved before/})
  await t.rejects(textOf(store, 'plum'), {message: /it was encrypted with "b"", which is neither/}, 'another name')
  await t.rejects(textOf(store, 'lime'), {message: /^could not decrypt data for state store store: cipher: /})
})

t.test('a key that is none keeps the store from opening, with its place', async t => {
  const folder = t.testdir({'secrets.json': JSON.stringify(SECRETS)})
  for (const [primary, why] of [
    ['short', /must be 16, 24 or 32 bytes in hex/],
    ['words', /must be 16, 24 or 32 bytes in hex/],
    ['nope', /encryption key cannot be empty \(the secret nope\)/]
  ] as const) {
    const {failures} = await follow(t, folder, withKeys(folder, primary))
    t.match(failures, [{fault: {message: why, place: {line: 7}}}], primary)
    t.match(failures[0]?.fault.message, /^failed to extract encryption key: /)
  }
  const {failures} = await follow(t, folder, {...withKeys(folder, 'one'), secretStore: ''})
  t.match(failures, [{fault: {message: /but the Component has no auth.secretStore/}}])
})
