import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire'
import grpc from '@grpc/grpc-js'
import t, {type Test} from 'tap'
import {grpcDial} from '../../../../../src/proxy/gateway/app-channel.ts'
import {grpcHealth} from '../../../../../src/proxy/net/grpc/app-health.ts'
import type {InvokeRequest} from '../../../../../src/proxy/net/grpc/invoke-messages.ts'
import {data, headers, onStream} from '../frames.ts'
import {openTestSidecar, rawApp, type TestSidecar} from '../rig.ts'
import {callbackApp, grpcApp, type OnInvoke} from './rig.ts'

const text = (value: Uint8Array): string => Buffer.from(value).toString()

const opened = async (t: Test, appPort: number): Promise<TestSidecar> => {
  const sidecar: TestSidecar = await openTestSidecar(t, {appPort, dial: grpcDial(1000, () => undefined)})
  return sidecar
}

const fetchFrom = async (port: number, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1.0/invoke/b/method/${path}`, init)

const withApp = async (t: Test, onInvoke: OnInvoke): Promise<TestSidecar> => opened(t, await callbackApp(t, onInvoke))

t.test('a call over HTTP becomes one OnInvoke, and its answer a response', async t => {
  const seen: InvokeRequest[] = []
  const metadata: grpc.Metadata[] = []
  const {port, underWay} = await withApp(t, (request, call) => {
    seen.push(request)
    metadata.push(call.metadata)
    const head = new grpc.Metadata()
    head.set('x-head', 'h')
    head.set('x-head-bin', Buffer.from([1]))
    call.sendMetadata(head)
    return {typeUrl: '', value: Buffer.from(`got ${text(request.value)}`), contentType: 'text/x'}
  })
  const response = await fetchFrom(port, 'a%20b/c?x=%20&y', {
    method: 'PUT',
    body: 'hello',
    headers: {
      'content-type': 'text/plain',
      authorization: 'Bearer t',
      cookie: 'c=1',
      'x-one': '1',
      'x-bin': 'AA',
      'user-agent': 'me',
      'grpc-timeout': '1S'
    }
  })
  t.equal(response.status, 200)
  t.equal(await response.text(), 'got hello')
  t.equal(response.headers.get('content-type'), 'text/x')
  t.equal(response.headers.get('x-head'), 'h')
  t.notMatch([...response.headers.keys()].join(), /dapr-grpc|grpc-(?:message|status|.*encoding)/)
  t.equal(response.headers.get('x-head-bin'), null)
  t.match(response.headers.get('traceparent'), /^00-/)
  t.match(seen[0], {method: 'a b/c', query: 'x=%20&y', verb: 4, contentType: 'text/plain'})
  const [told] = metadata
  for (const [name, values] of Object.entries({
    authorization: ['Bearer t'],
    'dapr-cookie': ['c=1'],
    'dapr-content-type': ['text/plain'],
    'x-one': ['1'],
    'x-bin': [],
    'dapr-caller-app-id': ['a'],
    'dapr-callee-app-id': ['b'],
    'dapr-app-id': [],
    'dapr-grpc-timeout': []
  }))
    t.strictSame(told?.get(name), values, name)
  t.not(told?.get('user-agent')[0], 'me')
  t.equal(told?.get('traceparent').length, 1)
  t.equal(told?.get('grpc-trace-bin').length, 1)
  await fetchFrom(port, 'x')
  t.match(seen[1], {method: 'x', verb: 1, contentType: ''})
  while (underWay() > 0) await new Promise(setImmediate)
})

t.test('codes of gRPC become statuses of HTTP, with the status as JSON', async t => {
  const {port} = await withApp(t, ({method}) =>
    Object.assign(new Error(method), {code: Number(method), details: `bad ü ${method}`, metadata: new grpc.Metadata()})
  )
  const statuses = [408, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]
  for (const [index, status] of statuses.entries()) {
    const code = index + 1
    const response = await fetchFrom(port, code.toString(), {method: 'POST'})
    t.equal(response.status, status, code.toString())
    t.strictSame(await response.json(), {code, message: `bad ü ${code}`})
  }
})

const bytes = (field: number, value: Uint8Array | string): Uint8Array => {
  const writer = new BinaryWriter().tag(field, WireType.LengthDelimited)
  return (typeof value === 'string' ? writer.string(value) : writer.bytes(value)).finish()
}
const number = (field: number, value: number): Uint8Array =>
  new BinaryWriter().tag(field, WireType.Varint).int32(value).finish()
const all = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

const typeOf = (name: string): string => `type.googleapis.com/google.rpc.${name}`

t.test('the details of a status are in the body', async t => {
  const DETAILS: readonly (readonly [name: string, value: Uint8Array, json: object])[] = [
    [
      'ErrorInfo',
      all(bytes(1, 'NO_STOCK'), bytes(2, 'shop'), bytes(3, all(bytes(1, 'sku'), bytes(2, 'pear')))),
      {reason: 'NO_STOCK', domain: 'shop', metadata: {sku: 'pear'}}
    ],
    ['RetryInfo', bytes(1, all(number(1, 1), number(2, 500_000_000))), {retryDelay: '1.500s'}],
    ['RetryInfo', bytes(1, number(1, 3)), {retryDelay: '3s'}],
    ['DebugInfo', all(bytes(1, 'a'), bytes(1, 'b'), bytes(2, 'c')), {stackEntries: ['a', 'b'], detail: 'c'}],
    [
      'BadRequest',
      all(bytes(1, all(bytes(1, 'sku'), bytes(2, 'empty'))), bytes(1, bytes(1, 'count'))),
      {fieldViolations: [{field: 'sku', description: 'empty'}, {field: 'count'}]}
    ],
    ['ResourceInfo', all(bytes(1, 'shelf'), bytes(4, 'gone')), {resourceType: 'shelf', description: 'gone'}],
    ['Help', bytes(1, all(bytes(1, 'see'), bytes(2, 'http://x'))), {links: [{description: 'see', url: 'http://x'}]}],
    ['LocalizedMessage', all(bytes(1, 'de'), bytes(2, 'weg')), {locale: 'de', message: 'weg'}],
    ['Unknown', Buffer.from('xyz'), {value: 'eHl6'}]
  ]
  const anys = DETAILS.map(([name, value]) => bytes(3, all(bytes(1, typeOf(name)), bytes(2, value))))
  const {port} = await withApp(t, ({method}) => {
    const metadata = new grpc.Metadata()
    metadata.set(
      'grpc-status-details-bin',
      method === 'broken' ? Buffer.from([0x1a, 9, 1]) : all(number(1, 9), ...anys)
    )
    return Object.assign(new Error('no'), {code: 9, details: 'no pears', metadata})
  })
  const response = await fetchFrom(port, 'x')
  t.equal(response.status, 400)
  t.strictSame(await response.json(), {
    code: 9,
    message: 'no pears',
    details: DETAILS.map(([name, , json]) => ({'@type': typeOf(name), ...json}))
  })
  t.strictSame(await (await fetchFrom(port, 'broken')).json(), {code: 9, message: 'no pears'})
})

t.test('a status without a body that says so by a length, as .NET and Rust send it, is passed on', async t => {
  const fields = {':status': '200', 'content-type': 'application/grpc', 'content-length': '0'}
  const appPort = await rawApp(t, socket =>
    onStream(socket, id => {
      socket.write(headers(id, {...fields, 'grpc-status': '5', 'grpc-message': 'no such order'}), 'latin1')
    })
  )
  const {port} = await opened(t, appPort)
  const response = await fetchFrom(port, 'x')
  t.equal(response.status, 404)
  t.strictSame(await response.json(), {code: 5, message: 'no such order'})
})

t.test('an app of gRPC that has no OnInvoke, answers nonsense, or too much', async t => {
  const none = await opened(t, await grpcApp(t))
  t.equal((await fetchFrom(none.port, 'x')).status, 501)
  const reset = await opened(t, await rawApp(t, socket => onStream(socket, () => socket.destroy())))
  const gone = await fetchFrom(reset.port, 'x')
  t.equal(gone.status, 503)
  t.match(await gone.json(), {code: 14, message: /^error reading from server: /})
  const large = await withApp(t, () => ({typeUrl: '', value: Buffer.alloc(2000), contentType: ''}))
  const response = await fetchFrom(large.port, 'x')
  t.equal(response.status, 429)
  t.match(await response.json(), {code: 8, message: /received message larger than max/})
  const small = await opened(t, await callbackApp(t, nothing))
  const request = await fetchFrom(small.port, 'x', {method: 'POST', body: Buffer.alloc(1000)})
  t.equal(request.status, 429)
  t.match(await request.json(), {code: 8, message: /^trying to send message larger than max \(10\d\d vs\. 1000\)$/})
  const typed = await withApp(t, () => ({typeUrl: 'x/y', value: Buffer.alloc(2), contentType: 'text/plain'}))
  t.equal((await fetchFrom(typed.port, 'x')).headers.get('content-type'), 'application/x-protobuf')
  const http = await opened(t, await rawApp(t, socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
  const refused = await fetchFrom(http.port, 'x')
  t.equal(refused.status, 500)
  t.match(await refused.json(), {errorCode: 'ERR_DIRECT_INVOKE', message: /it speaks HTTP\/1\.1/})
})

t.test('a caller who leaves cancels the call at the app', async t => {
  const cancelled = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const appPort = await grpcApp(t, {
    path: '/dapr.proto.runtime.v1.AppCallback/OnInvoke',
    unary: call => {
      begun.resolve()
      call.on('cancelled', () => cancelled.resolve())
    }
  })
  const {port} = await opened(t, appPort)
  const leave = new AbortController()
  const left = fetchFrom(port, 'x', {signal: leave.signal}).catch(() => 'left')
  await begun.promise
  leave.abort()
  t.equal(await left, 'left')
  await cancelled.promise
})

t.test('a call to an app that has just stopped to listen waits in its queue, called before or not', async t => {
  const sockets: net.Socket[] = []
  const server = net.createServer(socket => {
    sockets.push(socket.on('error', () => undefined))
    onStream(socket, stream => {
      const head = headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0)
      socket.write(head + data(stream, '\0'.repeat(5)) + headers(stream, {'grpc-status': '0'}), 'latin1')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const {port} = await opened(t, (server.address() as AddressInfo).port)
  t.equal((await fetchFrom(port, 'x')).status, 200)
  const closed = once(server, 'close')
  server.close()
  for (const socket of sockets) socket.destroy()
  await closed
  const asked = await fetchFrom(port, 'x', {method: 'POST', body: 'hello'})
  t.equal(asked.status, 500)
  t.match(await asked.text(), /its queue says so/)
})

const ask = async (port: number, timeoutMs = 60_000): Promise<number> =>
  grpcHealth({hosts: ['127.0.0.1'], port, isSecure: false}, timeoutMs)
const nothing = (): never => {
  throw new Error('not called')
}

t.test('the health of an app of gRPC', async t => {
  const before = Date.now()
  let deadline: grpc.Deadline = Infinity
  const healthy = await callbackApp(t, nothing, call => {
    deadline = call.getDeadline()
    return true
  })
  t.equal(await ask(healthy), 0)
  const leftMs = new Date(deadline).getTime() - before
  t.ok(leftMs >= 60_000 && leftMs < 120_000, 'the probe has its timeout as its deadline')
  t.equal(await ask(await callbackApp(t, nothing, () => false)), 14)
  t.equal(await ask(await callbackApp(t, nothing)), 12)
  t.equal(await ask(1), -1)
  t.equal(await ask(await rawApp(t, socket => void socket.resume()), 50), -1)
})

t.test('a probe names an address of IPv6 in brackets, as other calls do', async t => {
  const named = Promise.withResolvers<string>()
  const port = await rawApp(t, socket => onStream(socket, (_, head) => named.resolve(head)))
  void grpcHealth({hosts: ['::1', '127.0.0.1'], port, isSecure: false}, 60_000)
  t.ok((await named.promise).includes(`[::1]:${port}`))
})
