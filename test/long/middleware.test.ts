import {once} from 'node:events'
import {readdirSync, readFileSync} from 'node:fs'
import {createServer} from 'node:http'
import http2 from 'node:http2'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {exportJWK, generateKeyPair, SignJWT} from 'jose'
import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {component} from '../rig/resource-files.ts'

interface Handler {
  readonly name: string
  readonly type: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** A Component for each handler that has metadata. */
const componentsOf = (handlers: readonly Handler[]): string =>
  handlers
    .filter(({metadata}) => metadata !== undefined)
    .map(({name, type, metadata}) => component(name, `middleware.http.${type}`, metadata))
    .join('\n---\n')

const configOf = (handlers: readonly Handler[]): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Configuration',
    metadata: {name: 'config'},
    spec: {httpPipeline: {handlers: handlers.map(({name, type}) => ({name, type: `middleware.http.${type}`}))}}
  })

interface Shop {
  readonly rig: Rig
  readonly run: Program
  readonly shop: Driven
  readonly stock: Driven
}

/** `shop`, whose sidecar has these handlers, and `stock`, which it calls. */
const openShop = async (t: Test, handlers: readonly Handler[]): Promise<Shop> => {
  const rig = await openRig(t)
  await rig.write({'resources/middleware.yaml': componentsOf(handlers), 'config.yaml': configOf(handlers)})
  await rig.template([
    {appID: 'shop', autoPort: true, configFilePath: '../config.yaml', resourcesPath: '../resources'},
    {appID: 'stock', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await Promise.all([shop.listen(), shop.answer({body: 'shop'}), stock.listen()])
  return {rig, run, shop, stock}
}

t.test('requests pass the pipeline in its order, over any HTTP; a handler without a Component is skipped', async t => {
  const {rig, run, shop, stock} = await openShop(t, [
    {name: 'absent', type: 'oauth2'},
    {name: 'alias', type: 'routeralias', metadata: {routes: '{"/buy/{id}": "/v1.0/invoke/stock/method/items"}'}},
    {name: 'check', type: 'routerchecker', metadata: {rule: '^/v1\\.0/invoke/stock/'}},
    {name: 'upper', type: 'uppercase', metadata: {}}
  ])
  for (const path of ['/buy/7?n=1', '/v1.0/invoke/stock/method/items?n=1&id=7']) {
    const call = shop.fetch(path, {method: 'POST', body: 'pear'})
    const request = await stock.nextRequest()
    t.match(request, {method: 'POST', url: '/items?n=1&id=7', body: 'PEAR'})
    await request.reply({body: 'small'})
    t.match(await call, {status: 200, body: 'small'}, 'the answer is as it was')
  }
  t.match(await shop.fetch('/v1.0/metadata'), {status: 400, body: 'invalid router\n'})

  const {http} = await run.ports('shop')
  const session = http2.connect(`http://127.0.0.1:${http}`)
  t.teardown(() => session.destroy())
  const stream = session.request({':method': 'POST', ':path': '/buy/9'})
  const answered = once(stream, 'response')
  stream.resume().end('plum')
  const request = await stock.nextRequest()
  t.match(request, {url: '/items?id=9', body: 'PLUM'})
  await request.reply({body: 'over HTTP/2'})
  const [answer] = (await answered) as [Record<string, unknown>]
  t.equal(answer[':status'], 200)

  t.match(await stock.fetch('/v1.0/invoke/shop/method/x'), {body: 'shop'}, 'calls to its app do not pass it')
  rig.pillion(['run', '-a', 'far', '--', ...rig.drivenCommand])
  const far = await rig.driven('far')
  t.match(await far.fetch('/v1.0/invoke/shop/method/x'), {body: 'shop'}, 'nor do those of other runs')
  t.notMatch(run.stderr.text, /not supported/)
})

t.test('ratelimit: what is too much gets 429', async t => {
  const limit = {name: 'limit', type: 'ratelimit', metadata: {maxRequestsPerSecond: '0.001'}}
  const {shop, stock} = await openShop(t, [limit])
  await stock.answer({body: 'stock'})
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {status: 200})
  t.match(await shop.fetch('/v1.0/invoke/stock/method/x'), {
    status: 429,
    body: 'You have reached maximum request limit.',
    headers: {'content-type': 'text/plain; charset=utf-8'}
  })
})

t.test('bearer: only tokens of the issuer, for the audience, with a key of its own', async t => {
  const [ours, other] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')]
  const jwk = {...(await exportJWK(ours.publicKey)), kid: 'k', alg: 'ES256'}
  const server = createServer((_, response) => response.end(JSON.stringify({keys: [jwk]}))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const jwksURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  const metadata = {issuer: 'https://issuer', audience: 'shop', jwksURL}
  const {shop, stock} = await openShop(t, [{name: 'token', type: 'bearer', metadata}])
  await stock.answer({body: 'stock'})
  const token = async (issuer: string, audience: string, {privateKey} = ours): Promise<string> =>
    new SignJWT({})
      .setProtectedHeader({alg: 'ES256', kid: 'k'})
      .setIssuer(issuer)
      .setAudience(audience)
      .sign(privateKey)
  const cases: readonly (readonly [authorization: string, status: number])[] = [
    [`Bearer ${await token('https://issuer', 'shop')}`, 200],
    [`bearer ${await token('https://issuer', 'shop')}`, 200],
    ['', 401],
    ['Bearer nonsense', 401],
    [`Bearer ${await token('https://issuer', 'stock')}`, 401],
    [`Bearer ${await token('https://elsewhere', 'shop')}`, 401],
    [`Bearer ${await token('https://issuer', 'shop', other)}`, 401]
  ]
  for (const [authorization, status] of cases) {
    const headers: Record<string, string> = authorization === '' ? {} : {authorization}
    t.equal((await shop.fetch('/v1.0/invoke/stock/method/x', {headers})).status, status, authorization.slice(0, 20))
  }
})

t.test('a middleware of an unknown type: its app is not started, its sidecar lets nothing pass, exit 1', async t => {
  const rig = await openRig(t)
  const handlers = [{name: 'login', type: 'oauth2', metadata: {clientId: 'x'}}]
  await rig.write({'resources/middleware.yaml': componentsOf(handlers), 'config.yaml': configOf(handlers)})
  await rig.template([
    {appID: 'shop', autoPort: true, configFilePath: '../config.yaml', resourcesPath: '../resources'},
    {appID: 'stock', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await run.waitForLine(
    '"shop" was not started: config.yaml:1: the middleware "login" is of type middleware.http.oauth2, which is not supported yet',
    {stream: 'stderr'}
  )
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as {appId: string; httpPort: number}[]
  const port = rows.find(({appId}) => appId === 'shop')?.httpPort ?? 0
  t.equal((await fetch(`http://127.0.0.1:${port}/v1.0/invoke/stock/method/x`)).status, 500)
  await stock.exit(0)
  t.match(await run.exited, {code: 1})
})

const check = (rule: string): readonly Handler[] => [{name: 'check', type: 'routerchecker', metadata: {rule}}]

t.test('the pipeline changes while the apps run; one that cannot be made leaves the last good one', async t => {
  const {rig, shop, stock} = await openShop(t, check('^/none'))
  await stock.answer({body: 'stock'})
  const status = async (): Promise<number> => (await shop.fetch('/v1.0/invoke/stock/method/x')).status
  t.equal(await status(), 400)
  await rig.write({'resources/middleware.yaml': componentsOf(check('stock'))})
  while ((await status()) !== 200) await pause(10)
  await rig.write({'resources/middleware.yaml': componentsOf(check('('))})
  const logs = join(rig.folder, 'shop/.dapr/logs')
  const [log = ''] = readdirSync(logs).filter(name => name.startsWith('shop_daprd_'))
  while (!readFileSync(join(logs, log), 'utf8').includes('the middleware stays as it was')) await pause(5)
  t.equal(await status(), 200)
})
