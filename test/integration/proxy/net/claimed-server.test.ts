import {PageGuard} from '../../../../src/proxy/gateway/page-guard.ts'
import {once} from 'node:events'
import {mkdtempSync, rmSync} from 'node:fs'
import http2 from 'node:http2'
import net, {type AddressInfo} from 'node:net'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {closed} from '../../../rig/closed.ts'
import {openManagerPort} from '../../../../src/packages/daeploy/manager-api.ts'
import {openMetricsPort} from '../../../../src/dapr/sidecar/ports.ts'
import {createClaim, release} from '../../../../src/proxy/net/claimed-server.ts'
import {openTestGrpcPort} from '../../dapr/sidecar/grpc/rig.ts'
import {openTestSidecar} from '../../dapr/sidecar/rig.ts'

type Open = (t: Test, claim: net.Server) => Promise<void>

const sidecar =
  (hasFastPath: boolean): Open =>
  async (t, claim) =>
    void (await openTestSidecar(t, {extraServers: [claim], hasFastPath}))

const manager: Open = async (t, claim) => {
  const front = openManagerPort([claim], {
    caller: 'external',
    findService: () => ({kind: 'unknown'}) as never,
    guards: {pages: new PageGuard([]), isAllowedHost: () => true, isAuthorized: () => true},
    route: ({response}) => void response.end('manager'),
    warn: text => t.fail(text)
  })
  t.teardown(() => front.destroy())
}

const metrics: Open = async (t, claim) => {
  const open = openMetricsPort([claim], async () => 'up 1\n', {
    isAllowedHost: () => true,
    pages: new PageGuard([]),
    warn: () => undefined
  })
  t.teardown(() => open.destroy())
}

const grpc: Open = async (t, claim) => {
  await openTestGrpcPort(t, {claim})
}

const bind = async (t: Test, where: number | string = 0): Promise<net.Server> => {
  const claim = createClaim()
  if (typeof where === 'string') claim.listen(where)
  else claim.listen(where, '127.0.0.1')
  await once(claim, 'listening')
  t.teardown(() => release(claim))
  return claim
}

/** A connection that the claim accepted; `until` waits until what came on it matches. */
const comeEarly = async (
  t: Test,
  claim: net.Server
): Promise<{socket: net.Socket; until: (pattern: RegExp) => Promise<void>}> => {
  const accepted = once(claim, 'connection')
  const address = claim.address()
  const socket = typeof address === 'string' ? net.connect(address) : net.connect((address as AddressInfo).port)
  let text = ''
  socket.on('data', bytes => (text += bytes.toString('latin1'))).on('error', () => undefined)
  t.teardown(() => socket.destroy())
  await accepted
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) await once(socket, 'data')
  }
  return {socket, until}
}

const REQUEST = 'GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'

for (const [name, open] of [
  ['a sidecar', sidecar(true)],
  ['a sidecar without its fast path', sidecar(false)],
  ['the manager', manager],
  ['the metrics port', metrics]
] as const) {
  for (const early of [0, 12, REQUEST.length]) {
    t.test(`${name} serves a connection from before it was open, with ${early} bytes sent`, async t => {
      const claim = await bind(t)
      const {socket, until} = await comeEarly(t, claim)
      socket.write(REQUEST.slice(0, early))
      await open(t, claim)
      socket.write(REQUEST.slice(early))
      await until(/^HTTP\/1\.1 20[04] /)
      socket.write(REQUEST)
      await until(/^HTTP\/1\.1 20[04] [^]*HTTP\/1\.1 20[04] /)
      t.pass('it is answered, and goes on')
    })
  }

  t.test(`${name} releases a connection that closed before it was open`, async t => {
    const claim = await bind(t)
    const {socket} = await comeEarly(t, claim)
    const gone = closed(socket)
    socket.end()
    await open(t, claim)
    await gone
    t.pass('the connection is closed on both sides')
  })
}

t.test('a sidecar serves early connections to its unix domain socket', async t => {
  const folder = mkdtempSync('/tmp/c-')
  t.teardown(() => rmSync(folder, {recursive: true}))
  const claim = await bind(t, join(folder, 's'))
  const {socket, until} = await comeEarly(t, claim)
  socket.write(REQUEST)
  await sidecar(true)(t, claim)
  await until(/^HTTP\/1\.1 204 /)
})

t.test('the gRPC port serves connections from before it was open', async t => {
  const claim = await bind(t)
  const {socket} = await comeEarly(t, claim)
  socket.removeAllListeners('data')
  const session = http2.connect('http://localhost', {createConnection: () => socket})
  const stream = session.request({':method': 'POST', ':path': '/x', 'content-type': 'application/grpc'})
  const answered = once(stream, 'response')
  stream.end()
  await grpc(t, claim)
  const [head] = (await answered) as [http2.IncomingHttpHeaders]
  t.match(head, {':status': 200, 'grpc-status': '12'})
  session.destroy()
})

t.test('connections to a released address are closed', async t => {
  const claim = await bind(t)
  const {socket} = await comeEarly(t, claim)
  const gone = closed(socket)
  release(claim)
  await gone
  t.equal(claim.listening, false)
})
