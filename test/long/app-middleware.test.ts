import {createServer} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {listen} from '../integration/dapr/sidecar/rig.ts'
import type {Answer, Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'

type Metadata = Readonly<Record<string, string>>

const middleware = (name: string, type: string, metadata: Metadata = {}): string =>
  component(name, `middleware.http.${type}`, metadata)

const ALIAS = middleware('alias', 'routeralias', {routes: '{"/old/{id}": "/new items"}'})
const UPPER = middleware('upper', 'uppercase')
const handlers = (...types: readonly string[]): string =>
  JSON.stringify({
    kind: 'Configuration',
    spec: {
      appHttpPipeline: {
        handlers: types.map(each => ({name: each.split(' ')[0], type: `middleware.http.${each.split(' ')[1] ?? ''}`}))
      }
    }
  })

interface Shop {
  readonly rig: Rig
  readonly run: Program
  readonly shop: Driven
  readonly stock: Driven
}

/** `stock` has these resources and this Configuration, `shop` calls it. */
const openShop = async (t: Test, resources: readonly string[], config: string): Promise<Shop> => {
  const rig = await openRig(t)
  await rig.write({'resources/all.yaml': resources.join('\n---\n'), 'config.yaml': config})
  await rig.template([
    {appID: 'shop', autoPort: true},
    {appID: 'stock', autoPort: true, configFilePath: '../config.yaml', resourcesPath: '../resources'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await Promise.all([shop.listen(), shop.answer({body: 'shop'}), stock.listen()])
  return {rig, run, shop, stock}
}

t.test('requests to an app pass its middleware, whoever calls; so do its own to external endpoints', async t => {
  const asked: string[] = []
  const site = await listen(
    t,
    createServer((request, response) => {
      asked.push(request.url ?? '')
      request.on('data', (piece: Buffer) => response.write(piece)).on('end', () => response.end())
    })
  )
  const endpoint = JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'HTTPEndpoint',
    metadata: {name: 'site'},
    spec: {baseUrl: `http://127.0.0.1:${site}/base`}
  })
  const {rig, run, shop, stock} = await openShop(
    t,
    [ALIAS, UPPER, endpoint],
    handlers('alias routeralias', 'absent oauth2', 'upper uppercase')
  )
  rig.pillion(['run', '-a', 'far', '--', ...rig.drivenCommand])
  const far = await rig.driven('far')
  for (const caller of [shop, stock, far]) {
    const call = caller.fetch('/v1.0/invoke/stock/method/old/7?n=1', {method: 'POST', body: 'pear'})
    const request = await stock.nextRequest()
    t.match(request, {method: 'POST', url: '/new%20items?n=1&id=7', body: 'PEAR'}, caller.hello.id)
    await request.reply({body: 'small'})
    t.match(await call, {status: 200, body: 'small'})
  }
  const reply = await stock.fetch('/v1.0/invoke/site/method/old/8', {method: 'POST', body: 'plum'})
  t.match(reply, {status: 200, body: 'PLUM'})
  t.same(asked, ['/base/new%20items?id=8'])
  t.match(await stock.fetch('/v1.0/invoke/shop/method/old/7'), {body: 'shop'}, 'other apps have no middleware')
  t.notMatch(run.stderr.text, /not supported/)
})

t.test('what middleware replies takes the place of the response; edits count at once', async t => {
  const limit = middleware('limit', 'ratelimit', {maxRequestsPerSecond: '0.001'})
  const {rig, shop, stock} = await openShop(t, [limit], handlers('limit ratelimit'))
  await stock.answer({body: 'stock'})
  const get = async (): Promise<Answer> => shop.fetch('/v1.0/invoke/stock/method/x')
  // one request is let pass: a callback of the sidecar is one, too
  let answer = await get()
  while (answer.status !== 429) answer = await get()
  t.match(answer, {body: 'You have reached maximum request limit.', headers: {traceparent: /^00-/}})
  await rig.write({'config.yaml': handlers()})
  while ((await get()).status !== 200) await pause(10)
})

t.test('policies see what middleware replies; a retry passes it anew, and sends the body again', async t => {
  const rig = await openRig(t)
  const policies = {retries: {again: {policy: 'constant', duration: '1ms', maxRetries: 3}}}
  const checker = middleware('check', 'routerchecker', {rule: '^/dapr|^/good'})
  await rig.write({
    'resources/all.yaml': [checker, UPPER].join('\n---\n'),
    'resources/retry.yaml': JSON.stringify({
      kind: 'Resiliency',
      metadata: {name: 'r'},
      spec: {policies, targets: {apps: {stock: {retry: 'again'}}}}
    }),
    'config.yaml': handlers('check routerchecker', 'upper uppercase')
  })
  await rig.template([
    {appID: 'shop', autoPort: true, resourcesPath: '../resources'},
    {appID: 'stock', autoPort: true, configFilePath: '../config.yaml', resourcesPath: '../resources'}
  ])
  rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await stock.listen()
  t.match(await shop.fetch('/v1.0/invoke/stock/method/bad'), {status: 400, body: 'invalid router\n'})
  await rig.logged('shop', /stock: 400, retry 3 of 3/)
  const call = shop.fetch('/v1.0/invoke/stock/method/good', {method: 'POST', body: 'pear'})
  for (const status of [503, 200]) {
    const request = await stock.nextRequest()
    t.match(request, {body: 'PEAR'})
    await request.reply({status, body: status.toString()})
  }
  t.match(await call, {status: 200, body: '200'})
})

/** Components for a pipeline of `stock`, with the priority of its alias. */
const placed = (priority: string): readonly string[] => [
  middleware('check', 'routerchecker', {rule: '^/(dapr|good)', pipelineType: 'appHttpPipeline', priority: '2'}),
  middleware('alias', 'routeralias', {routes: '{"/bad": "/good"}', pipelineType: 'appHttpPipeline', priority}),
  middleware('upper', 'uppercase', {pipelineType: 'httpPipeline', priority: '1'})
]

t.test('Components say by pipelineType and priority where they belong, if the Configuration does not', async t => {
  const {rig, shop, stock} = await openShop(t, placed('1'), 'kind: Configuration')
  await stock.answer({body: 'stock'})
  t.match(await shop.fetch('/v1.0/invoke/stock/method/bad'), {status: 200})
  t.match(await shop.fetch('/v1.0/invoke/stock/method/other'), {status: 400})
  const call = stock.fetch('/v1.0/invoke/shop/method/x', {method: 'POST', body: 'pear'})
  t.match(await call, {status: 200})
  await rig.write({'resources/all.yaml': placed('3').join('\n---\n')})
  while ((await shop.fetch('/v1.0/invoke/stock/method/bad')).status !== 400) await pause(10)

  const other = await openRig(t)
  await other.write({'resources/all.yaml': placed('first').join('\n---\n')})
  await other.template([{appID: 'stock', resourcesPath: '../resources'}])
  t.match(await other.run(['run', '-f', '.']), {
    code: 1,
    stderr:
      /"stock" was not started: resources\/all\.yaml:\d+: the middleware "alias" cannot be used: its priority first is no integer/
  })
})
