import {existsSync, mkdtempSync, rmSync} from 'node:fs'
import {spawnSync} from 'node:child_process'
import http from 'node:http'
import net from 'node:net'
import {once} from 'node:events'
import {join} from 'node:path'
import t from 'tap'
import {listenOnSocket, socketPath} from '../../../src/ports/bind.ts'
import {openTestSidecar} from '../sidecar/rig.ts'

t.test('a door listens on a socket with Dapr’s name, which is gone when it is closed', async t => {
  const folder = join(mkdtempSync('/tmp/s-'), 'deep')
  t.teardown(() => rmSync(join(folder, '..'), {recursive: true}))
  const server = await listenOnSocket(folder, 'shop')
  const path = socketPath(folder, 'shop')
  t.equal(path, join(folder, 'dapr-shop-http.socket'))
  const {sidecar} = await openTestSidecar(t, {extraServers: [server]})
  const request = http.get({socketPath: path, path: '/v1.0/healthz'})
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  t.equal(response.statusCode, 204)
  response.resume()
  await t.rejects(listenOnSocket(folder, 'shop'), {
    message: /the socket of app "shop" cannot be opened at .*: somebody listens there/
  })
  request.destroy()
  await sidecar.close()
  t.equal(existsSync(path), false)
})

t.test('what a dead run left behind is no obstacle; what is no socket stays', async t => {
  const folder = mkdtempSync('/tmp/s-')
  t.teardown(() => rmSync(folder, {recursive: true}))
  const path = socketPath(folder, 'shop')
  spawnSync(process.execPath, [
    '-e',
    'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))',
    path
  ])
  t.equal(existsSync(path), true)
  const server = await listenOnSocket(folder, 'shop')
  const socket = net.connect(path)
  await once(socket, 'connect')
  socket.destroy()
  server.close()
  await t.rejects(listenOnSocket('/dev/null/x', 'shop'), {message: /ENOTDIR/})
})
