import t from 'tap'
import type {Driven} from '../rig/command.ts'
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
  t.match((await rig.run(['ps'])).stdout, /\nshop: circuit breaker fragile:items is open\n$/)
})
