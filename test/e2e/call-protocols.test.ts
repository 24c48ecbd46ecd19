import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import {join} from 'node:path'
import t from 'tap'
import {echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import {callByName, withNames} from '../rig/by-name.ts'
import {recordedCalls} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/apps/every-protocol.mjs')
/** The protocol of the program of each app, and its `appProtocol`. */
const APPS = {web: ['http', 'http'], two: ['http2', 'h2c'], rpc: ['http2', 'grpc'], raw: ['bytes', 'http']} as const

const lookup: net.LookupFunction = (_name, _options, found) => found(null, [{address: '127.0.0.1', family: 4}])
const local = (port: number): string => `http://127.0.0.1:${port}`

/** Sends a request of HTTP/2, and reads its response. */
async function overHttp2(url: string, headers: http2.OutgoingHttpHeaders, ca = ''): Promise<void> {
  const session = http2.connect(url, {ca, lookup})
  const stream = session.request(headers, {endStream: headers['content-type'] === undefined})
  if (headers['content-type'] !== undefined) stream.end(Buffer.alloc(5))
  await once(stream.resume(), 'close')
  session.close()
}

const GRPC = {':method': 'POST', 'content-type': 'application/grpc', te: 'trailers'}

async function overWebSocket(url: string): Promise<void> {
  const socket = new WebSocket(url)
  await new Promise(resolve => socket.addEventListener('open', resolve))
  socket.close()
  await new Promise(resolve => socket.addEventListener('close', resolve))
}

async function overBytes(port: number): Promise<void> {
  const socket = net.connect(port, '127.0.0.1')
  socket.write('\0\n')
  await once(socket.resume(), 'close')
}

/** The apps, each at a port, with one sidecar through which all are called, and an entrance. */
async function openApps(rig: Rig) {
  const entrance = await freePort()
  const state = join(rig.home, '.local/state')
  const env = {...withNames(entrance), PATH: join(rig.home, 'bin'), XDG_STATE_HOME: state}
  const ports: Record<string, number> = {}
  for (const id of Object.keys(APPS)) ports[id] = await freePort()
  await rig.template([
    {appID: 'caller', command: []},
    ...Object.entries(APPS).map(([appID, [kind, appProtocol]]) => ({
      appID,
      appProtocol,
      port: ports[appID],
      command: [process.execPath, FIXTURE, kind]
    }))
  ])
  await rig.run(['trust', '--yes'], {env})
  const run = rig.pillion(['run', '-f', '.'], {env})
  const sidecar = await run.ports('caller')
  await run.waitForLine('Writing log files')
  return {entrance, env, ports: ports as Record<keyof typeof APPS, number>, sidecar}
}

t.test('the protocols of a call are those of its caller and of its app, whatever the way between them is', async t => {
  const rig = await openRig(t)
  const {entrance, env, ports, sidecar} = await openApps(rig)
  const nameOf = async (id: string): Promise<URL> => new URL((await rig.run(['name', id], {env})).stdout.trim())
  const invoke = `${local(sidecar.http)}/v1.0/invoke`

  await fetch(`${local(ports.web)}/port-http`)
  await overHttp2(local(ports.two), {':path': '/port-http2'})
  await overHttp2(local(ports.rpc), {':path': '/t.T/PortGrpc', ...GRPC})
  await overWebSocket(`ws://127.0.0.1:${ports.web}/port-websocket`)
  await overBytes(ports.raw)

  for (const id of ['web', 'two', 'rpc']) await fetch(`${invoke}/${id}/method/http-to-${id}`)
  await fetch(`${invoke}/web/method/odd-to-web`, {
    method: 'POST',
    body: new ReadableStream({start: body => body.close()}),
    duplex: 'half'
  })
  for (const id of ['web', 'two', 'rpc'])
    await overHttp2(local(sidecar.http), {':path': `/v1.0/invoke/${id}/method/http2-to-${id}`})
  await overWebSocket(`${invoke.replace('http', 'ws')}/web/method/websocket-to-web`)
  const client = echoClient(t, sidecar.grpc)
  await client.call({'dapr-app-id': 'rpc'}, {path: '/t.T/Proxied'})
  t.match(await client.invoke('web', {method: 'invoked-web', verb: 1}), {code: 0})
  t.match(await client.invoke('rpc', {method: 'invoked-rpc', verb: 1}), {code: 0})

  const web = await nameOf('web')
  const ca = readFileSync(join(rig.home, '.local/state/pillion/ca/ca.crt'), 'utf8')
  t.match(await callByName(entrance, web.hostname, '/name-http'), /^HTTP\/1\.1 200 /)
  await overHttp2(web.href, {':path': '/name-tls-http2'}, ca)
  await overHttp2(local(entrance), {':path': '/name-http2', ':authority': web.host})

  const expected: Readonly<Record<string, readonly [caller: string, callee: string, har: string]>> = {
    '/port-http': ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1'],
    '/port-http2': ['HTTP/2', 'HTTP/2', 'HTTP/2'],
    '/t.T/PortGrpc': ['gRPC', 'gRPC', 'HTTP/2'],
    '/port-websocket': ['WebSocket', 'WebSocket', 'HTTP/1.1'],
    [`/:${ports.raw}`]: ['bytes', 'bytes', 'TCP'],
    '/http-to-web': ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1'],
    '/http-to-two': ['HTTP/1.1', 'HTTP/2', 'HTTP/1.1'],
    '/http-to-rpc': ['HTTP/1.1', 'gRPC', 'HTTP/1.1'],
    '/odd-to-web': ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1'],
    '/http2-to-web': ['HTTP/2', 'HTTP/1.1', 'HTTP/2'],
    '/http2-to-two': ['HTTP/2', 'HTTP/2', 'HTTP/2'],
    '/http2-to-rpc': ['HTTP/2', 'gRPC', 'HTTP/2'],
    '/websocket-to-web': ['WebSocket', 'WebSocket', 'HTTP/1.1'],
    '/t.T/Proxied': ['gRPC', 'gRPC', 'HTTP/2'],
    '/invoked-web': ['gRPC', 'HTTP/1.1', 'HTTP/2'],
    '/invoked-rpc': ['gRPC', 'gRPC', 'HTTP/2'],
    '/name-http': ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1'],
    '/name-tls-http2': ['HTTP/2', 'HTTP/1.1', 'HTTP/2'],
    '/name-http2': ['HTTP/2', 'HTTP/1.1', 'HTTP/2']
  }
  const calls = await recordedCalls(rig)
  const har = JSON.parse((await rig.run(['calls', '-o', 'har'])).stdout) as {
    readonly log: {
      readonly entries: readonly {
        readonly request: {readonly httpVersion: string}
        readonly response: {readonly httpVersion: string}
        readonly _pillion: {readonly number: number}
      }[]
    }
  }
  const found = calls
    .filter(({path}) => path in expected)
    .map(({path, number, protocol, calleeProtocol}) => {
      const entry = har.log.entries.find(({_pillion}) => _pillion.number === number)
      t.equal(entry?.response.httpVersion, entry?.request.httpVersion, path)
      return [path, [protocol, calleeProtocol, entry?.request.httpVersion]]
    })
  t.strictSame(Object.fromEntries(found), expected)
  const invoked = calls.find(({path}) => path === '/invoked-web')
  t.match(invoked, {marks: ['grpc'], status: 0}, 'its status is a code of gRPC, and is shown as one')
  t.same(
    calls.filter(({isFailed, status}) => isFailed || status >= 500),
    [],
    'all were answered'
  )
})
