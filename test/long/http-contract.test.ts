import {existsSync} from 'node:fs'
import {readdir, readFile} from 'node:fs/promises'
import http from 'node:http'
import http2 from 'node:http2'
import {once} from 'node:events'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import type {Answer, Driven} from '../rig/command.ts'
import {openRig} from '../rig/rig.ts'

const PROTOCOL = join(import.meta.dirname, '../fixtures/apps/protocol.mjs')

const messageOf = ({status, body}: Answer): string => {
  const {errorCode, message} = JSON.parse(body) as {errorCode: string; message: string}
  return `${status} ${errorCode} ${message}`
}

const answered = async (request: http.ClientRequest): Promise<string> => {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return (await response.toArray()).join('')
}

const failed = (id: string, error: string): RegExp =>
  new RegExp(`^500 ERR_DIRECT_INVOKE failed to invoke, id: ${id}, err: ${error}$`)

const NO_PORT = String.raw`\("shop" has no appPort: nothing can be called there\)`

/** An app that answers every call. */
const listening = async (app: Driven, body: string): Promise<void> => {
  await app.answer({body})
  await app.listen()
}

t.test('apps of https and h2c are called like any other, and no warning says otherwise', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop'},
    {appID: 'safe', autoPort: true, appProtocol: 'https', command: [process.execPath, PROTOCOL, 'https']},
    {appID: 'second', autoPort: true, appProtocol: 'h2c', command: [process.execPath, PROTOCOL, 'h2c']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  t.match(await shop.fetch('/v1.0/invoke/safe/method/a?b', {method: 'PUT', body: 'x'}), {
    status: 200,
    body: '1.1 PUT /a?b shop'
  })
  t.match(await shop.fetch('/v1.0/invoke/second/method/a?b', {method: 'PUT', body: 'x'}), {
    status: 200,
    body: '2.0 PUT /a?b shop'
  })
  t.equal((await run.end()).code, 0)
  t.equal(run.stderr.text, '')
})

t.test('a sidecar speaks HTTP/2, unless the environment says no', async t => {
  for (const [word, isSpoken] of [
    ['', true],
    ['true', false]
  ] as const) {
    const rig = await openRig(t)
    await rig.template([{appID: 'shop', autoPort: true}])
    const run = rig.pillion(['run', '-f', '.'], {env: {DAPR_HTTP_DISABLE_H2C: word}})
    const {http: port} = await run.ports('shop')
    const session = http2.connect(`http://127.0.0.1:${port}`)
    session.on('error', () => undefined)
    const stream = session.request({':path': '/v1.0/healthz/outbound'})
    stream.on('error', () => undefined)
    const status = await new Promise(resolve => {
      stream.on('response', headers => resolve(headers[':status'])).on('close', () => resolve('refused'))
    })
    t.equal(status, isSpoken ? 204 : 'refused')
    session.destroy()
    await run.end()
  }
})

t.test('appMaxConcurrency: so many calls at once, the others wait, and may leave', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'slow', autoPort: true, appMaxConcurrency: 1}])
  const run = rig.pillion(['run', '-f', '.'])
  const slow = await rig.driven('slow')
  await slow.listen()
  const {http: port} = await run.ports('slow')
  const ask = (name: string): http.ClientRequest => {
    const request = http.get({port, path: `/v1.0/invoke/slow/method/${name}`, agent: false})
    return request.on('error', () => undefined)
  }
  const one = answered(ask('1'))
  const first = await slow.nextRequest()
  const leaver = ask('2')
  const three = answered(ask('3'))
  await once(leaver, 'finish')
  leaver.destroy()
  const next = slow.nextRequest()
  // That nothing comes, only time can show.
  t.equal(await Promise.race([next, pause(300, 'nothing')]), 'nothing')
  await first.reply({body: 'one'})
  t.equal(await one, 'one')
  t.equal((await next).url, '/3', 'who left is not called')
  await (await next).reply({body: 'three'})
  t.equal(await three, 'three')
})

t.test('unixDomainSocket: the sidecar answers there too, and the file goes with the run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true, unixDomainSocket: rig.home}])
  const run = rig.pillion(['run', '-f', '.'])
  await listening(await rig.driven('shop'), 'hello')
  await run.ports('shop')
  const socketPath = join(rig.home, 'dapr-shop-http.socket')
  const request = http.get({socketPath, path: '/v1.0/invoke/shop/method/x', agent: false})
  t.equal(await answered(request), 'hello')
  t.equal((await run.end()).code, 0)
  t.equal(existsSync(socketPath), false)
  t.equal(run.stderr.text, '')
})

t.test('logLevel leaves the calls out of the log of the sidecar; an unknown level is an error', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', autoPort: true, enableApiLogging: true, logLevel: 'warn'},
    {appID: 'stock', autoPort: true, enableApiLogging: true, logLevel: 'Info'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  for (const id of ['shop', 'stock']) {
    const app = await rig.driven(id)
    await app.listen()
    await app.answer({})
    t.match(await app.fetch(`/v1.0/invoke/${id}/method/x`), {status: 200})
  }
  await run.end()
  for (const [id, hasCalls] of [
    ['shop', false],
    ['stock', true]
  ] as const) {
    const folder = join(rig.folder, id, '.dapr/logs')
    const [name = ''] = (await readdir(folder)).filter(file => file.startsWith(`${id}_daprd_`))
    const log = await readFile(join(folder, name), 'utf8')
    t.equal(log.includes('HTTP API Called'), hasCalls, id)
    t.match(log, 'Exited Dapr successfully')
  }
  t.match(await rig.run(['run', '--log-level', 'loud', '--', 'true']), {
    code: 1,
    stderr: '❌  invalid value for --log-level: loud\n'
  })
})

t.test('enableApiLogging: each call is a line in the log of the sidecar', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true, enableApiLogging: true}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await listening(shop, 'hello')
  t.equal((await shop.fetch('/v1.0/invoke/shop/method/x?y')).status, 200)
  await run.end()
  const folder = join(rig.folder, 'shop/.dapr/logs')
  const name = (await readdir(folder)).find(each => each.includes('daprd')) ?? ''
  t.match(
    await readFile(join(folder, name), 'utf8'),
    /^time="[^"]+" level=info msg="HTTP API Called" app_id=shop code=200 duration=\d+ instance=\S+ method="GET \/v1\.0\/invoke\/shop\/method\/x" scope=dapr\.runtime\.http-info size=5 type=log useragent=\S+ ver=/m
  )
  t.equal(run.stderr.text, '')
})

t.test('an HTTPEndpoint among the resources is called by its name, and is in the metadata', async t => {
  const site = http.createServer((request, response) =>
    response.end(`${request.url ?? ''} ${String(request.headers['x-key'])}`)
  )
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  t.teardown(() => site.close())
  const {port} = site.address() as AddressInfo
  const rig = await openRig(t)
  const endpoint = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'HTTPEndpoint',
    metadata: {name: 'site'},
    spec: {baseUrl: `http://localhost:${port}/base`, headers: [{name: 'X-Key', envRef: 'SITE_KEY'}]}
  }
  await rig.write({'resources/site.yaml': JSON.stringify(endpoint)})
  await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
  rig.pillion(['run', '-f', '.'], {env: {SITE_KEY: 'k'}})
  const shop = await rig.driven('shop')
  t.match(await shop.fetch('/v1.0/invoke/site/method/x?y'), {status: 200, body: '/base/x?y k'})
  t.match(await shop.fetch(`/v1.0/invoke/http://127.0.0.1:${port}/method/z`), {status: 200, body: '/z undefined'})
  t.match(JSON.parse((await shop.fetch('/v1.0/metadata')).body), {httpEndpoints: [{name: 'site'}]})
})

t.test('every error of a call, for real: Dapr’s words, and why', async t => {
  const rig = await openRig(t)
  await rig.template(
    [
      {appID: 'shop'},
      {appID: 'stock', autoPort: true},
      {
        appID: 'ill',
        autoPort: true,
        enableAppHealthCheck: true,
        appHealthThreshold: 1,
        appHealthProbeInterval: 1,
        maxBodySize: '1Ki'
      }
    ],
    {maxBodySize: '1Ki'}
  )
  rig.pillion(['run', '-f', '.'])
  const [shop, stock, ill] = await Promise.all([rig.driven('shop'), rig.driven('stock'), rig.driven('ill')])
  await ill.answer({status: 500})
  await ill.listen()
  await stock.print('no pears left\n', 'stderr')
  await stock.exit(3)
  await stock.closed
  const call = async (id: string, path = 'x', body?: string): Promise<string> =>
    messageOf(await shop.fetch(`/v1.0/invoke/${id}/method/${path}`, body === undefined ? {} : {method: 'POST', body}))
  t.match(
    await call('stok'),
    failed(
      'stok',
      `couldn't find service: stok \\(no app "stok" runs here; did you mean "stock"\\?; running: shop, stock, ill\\)`
    )
  )
  t.match(
    await call('stock'),
    failed(
      'stock',
      String.raw`rpc error: code = Internal desc = error invoking app channel: Get "http://127\.0\.0\.1:\d+/x": dial tcp 127\.0\.0\.1:\d+: connect: connection refused \("stock" exited with code 3 at \d\d:\d\d:\d\d: no pears left\)`
    )
  )
  t.match(await call('shop'), failed('shop', `cannot invoke local endpoint: app channel not initialized ${NO_PORT}`))
  t.match(
    messageOf(await ill.fetch('/v1.0/invoke/shop/method/x')),
    failed('shop', `rpc error: code = Internal desc = app channel is not initialized ${NO_PORT}`)
  )
  t.match(
    await call('ill'),
    failed(
      'ill',
      'rpc error: code = Internal desc = error invoking app channel: rpc error: code = Internal desc = app is not in a healthy state'
    )
  )
  t.match(
    messageOf(await ill.fetch('/v1.0/invoke/ill/method/x')),
    failed('ill', 'rpc error: code = Internal desc = app is not in a healthy state')
  )
  t.match(await call('a.b.c'), failed('a.b.c', 'invalid app id a.b.c'))
  t.match(
    await call('stock', 'a%23b'),
    failed(
      'stock',
      'rpc error: code = InvalidArgument desc = invalid method: method contains forbidden character: "a#b"'
    )
  )
  t.match(
    await call('stock', 'x', 'y'.repeat(1025)),
    failed('stock', 'stream too large \\[the limit is maxBodySize: 1024 bytes\\]')
  )
  t.match(
    await call('http://127.0.0.1:1'),
    failed('http://127.0.0.1:1', 'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused')
  )
  const nobody = await shop.fetch('/nothing')
  t.equal(
    messageOf(nobody),
    '404 ERR_DIRECT_INVOKE failed getting app id either from the URL path or the header dapr-app-id'
  )
})

t.test('an app that answers, then is gone while it is called, is told as what it was', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}, {appID: 'stock', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await stock.listen()
  // a GET is sent again where its connection has carried a request before
  const call = shop.fetch('/v1.0/invoke/stock/method/x', {method: 'POST'})
  await stock.nextRequest()
  void stock.exit(3)
  t.match(
    messageOf(await call),
    /^500 ERR_DIRECT_INVOKE failed to invoke, id: stock, err: rpc error: code = Internal desc = error invoking app channel: Post "http:\/\/127\.0\.0\.1:\d+\/x": (EOF|read tcp 127\.0\.0\.1:\d+: read: connection reset by peer)/
  )
})

t.test('tokens: the sidecar’s is asked for, the app’s is given, and neither goes further', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}, {appID: 'stock', autoPort: true}])
  rig.pillion(['run', '-f', '.'], {env: {DAPR_API_TOKEN: 'sidecar', APP_API_TOKEN: 'inner'}})
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await stock.listen()
  const path = '/v1.0/invoke/stock/method/x'
  t.match(await shop.fetch(path), {status: 401, body: 'invalid api token\n'})
  t.match(await shop.fetch(path, {headers: {'dapr-api-token': 'wrong'}}), {status: 401})
  t.match(await shop.fetch('/v1.0/healthz/outbound'), {status: 204})
  const call = shop.fetch(path, {headers: {'dapr-api-token': 'sidecar'}})
  const request = await stock.nextRequest()
  t.equal(request.headers['dapr-api-token'], 'inner')
  await request.reply({body: 'ok'})
  t.match(await call, {status: 200, body: 'ok'})
})

t.test('nothing is said of CORS, and a preflight is nobody’s', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await listening(shop, 'hello')
  const headers = {origin: 'http://localhost:3000', 'access-control-request-method': 'GET'}
  const preflight = await shop.fetch('/v1.0/metadata', {method: 'OPTIONS', headers})
  t.equal(preflight.status, 404)
  t.match(preflight.body, /header dapr-app-id \[a browser sends OPTIONS without dapr-app-id: call \/v1\.0\/invoke\//)
  const call = await shop.fetch('/v1.0/invoke/shop/method/x', {headers})
  t.equal(call.status, 200)
  for (const {headers: told} of [preflight, call]) t.notMatch(Object.keys(told).join(' '), /access-control|vary/)
})

const metadataOf = async (app: Driven): Promise<unknown> => JSON.parse((await app.fetch('/v1.0/metadata')).body)

t.test('metadata tells of the run: a template’s names its file and logs, a single app’s does not', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  t.match(await metadataOf(shop), {
    id: 'shop',
    extended: {
      appPID: String(shop.pid),
      runTemplatePath: /dapr\.yaml$/,
      runTemplateName: '',
      appLogPath: /shop_app_/,
      daprdLogPath: /shop_daprd_/
    },
    appConnectionProperties: {port: Number(shop.env['APP_PORT']), protocol: 'http', channelAddress: '127.0.0.1'}
  })
  rig.pillion(['run', '--app-id', 'alone', '--', ...rig.drivenCommand])
  const alone = await rig.driven('alone')
  const {extended} = (await metadataOf(alone)) as {extended: object}
  t.strictSame(Object.keys(extended).toSorted(), ['appCommand', 'appPID', 'cliPID', 'daprRuntimeVersion'])
})

t.test('apiListenAddresses: the sidecar listens there, and on no other address', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true, apiListenAddresses: '127.0.0.2,127.0.0.3'}])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const {http: port} = await run.ports('shop')
  for (const host of ['127.0.0.2', '127.0.0.3'])
    t.match(await shop.fetch(`http://${host}:${port}/v1.0/healthz/outbound`), {status: 204}, host)
  // somebody else may listen at that number there
  const elsewhere = await shop.fetch(`http://127.0.0.1:${port}/v1.0/metadata`).catch(() => undefined)
  t.notMatch(elsewhere?.body ?? '', '"id":"shop"')
})

t.test('samplingRate "0" in a Configuration: no trace is made', async t => {
  const rig = await openRig(t)
  const configuration = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Configuration',
    metadata: {name: 'c'},
    spec: {tracing: {samplingRate: '0'}}
  }
  await rig.write({'config.yaml': JSON.stringify(configuration)})
  await rig.template([{appID: 'shop', autoPort: true, configFilePath: '../config.yaml'}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  const call = shop.fetch('/v1.0/invoke/shop/method/x')
  const request = await shop.nextRequest()
  t.equal(request.headers['traceparent'], undefined)
  await request.reply()
  t.equal((await call).headers['traceparent'], undefined)
})
