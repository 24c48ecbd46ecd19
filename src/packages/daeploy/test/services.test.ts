import {PageGuard} from '../../../proxy/gateway/page-guard.ts'
import {createHash} from 'node:crypto'
import http from 'node:http'
import t from 'tap'
import type {Admission} from '../../../proxy/gateway/admission.ts'
import {Pool} from '../../../proxy/net/pool.ts'
import {ask, connect} from '../../../../test/integration/dapr/sidecar/caller.ts'
import {echoApp, listen, onRequest, rawApp, valuesOf} from '../../../../test/integration/dapr/sidecar/rig.ts'
import {openManager} from './rig.ts'

/** A request as the SDK writes it; a last header line takes it to the slower path. */
const post = (path: string, body = '{}', lines = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** The same call by both readers: the fast path's and node's. */
const PATHS = [
  ['fast', ''],
  ['slow', 'X-Forwarded-For: 8.8.8.8\r\n']
] as const

t.test('a call reaches its service without the prefix, whoever reads it', async t => {
  const app = await echoApp(t)
  const {port, underWay} = await openManager(t, {backends: [{segment: 'scales', port: app.port}]})
  for (const [fastPath, line] of PATHS) {
    const answer = await ask(t, port, post('/services/scales/weigh?a=%2F&b', '{"a": 1}', line))
    t.match(answer, {status: 200, body: '{"a": 1}'}, fastPath)
    const seen = app.seen.pop()
    t.match(seen, {method: 'POST', url: '/weigh?a=%2F&b', body: '{"a": 1}'}, fastPath)
    if (seen === undefined) return
    t.same(valuesOf(seen, 'host'), ['localhost'], 'Host is passed through')
    t.same(valuesOf(seen, 'x-forwarded-prefix'), ['/services/scales'])
    t.same(valuesOf(seen, 'x-forwarded-host'), ['localhost'])
    t.same(valuesOf(seen, 'x-forwarded-proto'), ['http'])
    t.same(valuesOf(seen, 'x-forwarded-port'), ['80'])
    t.same(valuesOf(seen, 'x-forwarded-for'), ['127.0.0.1'], "the client's own word is taken off")
    t.same(valuesOf(seen, 'x-real-ip'), ['127.0.0.1'])
    t.same(valuesOf(seen, 'content-type'), ['application/json'])
    t.equal(underWay(), 0)
  }
})

t.test('a prefix that somebody in front has set is added to', async t => {
  const app = await echoApp(t)
  const {port} = await openManager(t, {backends: [{segment: 'scales', port: app.port}]})
  await ask(t, port, post('/services/scales/weigh', '{}', 'X-Forwarded-Prefix: /site\r\n'))
  const [seen] = app.seen
  t.same(seen && valuesOf(seen, 'x-forwarded-prefix'), ['/site', '/services/scales'])
})

t.test('a GET may carry a body, and a body may come in chunks', async t => {
  const app = await echoApp(t)
  const {port} = await openManager(t, {backends: [{segment: 'scales', port: app.port}]})
  const get = await ask(t, port, post('/services/scales/weigh', '{"a": 1}').replace('POST', 'GET'))
  t.match(get, {status: 200, body: '{"a": 1}'})
  t.match(app.seen, [{method: 'GET', url: '/weigh', body: '{"a": 1}'}])
  const chunked = await ask(
    t,
    port,
    'PUT /services/scales/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
  )
  t.match(chunked, {status: 200, body: 'abcde'})
})

t.test('a name alone is served as its root', async t => {
  const app = await echoApp(t)
  const {port} = await openManager(t, {backends: [{segment: 'scales', port: app.port}]})
  await ask(t, port, 'GET /services/scales?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await ask(t, port, 'GET /services/scales/ HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.same(
    app.seen.map(({url}) => url),
    ['/?x=1', '/']
  )
})

t.test('a redirect is shown behind the segment that the caller used, by both readers', async t => {
  const app = await echoApp(t, (request, response) => {
    response.writeHead(307, {location: String(request.headers['x-to']), 'x-location': 'http://localhost/kept'}).end()
  })
  const {port} = await openManager(t, {
    backends: [
      {segment: 'scales', port: app.port},
      {segment: 'scales_1.0.0', port: app.port}
    ]
  })
  for (const [fastPath, line] of PATHS) {
    const to = `${line}X-To: http://localhost/weigh\r\n`
    const byName = await ask(t, port, post('/services/scales/weigh/', '', to))
    t.match(
      byName,
      {status: 307, headers: {location: '/services/scales/weigh', 'x-location': 'http://localhost/kept'}},
      fastPath
    )
    const byVersion = await ask(t, port, post('/services/scales_1.0.0/weigh/', '', to))
    t.match(byVersion, {headers: {location: '/services/scales_1.0.0/weigh'}}, fastPath)
  }
})

t.test('an unknown service is not found, and a service that is down is a bad gateway', async t => {
  const {port, warnings} = await openManager(t, {backends: [{segment: 'scales', port: 1}]})
  const unknown = await ask(t, port, post('/services/scalesx/weigh'))
  t.match(unknown, {status: 404, body: '{"detail":"Not Found"}', headers: {'content-type': 'application/json'}})
  const down = await ask(t, port, post('/services/scales/weigh'))
  t.match(down, {status: 502, body: 'Bad Gateway', headers: {'content-type': 'text/plain; charset=utf-8'}})
  t.match(warnings, [/^POST \/services\/scales\/weigh: refused$/])
})

t.test('a call to a service that starts waits for it, and a caller who leaves waits no more', async t => {
  const app = await echoApp(t)
  const pool = new Pool({hosts: ['127.0.0.1'], port: app.port})
  t.teardown(() => pool.retire())
  const queue = Promise.withResolvers<Admission>()
  const asked = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<void>()
  const {port} = await openManager(t, {
    backends: [
      {
        segment: 'scales',
        port: app.port,
        admit: () => {
          asked.resolve()
          return {admitted: queue.promise, cancel: () => cancelled.resolve()}
        }
      }
    ]
  })
  const leaving = await connect(t, port)
  leaving.send(post('/services/scales/early'))
  await asked.promise
  const waiting = ask(t, port, post('/services/scales/weigh'))
  leaving.socket.destroy()
  await cancelled.promise
  queue.resolve({ok: true, pool, pathPrefix: '', isLocal: false, token: '', leave: () => undefined})
  t.match(await waiting, {status: 200})
  t.same(
    app.seen.map(({url}) => url),
    ['/weigh']
  )
})

t.test('a call to a service of another run gets the whole path', async t => {
  const app = await echoApp(t)
  const pool = new Pool({hosts: ['127.0.0.1'], port: app.port})
  t.teardown(() => pool.retire())
  const admitted = {
    ok: true,
    pool,
    pathPrefix: '/services/scales',
    isLocal: false,
    token: '',
    callerLine: 'Pillion-Caller: k/n/a\r\n',
    leave: () => undefined
  } as const
  const {port} = await openManager(t, {backends: [{segment: 'scales', port: app.port, admit: () => admitted}]})
  await ask(t, port, post('/services/scales/weigh', '{}', 'Pillion-Caller: forged\r\n'))
  const [seen] = app.seen
  t.equal(seen?.url, '/services/scales/weigh')
  t.same(seen && valuesOf(seen, 'pillion-caller'), ['k/n/a'])
})

t.test('a Host that names another machine is refused on all routes', async t => {
  const app = await echoApp(t)
  const {port} = await openManager(t, {backends: [{segment: 'scales', port: app.port}]})
  for (const path of ['/services/scales/weigh', '/services/', '/notifications/', '/~version', '/nothing']) {
    const answer = await ask(t, port, post(path).replace('Host: localhost', 'Host: evil.test'))
    t.match(answer, {status: 403, body: '{"detail":"Host not allowed"}'}, path)
  }
  for (const host of ['LOCALHOST', 'localhost:9999', '127.0.0.1', '[::1]:5080'])
    t.match(
      await ask(t, port, post('/services/scales/weigh').replace('Host: localhost', `Host: ${host}`)),
      {status: 200},
      host
    )
  t.equal(app.seen.length, 4)
})

t.test('what a page of another site has sent may call a service if its sender is unknown, not manage', async t => {
  const app = await echoApp(t)
  const {port, notifications} = await openManager(t, {backends: [{segment: 'scales', port: app.port}]})
  const foreign = 'Origin: http://evil.test\r\n'
  t.match(await ask(t, port, post('/services/scales/weigh', '{}', foreign)), {status: 200})
  const [seen] = app.seen
  t.same(seen && valuesOf(seen, 'origin'), ['http://evil.test'], 'CORS is the matter of the service')
  for (const [path, line] of [
    ['/notifications/', foreign],
    ['/services/~assign', foreign],
    ['/services/', foreign],
    ['/services/~tar', 'Origin: null\r\n'],
    ['/notifications', 'Sec-Fetch-Site: cross-site\r\n']
  ] as const)
    t.match(await ask(t, port, post(path, '{}', line)), {status: 403, body: /web pages from elsewhere/}, path)
  t.same(notifications.list(), {})
  t.match(await ask(t, port, 'GET /services/ HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.test\r\n\r\n'), {
    status: 403
  })
  const across = 'Origin: http://localhost:3000\r\nSec-Fetch-Site: cross-site\r\n'
  t.match(await ask(t, port, post('/services/~assign', '{}', across)), {
    status: 403,
    body: '{"detail":"Origin not allowed"}'
  })
  t.match(await ask(t, port, post('/notifications/', '{}', 'Origin: http://localhost:3000\r\n')), {status: 422})
})

t.test('without the right token nothing is served', async t => {
  const app = await echoApp(t)
  const {port} = await openManager(t, {
    backends: [{segment: 'scales', port: app.port}],
    guards: {
      pages: new PageGuard([]),
      isAllowedHost: () => true,
      isAuthorized: (token, bearer) => token === 'api' || bearer === 'Bearer own'
    }
  })
  for (const [lines, status] of [
    ['', 401],
    ['Authorization: Bearer other\r\n', 401],
    ['dapr-api-token: api\r\n', 200],
    ['Authorization: Bearer own\r\n', 200]
  ] as const) {
    const answer = await ask(t, port, post('/services/scales/weigh', '{}', lines))
    t.equal(answer?.status, status, lines)
    if (status === 401) t.equal(answer?.body, '{"detail":"Token not valid!"}')
  }
  const [byToken, byBearer] = app.seen
  t.same(byToken && valuesOf(byToken, 'dapr-api-token'), [], 'our token is not for services')
  t.same(byBearer && valuesOf(byBearer, 'authorization'), ['Bearer own'])
})

t.test('a websocket goes through', async t => {
  const server = http.createServer()
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(
      `${request.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    )
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\nX-Path: ${request.url ?? ''}\r\n\r\n`
    )
    socket.on('data', bytes => socket.write(bytes))
  })
  const {port} = await openManager(t, {backends: [{segment: 'ui', port: await listen(t, server)}]})
  const caller = await connect(t, port)
  caller.send(
    'GET /services/ui/stream?a=1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  )
  t.match(await caller.answer(), {
    status: 101,
    headers: {'x-path': '/stream?a=1', 'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='}
  })
  caller.send('over the tunnel')
  await caller.until(text => text === 'over the tunnel')
  t.equal(caller.text, 'over the tunnel')
})

t.test('a service that answers with a status that is none: 502 with the reason, whoever reads the request', async t => {
  for (const status of ['000', '099', '600', '999']) {
    const app = await rawApp(t, socket =>
      onRequest(socket, () => void socket.write(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`))
    )
    const {port, warnings, underWay} = await openManager(t, {backends: [{segment: 'scales', port: app}]})
    const get = 'GET /services/scales/weigh HTTP/1.1\r\nHost: localhost\r\n'
    const requests: (readonly [string, string])[] = [
      ...PATHS.map(([fastPath, line]) => [fastPath, `${get}${line}\r\n`] as const),
      ['upgrade', `${get}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`]
    ]
    for (const [fastPath, text] of requests) {
      t.match(await ask(t, port, text), {status: 502, body: `Bad Gateway: invalid HTTP status ${status}`}, fastPath)
      t.match(warnings.at(-1), `GET /services/scales/weigh: invalid HTTP status ${status}`)
    }
    t.equal(warnings.length, 3)
    t.equal(underWay(), 0)
  }
})

t.test('an empty User-Agent does not travel', async t => {
  const app = await echoApp(t)
  const {port} = await openManager(t, {backends: [{segment: 'scales', port: app.port}]})
  for (const [path, line] of PATHS) {
    t.match(await ask(t, port, post('/services/scales/x', '{}', `User-Agent: \r\n${line}`)), {status: 200}, path)
    const seen = app.seen.pop()
    t.strictSame(seen && valuesOf(seen, 'user-agent'), [], path)
  }
})

t.test('a coding below the chunks is refused with 501', async t => {
  const app = await echoApp(t)
  const {port} = await openManager(t, {backends: [{segment: 'scales', port: app.port}]})
  const text =
    'POST /services/scales/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n'
  t.match(await ask(t, port, text), {status: 501, body: 'Unsupported transfer encoding'})
  t.equal(app.seen.length, 0)
})
