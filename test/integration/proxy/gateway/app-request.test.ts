import {once} from 'node:events'
import {createServer, type IncomingMessage, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {requestApp, type AppRequestOptions, type AppResponse} from '../../../../src/proxy/gateway/app-request.ts'
import {ConcurrencyLimiter} from '../../../../src/proxy/gateway/concurrency-limiter.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import type {Callee} from '../../../../src/proxy/gateway/local-apps.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {closed} from '../../../rig/closed.ts'
import {policiesOf} from '../../dapr/sidecar/policies.ts'

const listen = async (t: Test, server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

const appAt = (t: Test, port: number): Callee => {
  const pool = new Pool({hosts: ['127.0.0.1'], port})
  t.teardown(() => pool.cut())
  return {
    id: 'shop',
    appPort: port,
    queue: new AdmissionQueue({timeoutMs: 60_000}),
    limiter: new ConcurrencyLimiter(() => 0),
    pool,
    opening: {accessControl: undefined, identity: undefined},
    pid: 0,
    token: 'secret',
    isUnhealthy: false,
    recheck: () => undefined
  }
}

const ask = async (app: Callee, options: Partial<AppRequestOptions> = {}): Promise<AppResponse> =>
  requestApp({
    app,
    context: {heldBodies: new HeldBodies()},
    method: 'GET',
    path: '/dapr/subscribe',
    lines: '',
    body: Buffer.alloc(0),
    warn: text => t.fail(text),
    ...options
  })

const textOf = (response: AppResponse): string =>
  response.kind === 'response' ? `${response.status} ${response.body.toString()}` : response.why

t.test('a request waits in the queue of the app, has its token, and gets the whole response', async t => {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    request.on('data', (piece: Buffer) => response.write(piece)).on('end', () => response.end('!'))
  })
  const app = appAt(t, await listen(t, server))
  const asked = ask(app, {method: 'POST', body: Buffer.from('pear'), lines: 'Content-Type: text/plain\r\n'})
  t.equal(app.queue.waiting, 1)
  app.queue.open()
  const response = await asked
  t.equal(textOf(response), '200 pear!')
  t.equal(app.queue.inFlight.size, 0)
  t.match(requests[0]?.headers, {'dapr-api-token': 'secret', 'content-type': 'text/plain', 'content-length': '4'})
})

t.test('policies for calls of the app are none for what its sidecar asks it', async t => {
  const {interceptor, events} =
    await policiesOf(`policies: {retries: {r: {policy: constant, duration: 1ms, maxRetries: 3}}}
  targets: {apps: {shop: {retry: r}}}`)
  let count = 0
  const app = appAt(
    t,
    await listen(
      t,
      createServer((_, response) => response.writeHead(500).end(`${++count}`))
    )
  )
  app.queue.open()
  t.equal(textOf(await ask(app, {context: {heldBodies: new HeldBodies(), interceptor}, method: 'POST'})), '500 1')
  t.strictSame(events, [])
})

t.test('a request that is given up leaves the queue, or its connection', async t => {
  const server = createServer()
  const app = appAt(t, await listen(t, server))
  const waiting = new AbortController()
  const waited = ask(app, {signal: waiting.signal})
  waiting.abort()
  t.match(await waited, {kind: 'unreachable'})
  t.equal(app.queue.waiting, 0)

  app.queue.open()
  const inside = new AbortController()
  const arrived = once(server, 'request') as Promise<[IncomingMessage]>
  const asked = ask(app, {signal: inside.signal})
  const [request] = await arrived
  inside.abort()
  t.match(await asked, {kind: 'unreachable'})
  await closed(request.socket)
  t.equal(app.queue.inFlight.size, 0)
})

t.test('an app that does not listen, or closes its connection, is a reason and no error', async t => {
  const server = createServer((_, response) => response.destroy())
  const app = appAt(t, await listen(t, server))
  app.queue.open()
  t.match(await ask(app), {kind: 'unreachable', why: 'EOF', wasSent: true})
  app.queue.shut('it has exited')
  t.match(await ask(app), {kind: 'unreachable', why: /connection refused \(it has exited\)/, wasSent: false})
})
