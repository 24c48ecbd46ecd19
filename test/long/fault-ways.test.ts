// Faults of calls that are no plain requests: gRPC, websockets, services of Daeploy, deliveries.
import type * as Api from '../../src/model/api.generated.ts'
import net from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {openShop, publish} from '../e2e/pubsub-shop.ts'

const ECHO = [process.execPath, join(import.meta.dirname, '../fixtures/apps/grpc-echo.mjs')]
const echo = {appID: 'b', autoPort: true, appProtocol: 'grpc', restart: 'always', command: ECHO}
const verb = 1 // GET

const faultsOf = (rig: Rig) => ({
  on: async (...words: readonly string[]) => {
    const {code, stderr} = await rig.run(['fault', ...words])
    t.strictSame([code, stderr], [0, ''])
  },
  off: async () => {
    t.equal((await rig.run(['fault', '--off', 'all'])).code, 0)
  },
  rows: async (filter: string): Promise<readonly Api.Call[]> =>
    (await rig.run(['calls', filter, '-o', 'ndjson'])).stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Api.Call)
})

t.test('calls of gRPC: a status as its code, late, reset, without an answer, cut; InvokeService, too', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: []}, echo])
  const run = rig.pillion(['run', '-f', '.'])
  const client = echoClient(t, (await run.ports('a')).grpc)
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  const {on, off, rows} = faultsOf(rig)

  await on('a', 'b', '--status', '503', '--path', '/test.Echo/*')
  const refused = await client.call()
  t.match(refused, {code: 14, message: 'fault 1 of Pillion'})
  t.strictSame(refused.trailers.get('pillion-fault'), ['1'])
  t.match(await client.invoke('b', {method: 'x', verb}), {code: 12}, 'another path')
  t.match(await rows('is:fault'), [
    {from: 'a', to: 'b', path: '/test.Echo/Unary', status: 14, marks: ['grpc', 'fault']}
  ])
  await off()
  await on('a', 'b', '--status', '404', '--body', 'no such thing')
  t.match(await client.invoke('b', {method: 'x', verb}), {code: 12, message: 'no such thing'})
  await off()

  await on('a', 'b', '--delay', '20ms', '--times', '1')
  const late = await client.call()
  t.match(late, {code: 0, answer: 'hello for a'})
  t.strictSame(late.head.get('pillion-fault'), ['3'])
  const [waited] = await rows('is:fault is:waited')
  t.match(waited, {waitedFor: ['fault 3'], status: 0})
  t.ok((waited?.waitedMs ?? 0) >= 19, 'its wait is recorded')
  await off()

  await on('a', 'b', '--never')
  t.match(await client.call({}, {options: {deadline: Date.now() + 100}}), {code: 4})
  await off()

  await on('a', 'b', '--abort')
  t.match(await client.call(), {code: 13, message: /RST_STREAM/})
  await off()

  await on('a', 'b', '--cut')
  const cut = await client.call()
  t.match(cut, {code: 13, message: /RST_STREAM/})
  t.strictSame(cut.head.get('pillion-fault'), ['6'], 'its head has come')
  await off()
  await on('a', 'b', '--cut-after', '8')
  const stream = client.both()
  const answers: string[] = []
  const ended = new Promise(resolve => stream.on('status', resolve))
  stream
    .on('error', () => undefined)
    .on('data', (message: Buffer) => {
      answers.push(message.toString())
      stream.write(Buffer.from('two'))
    })
  stream.write(Buffer.from('one'))
  t.match(await ended, {code: 13})
  t.strictSame(answers, ['one'], 'five bytes of a frame, and three of the message')
  await off()

  await on('a', 'b', '--kill', '--times', '1')
  t.match(await client.call(), {code: 14, message: /SIGKILL/})
  await run.waitForLine(/fault 8 kills b \(pid \d+\)$/)
  t.match(await client.call(), {code: 0, answer: 'hello for a'}, 'the next process answers')
})

const POLICIES = JSON.stringify({
  kind: 'Resiliency',
  metadata: {name: 'again'},
  spec: {
    policies: {retries: {again: {policy: 'constant', duration: '1ms', maxRetries: 2}}},
    targets: {apps: {b: {retry: 'again'}}}
  }
})

t.test('policies of the caller see a callee of gRPC that fails, and try again', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/policies.yaml': POLICIES})
  await rig.template([{appID: 'a', command: [], resourcesPath: '../resources'}, echo])
  const run = rig.pillion(['run', '-f', '.'])
  const client = echoClient(t, (await run.ports('a')).grpc)
  const {on, rows} = faultsOf(rig)
  await on('a', 'b', '--status', '503', '--times', '2')
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  await on('a', 'b', '--abort', '--times', '1')
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  await on('a', 'b', '--cut', '--times', '1')
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  t.equal((await rows('is:fault')).length, 3)
  await on('a', 'b', '--abort')
  t.match(await client.call(), {code: 13, message: /RST_STREAM/}, 'each attempt is reset')
})

const CHAT = `
const http = process.getBuiltinModule('node:http')
const server = http.createServer((_, response) => response.end('0123456789'))
server.on('upgrade', (_, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
  socket.on('data', bytes => socket.write(bytes)).on('error', () => undefined)
})
server.listen(process.env.APP_PORT)
`

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

/** What comes on a connection that asks for a websocket, until it ends, or \`enough\` has come; then the error code. */
async function chat(port: number, path: string, enough?: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  let text = ''
  let said = false
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
    if (!said && text.includes('\r\n\r\n')) {
      said = true
      if (text.startsWith('HTTP/1.1 101')) socket.write('0123456789')
    }
    if (enough !== undefined && text.endsWith(enough)) socket.destroy()
  })
  let error = ''
  socket.on('error', ({code}: NodeJS.ErrnoException) => (error = code ?? ''))
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${UPGRADE}\r\n`)
  await new Promise(resolve => void socket.on('close', resolve))
  return `${text}${error}`
}

t.test('websockets, and services of Daeploy', async t => {
  const rig = await openRig(t)
  await rig.write({
    'callee.mjs': CHAT,
    'dapr.yaml': JSON.stringify({
      version: 1,
      managerPort: 0,
      apps: [
        {appID: 'shop', appDirPath: '.', command: ['sleep', '600']},
        {appID: 'stock', appDirPath: '.', autoPort: true, command: ['node', 'callee.mjs']}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  const {http: port} = await run.ports('shop')
  const {on, off, rows} = faultsOf(rig)
  const path = '/v1.0/invoke/stock/method/chat'
  t.match(await chat(port, path, '0123456789'), /^HTTP\/1\.1 101 /)
  await on('shop', 'stock', '--status', '503')
  t.match(await chat(port, path), /^HTTP\/1\.1 503 [^]*Pillion-Fault: 1\r\n[^]*fault 1 of Pillion\n$/)
  t.match(await chat(port, '/services/stock/chat'), /^HTTP\/1\.1 503 /)
  await off()
  await on('shop', 'stock', '--abort')
  t.equal(await chat(port, path), 'ECONNRESET')
  await off()
  await on('shop', 'stock', '--cut-after', '4')
  t.match(await chat(port, path), /^HTTP\/1\.1 101 [^]*Pillion-Fault: 3\r\n[^]*\r\n\r\n0123ECONNRESET$/)
  t.equal((await rows('is:fault')).length, 4)
  await off()

  const url = `http://127.0.0.1:${port}/services/stock/x`
  t.equal(await (await fetch(url)).text(), '0123456789')
  await on('shop', 'stock', '--status', '418', '--times', '1')
  const teapot = await fetch(url)
  t.strictSame([teapot.status, teapot.headers.get('pillion-fault')], [418, '4'])
  await on('shop', 'stock', '--cut')
  await t.rejects((await fetch(url)).text())
  await off()
  const [service] = await rows('is:fault to:stock path:/x status:418')
  t.match(service, {from: 'shop', marks: ['fault', 'ours']})
})

t.test('a delivery: the app does not get the event, policies of the component deliver it again', async t => {
  const {rig, run, shop} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: '/orders'}], {
    'resources/policies.yaml': JSON.stringify({
      kind: 'Resiliency',
      metadata: {name: 'again'},
      spec: {
        policies: {retries: {again: {policy: 'constant', duration: '1ms', maxRetries: 2}}},
        targets: {components: {bus: {inbound: {retry: 'again'}}}}
      }
    })
  })
  const {on, rows} = faultsOf(rig)
  await on('bus/orders', 'shop', '--status', '500', '--times', '1')
  await on('bus/orders', 'shop', '--abort', '--times', '1')
  await publish(shop, 'bus/orders', '{"n":1}')
  const request = await shop.nextRequest()
  t.match(JSON.parse(request.body), {data: {n: 1}})
  await run.waitForLine(/fault 2 is off: bus\/orders → shop: it hit 1 of 1 call$/)
  await request.reply()
  t.match(await rows('from:bus/orders is:fault'), [
    {status: 500, isFailed: true},
    {status: 0, isFailed: true, failure: 'the connection was reset by a fault'}
  ])
})
