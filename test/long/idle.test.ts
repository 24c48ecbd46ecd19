import type * as Api from '../../src/model/api.generated.ts'
import {once} from 'node:events'
import {connect as connectHttp2} from 'node:http2'
import {connect, type Socket} from 'node:net'
import t from 'tap'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {openShop, publish} from '../e2e/pubsub-shop.ts'

/** A wait for 50 ms in which nothing happens, for 400 ms at most. */
async function idle(rig: Rig, more: Readonly<Record<string, unknown>> = {}): Promise<Api.Waited> {
  const body = JSON.stringify({for: ['idle:50ms'], timeout: '400ms', ...more})
  const answer = await ask(controlSocket(rig), '/api/v1/wait', {method: 'POST', body})
  if (answer.status !== 200) throw new Error(answer.body)
  return answer.json as Api.Waited
}

/** The same with time enough. */
const settled = async (rig: Rig): Promise<Api.Waited> => idle(rig, {timeout: '30s'})

t.test('a run is not idle while a call is in an app or waits, unless it is ignored', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'shop', autoPort: true},
    {appID: 'vault', autoPort: true, record: false}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [shop, vault] = [await rig.driven('shop'), await rig.driven('vault')]
  await Promise.all([shop.listen(), vault.listen()])
  const {http} = await run.ports('shop')
  const call = async (app: string, path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/${app}/method${path}`)).status
  t.match(await settled(rig), {outcome: 'met', conditions: [{state: 'met', reason: /^idle for \d+ ms$/}], notes: []})

  const slow = call('shop', '/slow/7?secret=1')
  const request = await shop.nextRequest()
  t.match(await idle(rig), {
    outcome: 'timeout',
    conditions: [{state: 'waiting', reason: /^call \d+ \(shop → shop: GET \/slow\/7\) is under way$/}]
  })
  t.match(await idle(rig, {ignore: ['GET /slow/*'], timeout: '30s'}), {outcome: 'met'})
  t.match(await idle(rig, {ignore: ['POST /slow/*']}), {outcome: 'timeout'})
  const waiting = settled(rig)
  await request.reply()
  t.equal(await slow, 200)
  t.match(await waiting, {outcome: 'met'})

  const unrecorded = call('vault', '/')
  const inVault = await vault.nextRequest()
  t.match(await idle(rig), {outcome: 'timeout', conditions: [{reason: /1 calls that are not recorded are under way/}]})
  await inVault.reply()
  t.equal(await unrecorded, 200)
  t.match(await settled(rig), {outcome: 'met'})
  t.match(await ask(controlSocket(rig), '/api/v1/wait', {method: 'POST', body: '{"for": ["calls:vault:1"]}'}), {
    json: {outcome: 'impossible', conditions: [{reason: /not recorded/}]}
  })

  await rig.run(['stop', 'vault'])
  t.match(await settled(rig), {outcome: 'met'}, 'an app that was stopped does not count')
})

const STREAMS = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  response.writeHead(200, {'content-type': 'text/event-stream'}).write('data: 1\\n\\n')
}).on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\nhello')
}).listen(process.env.APP_PORT)
`

t.test('streams that have begun do not count', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': STREAMS})
  await rig.template([{appID: 'shop', appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']}])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const sockets: Socket[] = []
  t.teardown(() => sockets.forEach(socket => socket.destroy()))
  for (const [more, expected] of [
    ['', 'data: 1'],
    ['Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n', 'hello']
  ] as const) {
    const socket = connect(http, '127.0.0.1')
    sockets.push(socket)
    socket.write(`GET /v1.0/invoke/shop/method/ HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`)
    let text = ''
    for await (const piece of socket.setEncoding('utf8').iterator({destroyOnReturn: false})) {
      text += piece as string
      if (text.includes(expected)) break
    }
    t.match(await settled(rig), {outcome: 'met'}, expected)
    t.notOk(socket.destroyed)
  }
})

const GRPC = `
import http2 from 'node:http2'
http2.createServer().on('stream', stream => {
  stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
  stream.on('data', piece => stream.write(piece)).on('error', () => {})
}).listen(process.env.APP_PORT)
`

t.test('a stream of gRPC that has begun does not count', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': GRPC})
  const command = ['node', 'app.mjs']
  await rig.template([{appID: 'shop', appDirPath: '.', autoPort: true, appProtocol: 'grpc', command}])
  const run = rig.pillion(['run', '-f', '.'])
  const {grpc} = await run.ports('shop')
  await rig.run(['wait', '--for', 'ready'])
  const session = connectHttp2(`http://127.0.0.1:${grpc}`)
  t.teardown(() => session.destroy())
  const headers = {'content-type': 'application/grpc', te: 'trailers', 'dapr-app-id': 'shop'}
  const stream = session.request({':method': 'POST', ':path': '/shop.Shop/Watch', ...headers})
  stream.write(Buffer.from([0, 0, 0, 0, 1, 65]))
  await once(stream, 'data')
  t.match(await ask(controlSocket(rig), '/api/v1/calls?limit=1'), {json: {calls: [{isOpen: true, marks: ['grpc']}]}})
  t.match(await settled(rig), {outcome: 'met'})
  t.notOk(stream.closed)
})

t.test('a message of a topic that is read counts until it is acknowledged', async t => {
  const port = await freePort()
  const redis = component('log', 'pubsub.redis', {redisHost: `localhost:${port}`})
  const {rig, shop} = await openShop(
    t,
    [
      {pubsubname: 'bus', topic: 'orders', route: '/orders'},
      {pubsubname: 'log', topic: 'lines', route: '/lines'}
    ],
    {'resources/log.yaml': redis}
  )
  t.match(await settled(rig), {outcome: 'met', notes: []})
  for (const [pubsub, topic] of [
    ['bus', 'orders'],
    ['log', 'lines']
  ] as const) {
    await publish(shop, `${pubsub}/${topic}`, '{"n":1}')
    const event = await shop.nextRequest()
    t.match(await idle(rig), {outcome: 'timeout', conditions: [{reason: /under way/}]})
    await event.reply({status: 200})
    t.match(await settled(rig), {outcome: 'met'})
    // its app does not answer, so what comes after it stays at the broker
    await publish(shop, `${pubsub}/${topic}`, '{"n":2}')
    const last = await shop.nextRequest()
    const ignored = {ignore: ['POST /orders', 'POST /lines']}
    t.match(await idle(rig, ignored), {
      outcome: 'timeout',
      conditions: [{reason: new RegExp(`^1 messages of topic ${topic} \\(${pubsub}\\) wait for shop$`)}]
    })
    await last.reply({status: 200})
    t.match(await idle(rig, {...ignored, timeout: '30s'}), {outcome: 'met'})
  }
})

t.test('a copy for a shadow counts until the shadow has answered', async t => {
  const rig = await openRig(t)
  await rig.template(
    ['1.0.0', '2.0.0'].map(version => ({appID: 'hello', version, appDirPath: version, autoPort: true}))
  )
  const run = rig.pillion(['run', '-f', '.'])
  const apps = [await rig.driven('hello'), await rig.driven('hello')]
  for (const app of apps) await app.listen()
  const {http} = await run.ports('hello')
  t.match(await settled(rig), {outcome: 'met'})
  const requests = apps.map(async app => app.nextRequest())
  const answer = fetch(`http://127.0.0.1:${http}/v1.0/invoke/hello/method/x`)
  const first = await Promise.race(requests)
  await first.reply()
  t.equal((await answer).status, 200)
  const [one, other] = await Promise.all(requests)
  t.match(await idle(rig), {
    outcome: 'timeout',
    conditions: [{reason: /^call \d+ \(hello → hello@\d\.0\.0: GET \/x\) is under way$/}]
  })
  await (one === first ? other : one)?.reply()
  t.match(await settled(rig), {outcome: 'met'})
})
