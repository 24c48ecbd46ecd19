/**
 * Transactions of a store with an outbox while their run is killed at random moments: each event comes once for each committed
 * transaction, or again, and never without one. All of it: `TRANSACTIONS=1000 KILLS=20 npx node test/long/outbox.test.ts`;
 * `SEED` repeats the moments.
 */
import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {subscribed} from '../e2e/pubsub-shop.ts'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const TRANSACTIONS = Number(process.env['TRANSACTIONS'] ?? 60)
const KILLS = Number(process.env['KILLS'] ?? 4)
const SEED = Number(process.env['SEED'] ?? Date.now() % 1e6)
const OUTBOX = {outboxPublishPubsub: 'bus', outboxPublishTopic: 'orders'}

t.test(
  `what is committed has its events, once or again: ${TRANSACTIONS} transactions, ${KILLS} kills (SEED=${SEED})`,
  {timeout: 600_000},
  async t => {
    const rig = await openRig(t)
    const redis = await freePort()
    const data = join(rig.folder, 'state.db')
    await rig.write({
      'resources/bus.yaml': component('bus', 'pubsub.redis', {
        redisHost: `localhost:${redis}`,
        processingTimeout: '500ms',
        redeliverInterval: '500ms'
      }),
      'resources/store.yaml': component('store', 'state.sqlite', {connectionString: data, ...OUTBOX})
    })
    const counts = join(rig.folder, 'events.txt')
    await rig.template([
      {
        appID: 'shop',
        autoPort: true,
        resourcesPath: '../resources',
        command: ['node', join(import.meta.dirname, '../fixtures/apps/subscriber.mjs')],
        env: {PUBSUB: 'bus', COUNT_FILE: counts}
      }
    ])
    let random = SEED
    const next = (): number => (random = (random * 48_271) % 2_147_483_647) / 2_147_483_647
    const acknowledged: string[] = []
    let run = rig.pillion(['run', '-f', '.'])
    // another one after each kill: somebody else may have got a fixed one meanwhile
    let {http} = await run.ports('shop')
    let kills = 0
    for (let begun = 0; begun < TRANSACTIONS; begun += 10) {
      const sent = Math.min(TRANSACTIONS, begun + 10)
      const batch = Array.from({length: sent - begun}, (_, at) => `k-${begun + at}`)
      const answers = batch.map(async key => {
        const operations = [{operation: 'upsert', request: {key, value: key}}]
        const response = await whenUp(() => http, JSON.stringify({operations}))
        if (response?.status === 204) acknowledged.push(key)
      })
      if (sent >= ((kills + 0.5) * TRANSACTIONS) / KILLS) {
        kills++
        await Promise.race(answers)
        for (let turns = next() * 300; turns > 0; turns--) await new Promise(setImmediate)
        run.signal('SIGKILL')
        await run.exited
        run = rig.pillion(['run', '-f', '.'])
        http = (await run.ports('shop')).http
      }
      await Promise.all(answers)
    }
    const store = new DatabaseSync(data, {readOnly: true})
    t.teardown(() => store.close())
    const keys = store.prepare("SELECT key FROM state WHERE key LIKE 'shop||k-%'").all()
    const committed = new Set(keys.map(({key}) => String(key).replace('shop||', '')))
    const events = (): readonly string[] => (existsSync(counts) ? readFileSync(counts, 'utf8').trim().split('\n') : [])
    while ([...committed].some(key => !events().includes(key)) && !run.hasExited) await pause(50)
    const all = events()
    t.comment(`${committed.size} committed, ${acknowledged.length} acknowledged, ${all.length} events`)
    t.strictSame(
      all.filter(key => !committed.has(key)),
      [],
      'no event without a transaction'
    )
    t.strictSame(
      acknowledged.filter(key => !committed.has(key)),
      []
    )
    t.equal(new Set(all).size, committed.size)
    const markers = (): number =>
      Number(store.prepare("SELECT count(*) AS count FROM state WHERE key LIKE 'outbox-%'").get()?.['count'])
    while (markers() > 0 && !run.hasExited) await pause(50)
    t.equal(markers(), 0, 'no marker is left')
  }
)

/** Asks until the sidecar is there; undefined: it went away meanwhile. */
async function whenUp(port: () => number, body: string): Promise<Response | undefined> {
  for (;;) {
    try {
      return await fetch(`http://127.0.0.1:${port()}/v1.0/state/store/transaction`, {method: 'POST', body})
    } catch (error) {
      const {code = ''} = (error as {readonly cause?: {readonly code?: string}}).cause ?? {}
      if (code !== 'ECONNREFUSED') return undefined
      await pause(20)
    }
  }
}

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

t.test('half an outbox is none; an event whose broker is not there is tried again and again', async t => {
  const half = await openShop(t, {outboxPublishTopic: 'orders'})
  t.equal(await transact(half, [upsert('a', 1)]), 204)
  const rig = await openRig(t)
  const lost = await openShop(t, {...OUTBOX, outboxPublishPubsub: 'train'}, rig)
  t.equal(await transact(lost, [upsert('a', 1)]), 204)
  t.match(await lost.fetch('/v1.0/state/store/a'), {body: '1'})
  await rig.logged('shop', /(?:outbox: the event outbox-\S+ for topic orders of train is tried again[^]*){2}/)
})
