import {request, type IncomingMessage} from 'node:http'
import {connect} from 'node:net'
import {connect as connectHttp2} from 'node:http2'
import {once} from 'node:events'
import {gzipSync} from 'node:zlib'
import t, {type Test} from 'tap'
import {Receiver} from '../../../../src/observe/telemetry/otlp/receiver.ts'
import {SpanStore} from '../../../../src/observe/telemetry/otlp/span-store.ts'
import {listen, portOf} from '../../../../src/proxy/ports/bind.ts'
import {knownBodies, knownBytes, type KnownBody} from '../../../rig/otlp-known.ts'

async function open(t: Test) {
  const [claim] = await listen(0, ['127.0.0.1'])
  if (claim === undefined) throw new Error('no port')
  const port = portOf([claim])
  const store = new SpanStore({isRecorded: () => true})
  const warnings: string[] = []
  const receiver = new Receiver(
    claim,
    store,
    () => false,
    text => warnings.push(text)
  )
  t.teardown(async () => {
    await receiver.close(AbortSignal.abort())
    if (warnings.length > 0) throw new Error(warnings.join('\n'))
  })
  const post = async (path: string, body: Uint8Array | string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: {'content-type': 'application/x-protobuf', ...headers},
      body: typeof body === 'string' ? body : new Uint8Array(body)
    })
  return {port, store, post}
}

const JSON_TYPE = {'content-type': 'application/json'}

/** Sends a call of gRPC without TLS, as the SDKs do; its status, or that of HTTP. */
async function call(port: number, path: string, body: Buffer, more: Readonly<Record<string, string>> = {}) {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  try {
    const head = {':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...more}
    const stream = session.request(head)
    let status = ''
    stream.on('response', headers => (status ||= String(headers['grpc-status'] ?? '')))
    stream.on('trailers', trailers => (status ||= String(trailers['grpc-status'])))
    stream.resume()
    stream.end(body)
    await once(stream, 'close')
    return status
  } finally {
    session.close()
  }
}

const countOf = ({holds: {resourceSpans = [], resourceLogs = []}}: KnownBody): number =>
  resourceSpans.flatMap(({scopeSpans}) => scopeSpans.flatMap(({spans}) => spans)).length +
  resourceLogs
    .flatMap(({scopeLogs}) => scopeLogs.flatMap(({logRecords}) => logRecords))
    .filter(({traceId}) => traceId !== undefined).length

t.test('what the SDKs of four languages send is received, over each of their protocols', async t => {
  for (const known of knownBodies()) {
    const {port, store, post} = await open(t)
    const {path, headers, body} = known
    const [, route = ''] = /(\/\S+)/.exec(path) ?? []
    if (body.endsWith('.grpc.pb')) t.equal(await call(port, route, knownBytes(known)), '0', body)
    else {
      const {'content-type': type = '', 'content-encoding': encoding} = headers
      const more = {'content-type': type, ...(encoding !== undefined && {'content-encoding': encoding})}
      t.equal((await post(route, knownBytes(known), more)).status, 200, body)
    }
    // questions of a sidecar are among them
    t.ok(store.size <= countOf(known) && (store.size > 0 || countOf(known) === 0), `${body}: ${store.size}`)
  }
})

const status = async (response: Promise<Response>): Promise<number> => (await response).status

t.test('each mistake has its answer', async t => {
  const {port, store, post} = await open(t)
  t.equal(await status(post('/v1/nothing', '')), 404)
  t.equal(await status(fetch(`http://127.0.0.1:${port}/v1/traces`)), 405)
  t.equal(await status(post('/v1/traces', 'x', {'content-type': 'text/plain'})), 415)
  t.equal(await status(post('/v1/traces', 'x', {'content-encoding': 'br'})), 415)
  t.equal(await status(post('/v1/traces', 'x', {'content-encoding': 'gzip'})), 400)
  t.equal(await status(post('/v1/traces', Buffer.from([0x0a, 0xff, 0xff, 0xff]))), 400)
  const broken = await post('/v1/traces', '{"resourceSpans":[', JSON_TYPE)
  t.equal(broken.status, 400)
  t.match(await broken.json(), {code: 3, message: /no JSON object/})
  t.equal(await status(post('/v1/traces', '{"resourceSpans":5}', JSON_TYPE)), 200)
  t.equal(await status(post('/v1/metrics', 'whatever')), 200, 'metrics are not read')
  t.equal(await status(post('/v1/traces', '{}', {...JSON_TYPE, origin: 'https://evil.example'})), 403)
  t.equal(await status(post('/v1/traces', '{}', {...JSON_TYPE, 'sec-fetch-site': 'cross-site'})), 403)
  const service = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
  t.equal(await call(port, service, Buffer.from([0, 0, 0, 0, 9, 1])), '3', 'half a message')
  t.equal(await call(port, service, Buffer.from([1, 0, 0, 0, 1, 7]), {'grpc-encoding': 'gzip'}), '3')
  t.equal(await call(port, '/other.Service/Export', Buffer.from([0, 0, 0, 0, 0])), '12')
  t.equal(store.size, 0)
})

t.test('a page whose name leads here, by a DNS server of its own, may not send', async t => {
  const {port, store} = await open(t)
  const asked = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/v1/traces',
    headers: {...JSON_TYPE, host: 'evil.example'}
  })
  asked.end('{}')
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  t.equal(answer.resume().statusCode, 403)
  t.equal(store.size, 0)
})

t.test('who asks before a body is sent is told to send it', async t => {
  const {port} = await open(t)
  const headers = {'content-type': 'application/json', 'content-length': 2, expect: '100-continue'}
  const asking = request({port, path: '/v1/traces', method: 'POST', headers})
  asking.flushHeaders()
  await once(asking, 'continue')
  asking.end('{}')
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  t.equal(answer.resume().statusCode, 200)
  t.end()
})

t.test('what names no app keeps the name of its service', async t => {
  const {store, post} = await open(t)
  const spans = [span('a'.repeat(32), 'b'.repeat(16))]
  const resource = {attributes: [{key: 'service.name', value: {stringValue: 'a script'}}]}
  await post('/v1/traces', JSON.stringify({resourceSpans: [{resource, scopeSpans: [{spans}]}]}), JSON_TYPE)
  t.match(store.traces.get('a'.repeat(32))?.spans.get('b'.repeat(16)), {app: 'a script', isApp: false})
})

t.test('a body without end and a bomb of gzip are refused', async t => {
  const {port, store, post} = await open(t)
  const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024))
  t.equal((await post('/v1/traces', bomb, {'content-encoding': 'gzip'})).status, 413)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write('POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n')
  socket.write('transfer-encoding: chunked\r\n\r\n')
  const piece = `10000\r\n${'a'.repeat(0x10000)}\r\n`
  const send = (): void => {
    while (socket.writable && socket.write(piece)) {
      // until it has to wait
    }
  }
  socket.on('drain', send)
  send()
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  t.match(answer.toString(), /^HTTP\/1\.1 413 /)
  t.equal(store.size, 0)
})

const span = (traceId: string, spanId: string) => ({traceId, spanId, name: 'x', kind: 1})

t.test('a span without a place in a trace is refused alone', async t => {
  const {store, post} = await open(t)
  const spans = [span('ab', '01'), span('a'.repeat(32), 'b'.repeat(16)), span('0'.repeat(32), 'b'.repeat(16))]
  const answer = await post('/v1/traces', JSON.stringify({resourceSpans: [{scopeSpans: [{spans}]}]}), JSON_TYPE)
  t.equal(answer.status, 200)
  t.match(await answer.json(), {partialSuccess: {rejectedSpans: '2', errorMessage: /trace id of 16 bytes/}})
  t.equal(store.size, 1)
})
