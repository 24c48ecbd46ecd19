import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {mock} from 'node:test'
import t, {type Test} from 'tap'
import {closed} from '../../../rig/closed.ts'
import {freePort} from '../../../rig/free-port.ts'
import {PLAIN_RULES, type ResponseHead} from '../../../../src/proxy/net/http1/response-head.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import type {Failure, ResponseHandler, Upstream} from '../../../../src/proxy/net/upstream.ts'

const HEAD = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** One call, directly on a connection; its result: the body, or the failure. */
const call = async (upstream: Upstream): Promise<string> => {
  const {promise, resolve} = Promise.withResolvers<string>()
  let text = ''
  const responseHandler: ResponseHandler = {
    toHead: false,
    isSent: true,
    rules: PLAIN_RULES,
    open: () => upstream.write(HEAD),
    whole: (_: ResponseHead, body: string) => {
      resolve(body)
    },
    head: () => undefined,
    body: bytes => {
      text += bytes.toString()
      return true
    },
    end: () => {
      resolve(text)
    },
    fail: (failure: Failure, why: string) => {
      resolve(`${failure}: ${why}`)
    },
    drain: () => undefined,
    crash: () => resolve('crash')
  }
  upstream.serve(responseHandler)
  return promise
}

interface SupervisedApp {
  readonly pool: Pool
  readonly sockets: net.Socket[]
}

/** An app that responds to everything, and a pool of connections to it. */
const openApp = async (t: Test, hosts = ['127.0.0.1']): Promise<SupervisedApp> => {
  const sockets: net.Socket[] = []
  const server = net.createServer(socket => {
    sockets.push(socket)
    socket.on('data', () => socket.write(ANSWER)).on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pool = new Pool({hosts, port: (server.address() as AddressInfo).port})
  t.teardown(() => {
    pool.retire()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {pool, sockets}
}

t.test('the connection that was used last is used next', async t => {
  const {pool, sockets} = await openApp(t)
  const [one, two] = [pool.take(), pool.take()]
  t.strictSame(await Promise.all([call(one), call(two)]), ['ok', 'ok'])
  t.equal(sockets.length, 2)
  const next = pool.take()
  t.ok(next === one || next === two)
  t.equal(await call(next), 'ok')
  t.equal(next.served, 2)
  t.equal(pool.take(), next)
  t.equal(sockets.length, 2)
})

t.test('an idle connection on which the app sends bytes is closed', async t => {
  const {pool, sockets} = await openApp(t)
  const first = pool.take()
  t.equal(await call(first), 'ok')
  const [socket] = sockets
  socket?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nunasked')
  if (socket !== undefined) await closed(socket)
  const next = pool.take()
  t.not(next, first)
  t.equal(await call(next), 'ok')
})

t.test('an idle connection is closed before most apps close it', async t => {
  const {pool, sockets} = await openApp(t)
  await call(pool.take())
  const [socket] = sockets
  const start = performance.now()
  if (socket !== undefined) await closed(socket)
  const seconds = (performance.now() - start) / 1000
  t.ok(seconds > 2 && seconds < 10, `after ${seconds.toFixed(1)} s`)
})

t.test('a machine that is too busy to look after idle connections takes none that the app may have closed', async t => {
  mock.timers.enable({apis: ['setInterval']})
  t.teardown(() => mock.timers.reset())
  const {pool} = await openApp(t)
  const first = pool.take()
  await call(first)
  mock.timers.tick(1000)
  const again = pool.take()
  t.equal(again, first)
  await call(again)
  const later = performance.now() + 5000
  t.intercept(performance, 'now', {value: () => later})
  mock.timers.tick(1000)
  t.not(pool.take(), first)
})

t.test('retiring ends idle connections at once and busy ones after their call', async t => {
  const {pool, sockets} = await openApp(t)
  const [idle, busy] = [pool.take(), pool.take()]
  await call(idle)
  const answer = call(busy)
  pool.retire()
  t.equal(await answer, 'ok')
  await Promise.all(sockets.map(closed))
  t.equal(sockets.length, 2)
  const next = pool.take()
  t.ok(next !== idle && next !== busy)
  t.equal(await call(next), 'ok')
})

t.test('addresses are tried in turn; if all refuse, the call is refused', async t => {
  const {pool} = await openApp(t, ['::1', '127.0.0.1'])
  t.equal(await call(pool.take()), 'ok')
  t.equal(pool.authority, `[::1]:${pool.port}`)
  const port = await freePort()
  const dead = new Pool({hosts: ['127.0.0.1', '::1'], port})
  t.equal(await call(dead.take()), `refused: dial tcp 127.0.0.1:${port}: connect: connection refused`)
})
