import {once} from 'node:events'
import http from 'node:http'
import net from 'node:net'
import {mock} from 'node:test'
import {Server, ServerCredentials, status, type handleUnaryCall} from '@grpc/grpc-js'
import t, {type Test} from 'tap'
import {DEFAULT_TRACING} from '../../../../src/files/resources/defaults.ts'
import type {OtlpSettings} from '../../../../src/files/resources/tracing-settings.ts'
import {openExporters} from '../../../../src/observe/telemetry/tracing/exporters.ts'
import {openZipkin, resourceAttributes} from '../../../../src/observe/telemetry/tracing/opentelemetry.ts'
import type {FinishedSpan} from '../../../../src/observe/telemetry/tracing/span.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

const span = (overrides: Partial<FinishedSpan> = {}): FinishedSpan => ({
  name: 'CallLocal/b/m',
  kind: 'client',
  context: {traceId: TRACE, spanId: 'b7ad6b7169203331', flags: 1, tracestate: ''},
  parentSpanId: '00f067aa0ba902b7',
  startedAt: 1_700_000_000_123.5,
  durationMs: 12.25,
  attributes: {'dapr.status_code': '503'},
  error: 'Code(503): Service Unavailable',
  ...overrides
})

interface Told {
  readonly logged: string[]
  readonly warned: string[]
  readonly options: Parameters<typeof openExporters>[1]
}

const listen = (): Told => {
  const logged: string[] = []
  const warned: string[] = []
  const options = {
    appId: 'checkout',
    env: {},
    log: (text: string) => void logged.push(text),
    warn: (text: string) => void warned.push(text)
  }
  return {logged, warned, options}
}

interface Received {
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** An HTTP server that takes what it is sent. */
const collect = async (t: Test): Promise<{port: number; received: Received[]}> => {
  const received: Received[] = []
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks)})
      response.writeHead(202).end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {port: (server.address() as net.AddressInfo).port, received}
}

const otlp = (port: number, protocol: 'grpc' | 'http'): OtlpSettings => ({
  endpoint: `127.0.0.1:${port}`,
  protocol,
  isSecure: false,
  headers: {'x-key': 'secret'},
  timeoutMs: 5000
})

/** Ids go as bytes, texts as they are. */
const isOurs = (body: Buffer): boolean =>
  [Buffer.from(TRACE, 'hex'), 'CallLocal/b/m', 'checkout', 'service.name'].every(part => body.includes(part))

t.test('nothing is opened when nothing is asked for', async t => {
  t.equal(await openExporters(DEFAULT_TRACING, listen().options), undefined)
})

t.test("Zipkin's API gets JSON", async t => {
  const {port, received} = await collect(t)
  const {options, warned} = listen()
  const zipkinUrl = `http://127.0.0.1:${port}/api/v2/spans`
  const sink = await openExporters({...DEFAULT_TRACING, zipkinUrl}, options)
  sink?.add(span())
  sink?.add(span({context: {...span().context, flags: 0}}))
  const fine = {startedAt: 1_700_000_000_123 + 0.4567, durationMs: 0.0123}
  sink?.add(span(fine))
  await sink?.close(5000)
  t.strictSame(warned, [])
  t.equal(received.length, 1)
  t.equal(received[0]?.path, '/api/v2/spans')
  const spans = JSON.parse(received[0]?.body.toString() ?? '[]') as object[]
  t.equal(spans.length, 2, 'what is not sampled is not sent')
  t.match(spans[0], {
    traceId: TRACE,
    id: 'b7ad6b7169203331',
    parentId: '00f067aa0ba902b7',
    name: 'CallLocal/b/m',
    kind: 'CLIENT',
    timestamp: 1_700_000_000_123_500,
    duration: 12_250,
    localEndpoint: {serviceName: 'checkout'},
    tags: {'dapr.status_code': '503', error: 'Code(503): Service Unavailable'}
  })
  t.match(spans[1], {timestamp: 1_700_000_000_123_457, duration: 12}, 'Zipkin refuses a batch with a fraction')
})

t.test('a collector gets protobuf over HTTP', async t => {
  const {port, received} = await collect(t)
  const {options, warned} = listen()
  const sink = await openExporters({...DEFAULT_TRACING, otlp: otlp(port, 'http')}, options)
  sink?.add(span())
  await sink?.close(5000)
  t.strictSame(warned, [])
  t.match(received, [{path: '/v1/traces', headers: {'content-type': 'application/x-protobuf', 'x-key': 'secret'}}])
  t.ok(isOurs(received[0]?.body ?? Buffer.alloc(0)))
})

t.test('a collector may take as long as its timeout says', async t => {
  const server = http.createServer(() => undefined) // does not answer
  await once(server.listen(0, '127.0.0.1'), 'listening')
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => {
    mock.timers.reset()
    server.close()
    server.closeAllConnections()
  })
  const {options, warned} = listen()
  const {port} = server.address() as net.AddressInfo
  const sink = await openExporters({...DEFAULT_TRACING, otlp: {...otlp(port, 'http'), timeoutMs: 30_000}}, options)
  sink?.add(span())
  const asked = once(server, 'request')
  mock.timers.tick(5000) // then the queue is sent
  await asked
  mock.timers.tick(10_000)
  t.strictSame(warned, [])
  mock.timers.tick(20_000)
  t.match(warned, [/the collector at .* no response within 30 s/])
})

const asIs = (bytes: Buffer): Buffer => bytes

type Export = handleUnaryCall<Buffer, Buffer>
type Answer = Parameters<Export>[1]

/** A collector that speaks gRPC by its own library, and answers as it is told to. */
const serveGrpc = async (t: Test, answer: (done: Answer) => void): Promise<{port: number; received: Received[]}> => {
  const received: Received[] = []
  const server = new Server()
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
  const both = {requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs}
  const collect: Export = ({request, metadata}, done) => {
    received.push({path, headers: {'x-key': String(metadata.get('x-key')[0])}, body: request})
    answer(done)
  }
  server.addService({Export: {path, requestStream: false, responseStream: false, ...both}}, {Export: collect})
  const {promise, resolve, reject} = Promise.withResolvers<number>()
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error)
  )
  t.teardown(() => server.forceShutdown())
  return {port: await promise, received}
}

t.test('a collector gets protobuf over gRPC', async t => {
  const {port, received} = await serveGrpc(t, done => done(null, Buffer.alloc(0)))
  const {options, warned} = listen()
  const sink = await openExporters({...DEFAULT_TRACING, otlp: otlp(port, 'grpc')}, options)
  sink?.add(span())
  await sink?.close(5000)
  t.strictSame(warned, [])
  t.match(received, [{headers: {'x-key': 'secret'}}])
  t.ok(isOurs(received[0]?.body ?? Buffer.alloc(0)))
})

t.test('a collector that refuses is told with its words', async t => {
  const {port, received} = await serveGrpc(t, done => done({code: status.UNAUTHENTICATED, details: 'no key'}))
  const {options, warned} = listen()
  const sink = await openExporters({...DEFAULT_TRACING, otlp: otlp(port, 'grpc')}, options)
  for (let n = 0; n < 1000; n++) sink?.add(span())
  await sink?.close(5000)
  t.equal(received.length, 2, 'two batches')
  t.strictSame(warned, [`spans cannot be sent to the collector at 127.0.0.1:${port}: gRPC status 16: no key`])
})

t.test('a collector that is away for a moment gets the same spans later', async t => {
  const answers: {readonly code: number; readonly details: string}[] = [{code: status.UNAVAILABLE, details: 'starting'}]
  const taken = Promise.withResolvers<void>()
  const {port, received} = await serveGrpc(t, done => {
    const refusal = answers.pop()
    if (refusal !== undefined) return done(refusal)
    done(null, Buffer.alloc(0))
    taken.resolve()
  })
  const {options, warned} = listen()
  const sink = await openExporters({...DEFAULT_TRACING, otlp: otlp(port, 'grpc')}, options)
  for (let n = 0; n < 512; n++) sink?.add(span()) // a whole batch is sent at once
  await taken.promise
  await sink?.close(5000)
  t.equal(received.length, 2)
  t.ok(received[1]?.body.equals(received[0]?.body ?? Buffer.alloc(0)))
  t.strictSame(warned, [])
})

t.test('after a connection whose other end says nothing more there is a new one', async t => {
  const {port, received} = await serveGrpc(t, done => done(null, Buffer.alloc(0)))
  const sockets: net.Socket[] = []
  const silent = Promise.withResolvers<unknown>()
  const server = net.createServer(socket => {
    sockets.push(socket.on('error', () => undefined))
    // the first one is as after a sleep of the machine: nothing comes through it
    if (sockets.length === 1) socket.resume().once('close', silent.resolve)
    else socket.pipe(net.connect(port, '127.0.0.1').on('error', () => undefined)).pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const {options} = listen()
  const place = {...otlp((server.address() as net.AddressInfo).port, 'grpc'), timeoutMs: 2000}
  const sink = await openExporters({...DEFAULT_TRACING, otlp: place}, options)
  for (let n = 0; n < 512; n++) sink?.add(span())
  await silent.promise
  sink?.add(span())
  await sink?.close(5000)
  t.equal(received.length, 1)
})

t.test('a collector that is down, or says nothing', async t => {
  const down = listen()
  const nowhere = await openExporters({...DEFAULT_TRACING, otlp: otlp(1, 'grpc')}, down.options)
  nowhere?.add(span())
  await nowhere?.close(5000)
  t.match(down.warned, [/^spans cannot be sent to the collector at 127\.0\.0\.1:1: .* connection refused/])

  const {port} = await serveGrpc(t, () => undefined)
  const silent = listen()
  const sink = await openExporters({...DEFAULT_TRACING, otlp: {...otlp(port, 'grpc'), timeoutMs: 50}}, silent.options)
  sink?.add(span())
  await sink?.close(5000)
  t.match(silent.warned, [/no response within 50 ms|gRPC status 4/])
})

t.test('an exporter that is down is told once', async t => {
  const {options, warned} = listen()
  const zipkinUrl = 'http://127.0.0.1:1/api/v2/spans'
  const sink = await openExporters({...DEFAULT_TRACING, zipkinUrl}, options)
  for (let n = 0; n < 5000; n++) sink?.add(span())
  await sink?.close(5000)
  t.match(warned, [/^spans cannot be sent to Zipkin at http:\/\/127\.0\.0\.1:1\/api\/v2\/spans: .*ECONNREFUSED/])
})

t.test('the end does not wait for one that never answers', async t => {
  const sockets: net.Socket[] = []
  const server = net.createServer(socket => void sockets.push(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const {port} = server.address() as net.AddressInfo
  const {options} = listen()
  const sink = await openExporters({...DEFAULT_TRACING, zipkinUrl: `http://127.0.0.1:${port}/api/v2/spans`}, options)
  sink?.add(span())
  await sink?.close(20)
  t.pass('it is over')
})

t.test('a Zipkin that never answers keeps no connection', async t => {
  const sockets: net.Socket[] = []
  const all = Promise.withResolvers<void>()
  const server = net.createServer(socket => {
    sockets.push(socket.on('error', () => undefined).resume())
    socket.once('close', () => sockets.every(each => each.closed) && sockets.length === 2 && all.resolve())
    // the second answer begins, and does not end
    if (sockets.length === 2) socket.write('HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const {options, warned} = listen()
  const sink = await openZipkin(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}/`, options, 50)
  for (let n = 0; n < 1024; n++) sink.add(span()) // two batches
  await all.promise
  t.match(warned, [/^spans cannot be sent to Zipkin at http:\/\/127.* no response within 50 ms/])
  await sink.close(5000)
})

t.test('the address of a collector is said without its password', async t => {
  for (const protocol of ['http', 'grpc'] as const) {
    const {options, warned} = listen()
    const place = {...otlp(1, protocol), endpoint: 'me:S3cr3t@127.0.0.1:1', timeoutMs: 50}
    const sink = await openExporters({...DEFAULT_TRACING, otlp: place}, options)
    sink?.add(span())
    await sink?.close(5000)
    t.match(warned, [/^spans cannot be sent to the collector at me:<masked, 6 characters>@127\.0\.0\.1:1: /], protocol)
    t.notMatch(warned[0], /S3cr3t/)
  }
})

t.test('spans as lines of the log', async t => {
  const {options, logged} = listen()
  const sink = await openExporters({...DEFAULT_TRACING, isLogged: true}, options)
  sink?.add(span())
  await sink?.close(1)
  t.strictSame(logged, [
    `[CallLocal/b/m] Trace: ${TRACE} Span: 00f067aa0ba902b7/b7ad6b7169203331 Time: [2023-11-14T22:13:20.123Z ->  2023-11-14T22:13:20.135Z] Annotations: []`
  ])
})

t.test('who sends', async t => {
  const table: readonly (readonly [Record<string, string>, Record<string, string>])[] = [
    [{}, {'service.name': 'a'}],
    [{OTEL_SERVICE_NAME: 's'}, {'service.name': 's'}],
    [{OTEL_RESOURCE_ATTRIBUTES: 'service.name=r,x=a%20b,bad,y=%'}, {'service.name': 'r', x: 'a b', y: '%'}],
    [{OTEL_SERVICE_NAME: 's', OTEL_RESOURCE_ATTRIBUTES: 'service.name=r'}, {'service.name': 's'}]
  ]
  for (const [env, attributes] of table) t.strictSame(resourceAttributes({appId: 'a', env}), attributes)
})
