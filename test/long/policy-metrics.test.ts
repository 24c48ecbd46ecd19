import http from 'node:http'
import {Client, credentials} from '@grpc/grpc-js'
import t from 'tap'
import {encode} from '../../src/proxy/net/grpc/message-codec.ts'
import {SaveStateRequest} from '../../src/model/dapr/messages/state.generated.ts'
import type {Driven} from '../rig/command.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

const RESILIENCY = `kind: Resiliency
metadata: {name: main}
spec:
  policies:
    retries: {again: {policy: constant, duration: 1ms, maxRetries: 3}}
    circuitBreakers: {careful: {timeout: 60s, trip: "consecutiveFailures > 1"}}
  targets:
    apps:
      stock: {retry: again}
      fragile: {circuitBreaker: careful}
`

const ACCESS = `kind: Configuration
spec:
  accessControl:
    defaultAction: deny
    policies: [{appId: shop, trustDomain: public, namespace: default, defaultAction: allow}]
`

/** The lines of a metric at the metrics port of an app, without the labels of all. */
const linesOf = async ({env}: Driven, name: string): Promise<readonly string[]> => {
  const response = await fetch(`http://127.0.0.1:${env['DAPR_METRICS_PORT'] ?? ''}/`)
  const lines = (await response.text()).split('\n').filter(line => line.startsWith(`${name}{`))
  return lines.map(line => line.slice(name.length))
}

t.test('each attempt of a call counts at both sidecars; access control counts whom it lets pass', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/resiliency.yaml': RESILIENCY, 'config.yaml': ACCESS})
  await rig.template(
    [
      {appID: 'shop'},
      {appID: 'other'},
      {appID: 'stock', autoPort: true, configFilePath: '../config.yaml'},
      {appID: 'fragile', autoPort: true}
    ],
    {resourcesPath: './resources'}
  )
  rig.pillion(['run', '-f', '.'])
  const [shop, other, stock, fragile] = await Promise.all(
    ['shop', 'other', 'stock', 'fragile'].map(id => rig.driven(id))
  )
  if (shop === undefined || other === undefined || stock === undefined || fragile === undefined) throw new Error('none')
  await Promise.all([stock.listen(), fragile.listen(), fragile.answer({status: 500})])
  const call = shop.fetch('/v1.0/invoke/stock/method/items')
  for (const status of [503, 502, 200]) await (await stock.nextRequest()).reply({status})
  t.match(await call, {status: 200})
  t.match(await other.fetch('/v1.0/invoke/stock/method/items'), {status: 403})

  const name = 'dapr_runtime_service_invocation_'
  t.same(await linesOf(shop, `${name}req_sent_total`), ['{app_id="shop",dst_app_id="stock",type="unary"} 3'])
  t.same(
    await linesOf(shop, `${name}res_recv_total`),
    ['200', '502', '503'].map(status => `{app_id="shop",src_app_id="stock",status="${status}",type="unary"} 1`)
  )
  t.same(await linesOf(shop, 'dapr_http_server_request_count'), [
    '{app_id="shop",method="GET",path="/v1.0/invoke/stock/method/items",status="200"} 1'
  ])
  t.same(await linesOf(stock, `${name}req_recv_total`), ['{app_id="stock",src_app_id="shop"} 3'])
  t.same(
    await linesOf(stock, 'dapr_http_client_completed_count'),
    ['200', '502', '503'].map(status => `{app_id="stock",method="GET",path="/items",status="${status}"} 1`)
  )
  t.same(await linesOf(stock, 'dapr_runtime_acl_app_policy_action_allowed_total'), [
    '{app_id="shop",namespace="default",trustDomain="public"} 1'
  ])
  t.same(await linesOf(stock, 'dapr_runtime_acl_global_policy_action_blocked_total'), [
    '{app_id="other",namespace="default",trustDomain="public"} 1'
  ])

  t.notMatch((await rig.run(['ps'])).stdout, /circuit breaker/)
  for (let failure = 0; failure < 2; failure++) await shop.fetch('/v1.0/invoke/fragile/method/items')
  t.match((await rig.run(['ps'])).stdout, /\ncircuit breaker fragile:items of "shop" is open\n$/)
})

const STORE_POLICIES = `kind: Resiliency
metadata: {name: main}
spec:
  policies:
    retries: {again: {policy: constant, duration: 1ms, maxRetries: 1}}
    circuitBreakers: {careful: {timeout: 60s, trip: "consecutiveFailures > 3"}}
  targets:
    components:
      store: {outbound: {retry: again, circuitBreaker: careful}}
`

const policy = (name: string, status: string): string =>
  `{app_id="shop",flow_direction="outbound",name="main",namespace="",policy="${name}",status="${status}",target="Statestore_store"}`

t.test('calls to components: their policies, in the metrics and in ps; how many there were', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/resiliency.yaml': STORE_POLICIES,
    'resources/store.yaml': component('store', 'state.in-memory'),
    'resources/vault.yaml': component('vault', 'secretstores.local.env')
  })
  await rig.template([{appID: 'shop', autoPort: true, resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  const save = async (metadata: object): ReturnType<Driven['fetch']> =>
    shop.fetch('/v1.0/state/store', {method: 'POST', body: JSON.stringify([{key: 'a', value: 1, metadata}])})
  t.match(await save({}), {status: 204})
  t.match(await shop.fetch('/v1.0/state/store/a'), {status: 200})
  // what the store itself refuses is a failure like any other
  for (let failure = 0; failure < 2; failure++)
    t.match(await save({ttlInSeconds: 'x'}), {status: 500, body: /valid integer/})
  t.match(await shop.fetch('/v1.0/state/store/a'), {
    status: 500,
    body: '{"errorCode":"ERR_STATE_GET","message":"fail to get a from state store store: circuit breaker is open"}'
  })
  await shop.fetch('/v1.0/secrets/vault/bulk')
  t.match((await rig.run(['ps'])).stdout, /\ncircuit breaker careful-store of "shop" is open\n$/)

  const labels = 'app_id="shop",component="store",namespace=""'
  t.same(await linesOf(shop, 'dapr_component_state_count'), [
    `{${labels},operation="get",success="false"} 1`,
    `{${labels},operation="get",success="true"} 1`,
    `{${labels},operation="set",success="false"} 2`,
    `{${labels},operation="set",success="true"} 1`
  ])
  t.match(await linesOf(shop, 'dapr_component_state_latencies_count'), {length: 4})
  t.same(await linesOf(shop, 'dapr_component_secret_count'), [
    '{app_id="shop",component="vault",namespace="",operation="bulk_get",success="true"} 1'
  ])
  t.same(await linesOf(shop, 'dapr_resiliency_count'), [
    `${policy('circuitbreaker', 'closed')} 4`,
    `${policy('circuitbreaker', 'open')} 1`,
    `${policy('retry', '')} 5`
  ])
  t.same(await linesOf(shop, 'dapr_resiliency_activations_total'), [
    `${policy('circuitbreaker', 'open')} 1`,
    `${policy('retry', '')} 2`
  ])
})

/** Calls for ever failing saves, and leave them. */
const CALLERS: Readonly<Record<string, (shop: Driven) => () => void>> = {
  HTTP: ({env}) => {
    const leaving = new AbortController()
    const url = `http://127.0.0.1:${env['DAPR_HTTP_PORT'] ?? ''}/v1.0/state/store`
    const body = JSON.stringify([{key: 'a', value: 1, metadata: {ttlInSeconds: 'x'}}])
    void fetch(url, {method: 'POST', body, signal: leaving.signal}).catch(() => undefined)
    return () => leaving.abort()
  },
  'HTTP, read by node:http': ({env}) => {
    const request = http.request({port: env['DAPR_HTTP_PORT'], path: '/v1.0/state/store', method: 'POST'})
    request.on('error', () => undefined)
    request.setHeader('transfer-encoding', 'chunked')
    request.end(JSON.stringify([{key: 'a', value: 1, metadata: {ttlInSeconds: 'x'}}]))
    return () => request.destroy()
  },
  gRPC: ({env}) => {
    const client = new Client(`127.0.0.1:${env['DAPR_GRPC_PORT'] ?? ''}`, credentials.createInsecure())
    const item = {key: 'a', value: Buffer.from('1'), etag: undefined, metadata: {ttlInSeconds: 'x'}, options: undefined}
    const call = client.makeUnaryRequest(
      '/dapr.proto.runtime.v1.Dapr/SaveState',
      () => Buffer.from(encode(SaveStateRequest, {storeName: 'store', states: [item]})),
      bytes => bytes,
      null,
      () => client.close()
    )
    return () => call.cancel()
  }
}

for (const [name, begin] of Object.entries(CALLERS))
  t.test(`a call to a component that nobody waits for any more is not repeated: ${name}`, async t => {
    const rig = await openRig(t)
    const policies = {retries: {DefaultRetryPolicy: {policy: 'constant', duration: '1ms'}}}
    await rig.write({
      'resources/resiliency.yaml': JSON.stringify({kind: 'Resiliency', metadata: {name: 'main'}, spec: {policies}}),
      'resources/store.yaml': component('store', 'state.in-memory')
    })
    await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
    rig.pillion(['run', '-f', '.'])
    const shop = await rig.driven('shop')
    const leave = begin(shop)
    while ((await linesOf(shop, 'dapr_resiliency_activations_total')).length === 0);
    t.same(await linesOf(shop, 'dapr_component_state_count'), [], 'it is repeated for ever')
    leave()
    while ((await linesOf(shop, 'dapr_component_state_count')).length === 0);
    t.match(await linesOf(shop, 'dapr_component_state_count'), [/operation="set",success="false"} 1$/])
  })
