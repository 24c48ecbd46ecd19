import grpc from '@grpc/grpc-js'
import t from 'tap'
import {readFault} from '../../../../../src/files/config/fault.ts'
import {Faults} from '../../../../../src/proxy/faults/faults.ts'
import type {InvokeRequest} from '../../../../../src/proxy/net/grpc/invoke-messages.ts'
import {echoApp, rawApp, valuesOf} from '../rig.ts'
import {callbackApp, echoClient, openTestGrpcPort} from './rig.ts'

const text = (value: Uint8Array): string => Buffer.from(value).toString()
const bytes = (value: string): Uint8Array => Buffer.from(value)

t.test('InvokeService to an app of gRPC: OnInvoke gets the same request', async t => {
  const seen: InvokeRequest[] = []
  const metadata: grpc.Metadata[] = []
  const appPort = await callbackApp(t, (request, call) => {
    seen.push(request)
    metadata.push(call.metadata)
    const head = new grpc.Metadata()
    head.set('x-head', 'h')
    call.sendMetadata(head)
    return {typeUrl: 'x/y', value: bytes(`got ${text(request.value)}`), contentType: 'text/x'}
  })
  const {port, records, underWay} = await openTestGrpcPort(t, {appPort, tokens: {api: '', app: 'own'}})
  const client = echoClient(t, port)
  const request = {
    method: 'a b/c',
    typeUrl: 'some/type',
    value: bytes('hello'),
    contentType: 'text/plain',
    verb: 3,
    query: 'x=1&y'
  }
  const outcome = await client.invoke('b', request, {
    'x-one': ['1', '2'],
    'x-bin': Buffer.from([0, 255]),
    'dapr-api-token': 't',
    'dapr-caller-app-id': 'spoofed'
  })
  t.match(outcome, {code: 0, response: {typeUrl: 'x/y', contentType: 'text/x'}})
  t.equal(text(outcome.response.value), 'got hello')
  t.strictSame(outcome.head.get('x-head'), ['h'])
  t.match(outcome.head.get('traceparent')[0], /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  t.equal(outcome.head.get('grpc-trace-bin').length, 1)
  t.strictSame({...seen[0], value: text(seen[0]?.value ?? bytes(''))}, {...request, value: 'hello'})
  const told = metadata[0]
  t.equal(told?.get('x-one').join(), '1, 2')
  t.strictSame(told?.get('x-bin'), [Buffer.from([0, 255])])
  t.strictSame(told?.get('dapr-caller-app-id'), ['a'])
  t.strictSame(told?.get('dapr-callee-app-id'), ['b'])
  t.strictSame(told?.get('dapr-caller-namespace'), ['default'])
  t.strictSame(told?.get('x-forwarded-host'), ['laptop'])
  t.strictSame(told?.get('dapr-api-token'), [])
  t.equal(told?.get('grpc-trace-bin').length, 1)
  await client.invoke('a.default', {method: '/x//y/../z/'})
  t.match(seen[1], {method: '/x/z', typeUrl: '', verb: undefined}, 'a leading slash stays')
  t.strictSame(metadata[1]?.get('dapr-api-token'), ['own'])
  t.strictSame(metadata[1]?.get('x-forwarded-host'), [])
  for (const [method, told] of [
    ['x//y/../z/', 'x/z'],
    ['../../x', 'x'],
    ['/', '/'],
    ['..', ''],
    ['50%', '50%'],
    ['a%2Fb%zz', 'a%2Fb%zz']
  ] as const) {
    t.match(await client.invoke('b', {method}), {code: 0}, method)
    t.equal(seen.at(-1)?.method, told)
  }
  t.equal(underWay(), 0)
  t.match(records[0], {
    grpcStatus: 0,
    request: {path: '/dapr.proto.runtime.v1.Dapr/InvokeService'},
    call: {callee: 'b'}
  })
})

t.test('a status of the app of gRPC reaches the caller with its details and trailers', async t => {
  const appPort = await callbackApp(t, ({method}) => {
    const metadata = new grpc.Metadata()
    metadata.set('x-trailer', 't')
    metadata.set('grpc-status-details-bin', Buffer.from([8, 5]))
    return Object.assign(new Error(method), {code: Number(method), details: `bad ü ${method}`, metadata})
  })
  const {port} = await openTestGrpcPort(t, {appPort})
  const client = echoClient(t, port)
  for (const code of [1, 2, 5, 16]) {
    const outcome = await client.invoke('b', {method: code.toString()})
    t.match(outcome, {code, message: `bad ü ${code}`})
    t.strictSame(outcome.trailers.get('x-trailer'), ['t'])
    t.strictSame(outcome.trailers.get('grpc-status-details-bin'), [Buffer.from([8, 5])])
  }
})

t.test('InvokeService to an app of HTTP', async t => {
  const {port: appPort, seen} = await echoApp(t, (request, response) => {
    const status = Number(/^\/status\/(\d+)/.exec(request.url ?? '')?.[1] ?? 200)
    response.writeHead(status, {
      'content-type': 'text/x',
      'set-cookie': ['a=1', 'b=2'],
      'X-Mixed': 'M',
      'cache-control': 'no-store'
    })
    response.end(status === 204 ? undefined : `answer ${seen.at(-1)?.body ?? ''}`)
  })
  const {port, records, underWay} = await openTestGrpcPort(t, {appPort, appProtocol: 'http'})
  const client = echoClient(t, port)
  const outcome = await client.invoke(
    'b',
    {method: 'x y/z', value: bytes('hello'), contentType: 'application/json', verb: 4, query: 'a=%20&b'},
    {'x-one': ['1', '2'], 'x-bin': Buffer.from([1]), 'dapr-caller-app-id': 'spoofed'}
  )
  t.match(outcome, {code: 0, response: {contentType: 'text/x'}})
  t.equal(text(outcome.response.value), 'answer hello')
  for (const [name, values] of Object.entries({
    'dapr-http-status': ['200'],
    'dapr-content-type': ['text/x'],
    'dapr-cache-control': ['no-store'],
    'x-mixed': ['M'],
    'set-cookie': ['a=1', 'b=2']
  }))
    t.strictSame(outcome.head.get(name), values, name)
  t.equal(outcome.head.get('traceparent').length, 1)
  const [first] = seen
  if (first === undefined) throw new Error('no request')
  t.match(first, {method: 'PUT', url: '/x%20y/z?a=%20&b', body: 'hello'})
  for (const [name, values] of Object.entries({
    'content-type': ['application/json'],
    'content-length': ['5'],
    'x-one': ['1', '2'],
    'x-bin': [],
    te: [],
    'dapr-caller-app-id': ['a'],
    'dapr-callee-app-id': ['b'],
    'dapr-caller-namespace': ['default']
  }))
    t.strictSame(valuesOf(first, name), values, name)
  t.equal(valuesOf(first, 'traceparent').length, 1)
  t.strictSame(outcome.head.get('dapr-content-length'), [], 'it is not that of the message')
  await client.invoke('b', {method: '/x', typeUrl: 'some/type', value: bytes('p'), contentType: 'text/plain', verb: 3})
  t.match(seen[1], {url: '/x'})
  t.strictSame(seen[1] && valuesOf(seen[1], 'content-type'), ['application/x-protobuf'])
  await client.invoke('b', {method: 'x', verb: 1})
  t.match(seen[2], {method: 'GET', url: '/x', body: ''})
  t.strictSame(seen[2] && valuesOf(seen[2], 'content-type'), [])
  t.match(records[0], {grpcStatus: 0, status: 200, request: {path: '/dapr.proto.runtime.v1.Dapr/InvokeService'}})
  t.equal(underWay(), 0)
})

t.test('statuses of HTTP become codes, with what the app says in ErrorInfo', async t => {
  const {port: appPort} = await echoApp(t, (request, response) => {
    response.writeHead(Number(request.url?.slice(1)))
    response.end(`why ${'x'.repeat(100)}`)
  })
  const {port} = await openTestGrpcPort(t, {appPort, appProtocol: 'http'})
  const client = echoClient(t, port)
  for (const [status, code, message] of [
    [404, 5, 'Not Found'],
    [400, 13, 'Bad Request'],
    [500, 2, 'Internal Server Error'],
    [408, 1, 'Request Timeout'],
    [504, 4, 'Gateway Timeout'],
    [409, 6, 'Conflict'],
    [403, 7, 'Forbidden'],
    [401, 16, 'Unauthorized'],
    [429, 8, 'Too Many Requests'],
    [501, 12, 'Not Implemented'],
    [503, 14, 'Service Unavailable'],
    [418, 2, "I'm a teapot"],
    [302, 2, 'Found'],
    [499, 2, '']
  ] as const) {
    const outcome = await client.invoke('b', {method: status.toString(), verb: 3})
    t.match({code: outcome.code, message: outcome.message}, {code, message}, status.toString())
    t.strictSame(outcome.head.get('dapr-http-status'), [status.toString()])
    const details = String(outcome.trailers.get('grpc-status-details-bin')[0])
    t.match(
      details,
      new RegExp(`google\\.rpc\\.ErrorInfo.*dapr\\.io.*http\\.code.*${status}.*http\\.error_message.*why x{59}$`, 's')
    )
  }
})

const wrapped = (id: string, error: string): object => ({
  code: 13,
  message: `failed to invoke, id: ${id}, err: ${error}`
})

t.test('what goes wrong before the app, in Dapr’s words', async t => {
  const grpcPort = await openTestGrpcPort(t, {appPort: 1})
  const client = echoClient(t, grpcPort.port)
  const http = await openTestGrpcPort(t, {appPort: await rawApp(t, socket => socket.end()), appProtocol: 'http'})
  const toHttp = echoClient(t, http.port)
  t.match(await client.invoke('nobody', {method: 'x'}), wrapped('nobody', "couldn't find service: nobody (why)"))
  t.match(await client.invoke('', {method: 'x'}), wrapped('', 'app id is empty'))
  t.match(await client.invoke('a.b.c', {method: 'x'}), wrapped('a.b.c', 'invalid app id a.b.c'))
  t.match(
    await client.invoke('b', undefined),
    wrapped(
      'b',
      'rpc error: code = InvalidArgument desc = parsing InternalInvokeRequest error: request does not contain the required fields in the leading chunk'
    )
  )
  t.match(
    await client.invoke('b', {method: 'a#b'}),
    wrapped('b', 'rpc error: code = InvalidArgument desc = invalid method: method contains forbidden character: "a#b"')
  )
  t.match(await client.invoke('b', {method: 'x'}), {
    code: 14,
    message:
      'connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused" (why)'
  })
  const remote = 'rpc error: code = Internal desc = error invoking app channel: '
  t.match(
    await toHttp.invoke('b', {method: 'x'}),
    wrapped('b', `${remote}rpc error: code = InvalidArgument desc = missing HTTP extension field`)
  )
  t.match(
    await toHttp.invoke('a', {method: 'x', verb: 6}),
    wrapped('a', 'rpc error: code = InvalidArgument desc = invalid HTTP verb')
  )
  const hungUp = await toHttp.invoke('b', {method: 'x', verb: 3})
  t.equal(hungUp.code, 13)
  t.match(
    hungUp.message,
    /^failed to invoke, id: b, err: rpc error: code = Internal desc = error invoking app channel: Post "http:\/\/127\.0\.0\.1:\d+\/x": EOF/
  )
  t.match(await toHttp.invoke('b', {method: '50%', verb: 3}), wrapped('b', 'parse "/50%": invalid URL escape "%"'))
  t.match(await client.dapr('InvokeService', bytes('\u00ff\u00ff')), {
    code: 13,
    message: /^grpc: error unmarshalling request: /
  })
})

t.test('a deadline, or a caller who leaves, ends the call at the app', async t => {
  let left = 0
  const appPort = await rawApp(t, socket => void socket.resume().on('close', () => left++))
  const {port, underWay} = await openTestGrpcPort(t, {appPort, appProtocol: 'http'})
  const client = echoClient(t, port)
  t.match(await client.invoke('b', {method: 'x', verb: 3}, {}, {deadline: Date.now() + 100}), {code: 4})
  while (underWay() > 0) await new Promise(setImmediate)
  t.pass(left.toString())
})

t.test('without tracing, an app of HTTP gets the trace that came in binary form', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const tracing = {isTracing: false, tracer: undefined}
  const {port} = await openTestGrpcPort(t, {appPort, appProtocol: 'http', tracing})
  const binary = Buffer.concat([
    Buffer.from([0, 0]),
    Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex'),
    Buffer.from([1]),
    Buffer.from('b7ad6b7169203331', 'hex'),
    Buffer.from([2, 1])
  ])
  await echoClient(t, port).invoke('b', {method: 'x', verb: 3}, {'grpc-trace-bin': binary})
  t.strictSame(seen[0] && valuesOf(seen[0], 'traceparent'), ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'])
})

t.test('the callee’s maxBodySize counts for InvokeService, too, both ways', async t => {
  const appPort = await callbackApp(t, ({value}) => ({
    typeUrl: '',
    value: text(value) === 'large' ? Buffer.alloc(1000) : value,
    contentType: ''
  }))
  const {port, underWay} = await openTestGrpcPort(t, {appPort, maxMessageBytes: 1000})
  const client = echoClient(t, port)
  t.match(await client.invoke('b', {method: 'x', value: Buffer.alloc(900)}), {code: 0})
  t.match(await client.invoke('b', {method: 'x', value: Buffer.alloc(1000)}), {
    code: 8,
    message: /^trying to send message larger than max \(10\d\d vs\. 1000\)$/
  })
  t.match(await client.invoke('b', {method: 'x', value: bytes('large')}), {
    code: 8,
    message: /^grpc: received message larger than max \(10\d\d vs\. 1000\)$/
  })
  t.equal(underWay(), 0)
})

t.test('what a fault answers counts as the answer of the app, whatever JSON it is', async t => {
  const faults = new Faults({tell: () => undefined, kill: () => undefined})
  const {port} = await openTestGrpcPort(t, {appProtocol: 'http', faults: {active: faults}})
  const client = echoClient(t, port)
  for (const [status, body, code] of [
    [503, '{"errorCode":"ERR_STATE","message":"no store"}', 14],
    [404, '{"errorCode":"ERR_STATE"}', 5],
    [500, '{"errorCode":', 2],
    [200, '{"errorCode":""}', 0]
  ] as const) {
    faults.removeAll()
    faults.add(readFault({from: 'any', to: 'any', status, body}))
    const outcome = await client.invoke('b', {method: 'x', verb: 3})
    t.match(outcome, {code}, body)
    if (code === 0) t.match([text(outcome.response.value), outcome.response.contentType], [body, 'application/json'])
  }
})
