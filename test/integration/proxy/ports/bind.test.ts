import {PageGuard} from '../../../../src/proxy/gateway/page-guard.ts'
import {existsSync, mkdtempSync, rmSync} from 'node:fs'
import {spawnSync} from 'node:child_process'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import {once} from 'node:events'
import {join} from 'node:path'
import t from 'tap'
import {listenOnSocket, socketPath} from '../../../../src/proxy/ports/bind.ts'
import {ManagerApi} from '../../../../src/packages/daeploy/manager-api.ts'
import {hostGuard} from '../../../../src/proxy/gateway/guards.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import {reply} from '../../../../src/proxy/net/reply.ts'
import {PREFACE} from '../../dapr/sidecar/frames.ts'
import {echoApp, openTestSidecar} from '../../dapr/sidecar/rig.ts'

t.test('a sidecar listens on a unix domain socket with Dapr’s name; closing removes the file', async t => {
  const folder = join(mkdtempSync('/tmp/s-'), 'deep')
  t.teardown(() => rmSync(join(folder, '..'), {recursive: true}))
  const server = await listenOnSocket(folder, 'shop', 'http')
  const path = socketPath(folder, 'shop', 'http')
  t.equal(path, join(folder, 'dapr-shop-http.socket'))
  const {sidecar} = await openTestSidecar(t, {extraServers: [server]})
  const request = http.get({socketPath: path, path: '/v1.0/healthz'})
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  t.equal(response.statusCode, 204)
  response.resume()
  await t.rejects(listenOnSocket(folder, 'shop', 'http'), {
    message: /the socket of app "shop" cannot be opened at .*: another process listens there/
  })
  request.destroy()
  await sidecar.close()
  t.equal(existsSync(path), false)
})

t.test('the unix domain socket accepts any Host header; the port refuses a foreign one', async t => {
  const folder = mkdtempSync('/tmp/s-')
  t.teardown(() => rmSync(folder, {recursive: true}))
  const app = await echoApp(t)
  const manager = new ManagerApi({
    caller: 'a',
    findService: name => ({
      name,
      version: '1.0.0',
      copy: undefined,
      admit: () => ({
        ok: true,
        pool: new Pool({hosts: ['127.0.0.1'], port: app.port}),
        isLocal: false,
        token: '',
        pathPrefix: '',
        leave: () => undefined
      })
    }),
    guards: {pages: new PageGuard([]), isAllowedHost: hostGuard([]), isAuthorized: () => true},
    route: ({request, response}) => reply(request, response, {status: 200, type: 'text/plain', body: 'own', lines: ''}),
    warn: () => undefined
  })
  const {port} = await openTestSidecar(t, {
    appPort: app.port,
    mounted: () => manager,
    extraServers: [await listenOnSocket(folder, 'shop', 'http')]
  })
  const addresses = [
    [() => net.connect(socketPath(folder, 'shop', 'http')), 200],
    [() => net.connect(port, '127.0.0.1'), 403]
  ] as const
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  const requests = [
    ['GET /v1.0/healthz', ''],
    ['GET http://evil.example/v1.0/metadata', ''],
    ['GET /v1.0/invoke/b/method/x', ''],
    ['GET /v1.0/invoke/b/method/x', 'Baggage: a=b\r\n'],
    ['GET /v1.0/invoke/b/method/x', upgrade],
    ['GET /services/b/x', ''],
    ['GET /services/b/x', 'X-Forwarded-For: 1.1.1.1\r\n'],
    ['GET /services/b/x', upgrade],
    ['GET /~version', '']
  ] as const
  for (const [open, expected] of addresses) {
    for (const [target, lines] of requests) {
      const socket = open()
      socket.write(`${target} HTTP/1.1\r\nHost: evil.example\r\n${lines}\r\n`)
      const [bytes] = (await once(socket, 'data')) as [Buffer]
      socket.destroy()
      const status = Number(bytes.toString('latin1', 9, 12))
      t.equal(status === 204 ? 200 : status, expected, `${target} ${lines}`)
    }
    const socket = open()
    let text = ''
    socket.setEncoding('latin1').on('data', piece => (text += piece))
    socket.write(
      `GET /v1.0/metadata HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n${PREFACE}`,
      'latin1'
    )
    while (!/"id":"a"|ERR_FOREIGN_HOST/.test(text)) await once(socket, 'data')
    socket.destroy()
    t.equal(text.includes('"id":"a"') ? 200 : 403, expected, 'upgraded to HTTP/2')
    for (const path of ['/v1.0/healthz', '/v1.0/invoke/b/method/x']) {
      const session = http2.connect('http://evil.example', {createConnection: open})
      const [headers] = (await once(session.request({':path': path}), 'response')) as [Record<string, unknown>]
      session.destroy()
      t.equal(headers[':status'] === 204 ? 200 : headers[':status'], expected, `${path} in HTTP/2`)
    }
  }
})

t.test('a socket that a dead run left behind is replaced', async t => {
  const folder = mkdtempSync('/tmp/s-')
  t.teardown(() => rmSync(folder, {recursive: true}))
  const path = socketPath(folder, 'shop', 'http')
  spawnSync(process.execPath, [
    '-e',
    'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))',
    path
  ])
  t.equal(existsSync(path), true)
  const server = await listenOnSocket(folder, 'shop', 'http')
  const socket = net.connect(path)
  await once(socket, 'connect')
  socket.destroy()
  server.close()
  await t.rejects(listenOnSocket('/dev/null/x', 'shop', 'http'), {message: /ENOTDIR/})
  await t.rejects(listenOnSocket('/proc/x', 'shop', 'http'), {message: /ENOENT/})
})
