import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import t, {type Test} from 'tap'
import {subscribed} from '../e2e/pubsub-shop.ts'
import type {Driven} from '../rig/command.ts'
import {killWithOutbox, KILLED, OUTBOX} from '../rig/outbox-kills.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** A store of SQLite, and what it has; `isEncrypted`: with a key. */
const sqlite = (t: Test, rig: Rig, isEncrypted: boolean) => {
  const path = join(rig.folder, 'state.db')
  const key = {name: 'primaryEncryptionKey', secretKeyRef: {name: 'one', key: 'one'}}
  const store = JSON.parse(component('store', 'state.sqlite', {connectionString: path, ...OUTBOX})) as {
    readonly spec: {readonly metadata: object[]}
  }
  if (isEncrypted) store.spec.metadata.push(key)
  let database: DatabaseSync | undefined
  t.teardown(() => database?.close())
  return {
    resources: {
      'resources/store.yaml': JSON.stringify({...store, auth: {secretStore: 'vault'}}),
      'resources/vault.yaml': component('vault', 'secretstores.local.file', {
        secretsFile: join(rig.folder, 'vault.json')
      }),
      'vault.json': JSON.stringify({one: '11'.repeat(32)})
    },
    keys: async () => {
      database ??= new DatabaseSync(path, {readOnly: true})
      return Promise.resolve(
        database
          .prepare('SELECT key FROM state')
          .all()
          .map(({key}) => String(key))
      )
    }
  }
}

t.test(`what is committed has its events, once or again: ${KILLED}`, {timeout: 600_000}, async t => {
  const rig = await openRig(t)
  await killWithOutbox(t, rig, {...sqlite(t, rig, false), protocol: 'http'})
})

t.test(`the same over gRPC, of an encrypted store: ${KILLED}`, {timeout: 600_000}, async t => {
  const rig = await openRig(t)
  await killWithOutbox(t, rig, {...sqlite(t, rig, true), protocol: 'grpc'})
})

const openShop = async (t: Test, outbox: Readonly<Record<string, string>>, given?: Rig): Promise<Driven> => {
  const rig = given ?? (await openRig(t))
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'resources/store.yaml': component('store', 'state.in-memory', outbox)
  })
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', stop: {timeout: '500ms'}}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  await shop.listen()
  await subscribed(shop, 1)
  return shop
}

const transact = async (shop: Driven, operations: readonly object[]): Promise<number> => {
  const body = JSON.stringify({operations})
  return (await shop.fetch('/v1.0/state/store/transaction', {method: 'POST', body})).status
}

const upsert = (key: string, value: unknown, metadata: object = {}): object => ({
  operation: 'upsert',
  request: {key, value, metadata}
})

t.test('what an event says: the value, or that of a projection; other metadata are its keys', async t => {
  const shop = await openShop(t, OUTBOX)
  const status = await transact(shop, [
    upsert('a', 'text'),
    upsert('b', {o: 1}, {id: 'x', data: 'x', colour: 'red', 'cloudevent.type': 'sold'}),
    upsert('c', {secret: 1}),
    upsert('c', {shown: 2}, {'outbox.projection': 'true', contentType: 'application/json'}),
    {operation: 'delete', request: {key: 'd'}}
  ])
  t.equal(status, 204)
  const events = await Promise.all(
    [1, 2, 3].map(async () => {
      const request = await shop.nextRequest()
      await request.reply({status: 200})
      return JSON.parse(request.body) as {readonly data: unknown; readonly id: string}
    })
  )
  const of = (data: unknown): object | undefined =>
    events.find(each => JSON.stringify(each.data) === JSON.stringify(data))
  t.match(of('text'), {
    datacontenttype: 'text/plain',
    source: 'shop',
    topic: 'orders',
    pubsubname: 'bus',
    type: 'com.dapr.event.sent',
    specversion: '1.0',
    id: /^outbox-[\da-f-]{36}$/
  })
  t.match(of({o: 1}), {datacontenttype: 'application/json', colour: 'red', 'cloudevent.type': 'sold', id: /^outbox-/})
  t.match(of({shown: 2}), {datacontenttype: 'application/json'})
  t.match(await shop.fetch('/v1.0/state/store/c'), {body: '{"secret":1}'}, 'a projection is not saved')
  await shop.fetch('/v1.0/state/store', {method: 'POST', body: '[{"key":"e","value":1}]'})
  t.equal(await transact(shop, [{operation: 'upsert', request: {key: 'a', value: 1, etag: '99'}}]), 500)
  t.equal(await transact(shop, [{operation: 'delete', request: {key: 'a'}}]), 204)
  t.equal(await transact(shop, [upsert('last', 1)]), 204)
  const last = await shop.nextRequest()
  t.match(JSON.parse(last.body), {data: 1}, 'saves, deletes and refused transactions have no events')
  await last.reply({status: 200})
})

t.test('the event of a transaction belongs to the trace of its caller', async t => {
  const shop = await openShop(t, OUTBOX)
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  const body = JSON.stringify({operations: [upsert('a', 1)]})
  await shop.fetch('/v1.0/state/store/transaction', {method: 'POST', headers: {traceparent}, body})
  const request = await shop.nextRequest()
  t.match(JSON.parse(request.body), {data: 1, traceparent, traceid: traceparent})
  t.match(request.headers, {traceparent: new RegExp('a'.repeat(32))})
  await request.reply({status: 200})
})

t.test('half an outbox is none; one whose pub/sub is not there refuses the transaction', async t => {
  const half = await openShop(t, {outboxPublishTopic: 'orders'})
  t.equal(await transact(half, [upsert('a', 1)]), 204)
  const rig = await openRig(t)
  const lost = await openShop(t, {...OUTBOX, outboxPublishPubsub: 'train'}, rig)
  t.equal(await transact(lost, [upsert('a', 1)]), 500)
  t.match(await lost.fetch('/v1.0/state/store/a'), {status: 204, body: ''}, 'nothing is saved')
})
