import {once} from 'node:events'
import {readdirSync, readFileSync} from 'node:fs'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {GetStateRequest, GetStateResponse, SaveStateRequest} from '../../src/model/dapr/messages/state.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {daprdsOf, installDaprd, skipWithoutDaprd} from '../rig/daprd.ts'
import type {Driven} from '../rig/command.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {subscribed} from '../e2e/pubsub-shop.ts'

t.jobs = 2

const turn = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const log = (rig: Rig): string => {
  const folder = join(rig.folder, 'shop/.dapr/logs')
  const name = readdirSync(folder).find(each => each.includes('_daprd_')) ?? ''
  return readFileSync(join(folder, name), 'utf8')
}

const post = async (shop: Driven, path: string, body: unknown): ReturnType<Driven['fetch']> =>
  shop.fetch(path, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)})

/** What we have ourselves daprd has, too: no test needs a server. */
const ALWAYS = {PILLION_DAPRD: 'always'}

t.test('a binding that we lack is daprd’s, next to the app whose file names it', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  const seen: string[] = []
  const webhook = createServer((request, response) => {
    request.on('data', (piece: Buffer) => seen.push(piece.toString()))
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{"data":{"name":"pear"}}'))
  }).listen(0, '127.0.0.1')
  await once(webhook, 'listening')
  t.teardown(() => webhook.close())
  const url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/graphql`
  await rig.write({
    'resources/fruit.yaml': component('fruit', 'bindings.graphql', {endpoint: url}),
    'resources/store.yaml': component('store', 'state.in-memory'),
    'plain/none.txt': ''
  })
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {appID: 'plain', autoPort: true, resourcesPath: '../plain'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, plain] = await Promise.all([rig.driven('shop'), rig.driven('plain')])
  await Promise.all([shop.listen(), plain.listen()])
  t.equal(daprdsOf(rig).length, 1)
  const query = {operation: 'query', metadata: {query: 'query {fruit{name}}'}}
  t.match(await post(shop, '/v1.0/bindings/fruit', query), {
    status: 200,
    body: '{"name":"pear"}',
    headers: {'metadata.operation': 'query'}
  })
  t.match(seen.join(''), /\{fruit\{name\}\}/)
  t.match(await post(shop, '/v1.0/bindings/fruit', {operation: 'fly'}), {
    status: 500,
    body: /error invoking output binding fruit: binding fruit does not support operation fly\. supported operations:query mutation/
  })
  t.match(await post(plain, '/v1.0/bindings/fruit', query), {status: 500, body: /couldn't find output binding fruit/})
  t.match(await post(shop, '/v1.0/state/store', [{key: 'k', value: 1}]), {status: 204})
  const {components} = JSON.parse((await shop.fetch('/v1.0/metadata')).body) as {readonly components: readonly object[]}
  t.match(components, [
    {name: 'fruit', type: 'bindings.graphql', version: 'v1', capabilities: ['OUTPUT_BINDING']},
    {name: 'store', type: 'state.in-memory'}
  ])
  const list = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {appId: string}[]
  t.same(
    list.map(({appId}) => appId),
    ['shop', 'plain']
  )
  t.match(log(rig), /Component loaded: fruit \(bindings\.graphql\/v1\)" app_id=shop daprd=\d/)
  t.match(await rig.run(['validate']), {
    code: 0,
    stderr: /Component "fruit" \(bindings\.graphql\) is served by daprd \d\S+ \(\S+\) next to the app/
  })
  t.match(await run.end('SIGINT'), {code: 0})
  t.equal(run.stderr.text, '')
  t.same(await rig.leftovers(), [])
  t.same(readdirSync(rig.runtimeDir), [])
})

t.test('state, secrets, locks and configuration of daprd answer as our own', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({
    'resources/store.yaml': component('store', 'state.in-memory', {keyPrefix: 'name'}),
    'resources/env.yaml': component('env', 'secretstores.local.env'),
    'config.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Configuration',
      metadata: {name: 'c'},
      spec: {secrets: {scopes: [{storeName: 'env', deniedSecrets: ['DENIED']}]}}
    })
  })
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', configFilePath: '../config.yaml'}])
  rig.pillion(['run', '-f', '.'], {env: {...ALWAYS, GREETING: 'hello', DENIED: 'x', DAPR_API_TOKEN: 'token'}})
  const shop = await rig.driven('shop')
  await shop.listen()
  const headers = {'dapr-api-token': 'token', 'content-type': 'application/json'}
  const call = async (method: string, path: string, body?: unknown) =>
    shop.fetch(path, {method, headers, ...(body !== undefined && {body: JSON.stringify(body)})})
  t.match(await shop.fetch('/v1.0/state/store/k'), {status: 401})
  t.match(await call('POST', '/v1.0/state/store', [{key: 'k', value: {a: [1, 'ü']}}]), {status: 204, body: ''})
  const item = await call('GET', '/v1.0/state/store/k')
  t.match(item, {status: 200, body: '{"a":[1,"ü"]}', headers: {'content-type': 'application/json'}})
  t.ok(item.headers['etag'])
  t.match(await call('GET', '/v1.0/state/store/none'), {status: 204})
  t.match(await call('POST', '/v1.0/state/store', [{key: 'k', value: 2, etag: 'old'}]), {
    status: 409,
    body: /"ERR_STATE_SAVE","message":"failed saving state in state store store: possible etag mismatch\. error from state store/
  })
  t.match(await call('POST', '/v1.0/state/store/bulk', {keys: ['k', 'none']}), {
    status: 200,
    body: /^\[\{"key":"k","data":\{"a":\[1,"ü"\]\},"etag":"[^"]+"\},\{"key":"none"\}\]$/
  })
  const operations = [
    {operation: 'upsert', request: {key: 'new', value: 'text'}},
    {operation: 'delete', request: {key: 'k'}}
  ]
  t.match(await call('POST', '/v1.0/state/store/transaction', {operations}), {status: 204})
  t.match(await call('GET', '/v1.0/state/store/new'), {status: 200, body: '"text"'})
  t.match(await call('GET', '/v1.0/state/store/k'), {status: 204})
  t.match(await call('DELETE', '/v1.0/state/store/new'), {status: 204})
  t.match(await call('GET', '/v1.0/state/store/new'), {status: 204})
  const client = new DaprClient(t, Number(shop.env['DAPR_GRPC_PORT']))
  const token = {'dapr-api-token': 'token'}
  const bytes = Buffer.from([0, 255, 10])
  const states = [{key: 'bytes', value: bytes, etag: undefined, metadata: {}, options: undefined}]
  t.equal((await client.call('SaveState', [SaveStateRequest, {storeName: 'store', states}], undefined, token)).code, 0)
  const got = await client.call(
    'GetState',
    [GetStateRequest, {storeName: 'store', key: 'bytes'}],
    GetStateResponse,
    token
  )
  t.same(Buffer.from(got.answer?.data ?? []), bytes)
  t.match(await call('GET', '/v1.0/secrets/env/GREETING'), {status: 200, body: '{"GREETING":"hello"}'})
  t.match(await call('GET', '/v1.0/secrets/env/DENIED'), {status: 403})
  const all = JSON.parse((await call('GET', '/v1.0/secrets/env/bulk')).body) as Readonly<Record<string, unknown>>
  t.match(all, {GREETING: {GREETING: 'hello'}})
  t.notOk('DENIED' in all)
})

const publish = async (shop: Driven, topic: string, body: unknown): Promise<void> => {
  const {status, body: text} = await post(shop, `/v1.0/publish/bus/${topic}`, body)
  if (status !== 204) throw new Error(text)
}

t.test('events of daprd’s broker come through us: routes, answers, a reload', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory'), 'shop/watched.txt': '1'})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources', watch: {paths: ['*.txt']}}])
  const run = rig.pillion(['run', '-f', '.'], {env: ALWAYS})
  const shop = await rig.driven('shop')
  const list = [
    {
      pubsubname: 'bus',
      topic: 'orders',
      routes: {rules: [{match: 'event.data.n > 5', path: '/large'}], default: '/small'},
      deadLetterTopic: 'dead'
    },
    {pubsubname: 'bus', topic: 'dead', route: '/dead'},
    {pubsubname: 'bus', topic: 'raw', route: '/raw', metadata: {rawPayload: 'true'}}
  ]
  await shop.subscribe(list)
  await shop.listen()
  await subscribed(shop, 3)
  await publish(shop, 'orders', {n: 7})
  const first = await shop.nextRequest()
  t.match(first, {
    method: 'POST',
    url: '/large',
    headers: {'content-type': 'application/cloudevents+json', pubsubname: 'bus'}
  })
  t.match(JSON.parse(first.body), {
    data: {n: 7},
    topic: 'orders',
    pubsubname: 'bus',
    source: 'shop',
    type: 'com.dapr.event.sent'
  })
  await first.reply({body: '{"status":"SUCCESS"}'})
  await publish(shop, 'orders', {n: 1})
  const second = await shop.nextRequest()
  t.equal(second.url, '/small')
  await second.reply({body: '{"status":"DROP"}'})
  const dead = await shop.nextRequest()
  t.match(dead, {url: '/dead', body: /"topic":"orders"/})
  await dead.reply()
  await publish(shop, 'raw', {plain: true})
  const raw = await shop.nextRequest()
  t.match(raw.url, '/raw')
  const {data_base64: bytes} = JSON.parse(raw.body) as {readonly data_base64: string}
  t.match(JSON.parse(Buffer.from(bytes, 'base64').toString()), {data: {plain: true}})
  await raw.reply()

  const {http} = await run.ports('shop')
  await rig.write({'shop/watched.txt': '2'})
  await shop.closed
  const answer = await fetch(`http://127.0.0.1:${http}/v1.0/publish/bus/orders`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: '{"n":9}'
  })
  t.equal(answer.status, 204)
  const next = await rig.driven('shop')
  await next.subscribe(list)
  await next.listen()
  const held = await next.nextRequest()
  t.match(JSON.parse(held.body), {data: {n: 9}})
  await held.reply()
  t.equal(daprdsOf(rig).length, 1)
})

t.test('a process that wants other topics gets them', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory')})
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'], {env: ALWAYS})
  const shop = await rig.driven('shop')
  await shop.subscribe([{pubsubname: 'bus', topic: 'a', route: '/a'}])
  await shop.listen()
  await subscribed(shop, 1)
  const [before] = daprdsOf(rig)
  const restarted = rig.run(['restart', 'shop'])
  const next = await rig.driven('shop')
  await next.subscribe([
    {pubsubname: 'bus', topic: 'a', route: '/a'},
    {pubsubname: 'bus', topic: 'b', route: '/b'}
  ])
  await next.listen()
  await restarted
  await subscribed(next, 2)
  while (daprdsOf(rig).includes(before ?? 0) || daprdsOf(rig).length !== 1) await turn()
  // the new one subscribes in its own time, and a broker in memory keeps nothing
  const urls: string[] = []
  const take = async (): Promise<void> => {
    const request = await next.nextRequest()
    await next.answer({})
    urls.push(request.url)
    await request.reply()
  }
  void take()
  while (urls.length === 0) await publish(next, 'b', {n: 1})
  t.same(urls, ['/b'])
})

t.test('an input binding of daprd brings its events when the app wants them', {skip: skipWithoutDaprd}, async t => {
  const rig = await openRig(t)
  installDaprd(rig)
  await rig.write({
    'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: '@every 1s', route: '/ticks'}),
    'resources/quiet.yaml': component('quiet', 'bindings.cron', {schedule: '@every 1s'}),
    'resources/store.yaml': component('store', 'state.in-memory')
  })
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'], {env: ALWAYS})
  const shop = await rig.driven('shop')
  await shop.listen()
  const asked = [await shop.nextRequest(), await shop.nextRequest()]
  t.same(asked.map(({method, url}) => `${method} ${url}`).toSorted(), ['OPTIONS /quiet', 'OPTIONS /ticks'])
  for (const each of asked) await each.reply({status: each.url === '/ticks' ? 200 : 404})
  const tick = await shop.nextRequest()
  t.match(tick, {method: 'POST', url: '/ticks', headers: {readtimeutc: /^\d{4}-/}})
  await tick.reply({body: JSON.stringify({storeName: 'store', state: [{key: 'k', value: 1}]})})
  while ((await shop.fetch('/v1.0/state/store/k')).body !== '1') await turn()
  const later = await shop.nextRequest()
  t.equal(later.url, '/ticks')
  await later.reply()
})
