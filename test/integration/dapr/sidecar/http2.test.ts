import {EventEmitter, once} from 'node:events'
import type {ServerResponse} from 'node:http'
import http2, {type ClientHttp2Session, type OutgoingHttpHeaders, type ServerHttp2Stream} from 'node:http2'
import type net from 'node:net'
import t, {type Test} from 'tap'
import {http2Dial} from '../../../../src/proxy/gateway/app-channel.ts'
import {closed} from '../../../rig/closed.ts'
import {connect} from './caller.ts'
import {echoApp, listen, onRequest, openTestSidecar, rawApp, valuesOf, type SidecarSettings} from './rig.ts'

interface Got {
  readonly status: unknown
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly rst: number
}

const connectTo = (t: Test, port: number): ClientHttp2Session => {
  const session = http2.connect(`http://localhost:${port}`, {family: 4} as object)
  session.on('error', () => undefined)
  t.teardown(() => session.destroy())
  return session
}

const got = async (session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string | Buffer): Promise<Got> => {
  const stream = session.request(headers, {endStream: body === undefined})
  if (body !== undefined) stream.end(body)
  let answer: Record<string, unknown> = {}
  const pieces: Buffer[] = []
  stream
    .on('response', fields => (answer = {...fields}))
    .on('data', (piece: Buffer) => pieces.push(piece))
    .on('error', () => undefined)
  await new Promise(resolve => stream.on('close', resolve))
  return {
    status: answer[':status'],
    headers: answer,
    body: Buffer.concat(pieces).toString('latin1'),
    rst: stream.rstCode
  }
}

const invoke = (path: string, more: OutgoingHttpHeaders = {}): OutgoingHttpHeaders => ({
  ':method': 'POST',
  ':path': `/v1.0/invoke/b/method${path}`,
  ...more
})

const get = (path: string): OutgoingHttpHeaders => ({':path': path, 'dapr-app-id': 'b'})

const opened = async (
  t: Test,
  settings: SidecarSettings = {}
): Promise<
  Awaited<ReturnType<typeof openTestSidecar>> & {
    seen: Awaited<ReturnType<typeof echoApp>>['seen']
    session: ClientHttp2Session
  }
> => {
  const {port: appPort, seen} = await echoApp(t)
  const sidecar = await openTestSidecar(t, {appPort, ...settings})
  return {...sidecar, seen, session: connectTo(t, sidecar.port)}
}

t.test('a call of HTTP/2 means what it means in HTTP/1', async t => {
  const {session, seen, underWay} = await opened(t)
  t.match(await got(session, invoke('/x?q=1', {'x-a': ['1', '2'], cookie: ['a=1', 'b=2']}), 'streamed'), {
    status: 200,
    body: 'streamed'
  })
  const [first] = seen
  t.match(first, {method: 'POST', url: '/x?q=1', body: 'streamed'})
  t.strictSame(first && valuesOf(first, 'transfer-encoding'), ['chunked'], 'no length: it streams')
  t.strictSame(first && valuesOf(first, 'x-a').join(', '), '1, 2')
  t.strictSame(first && valuesOf(first, 'cookie'), ['a=1; b=2'])
  t.strictSame(first && valuesOf(first, 'dapr-caller-app-id'), ['a'])
  t.match(first && valuesOf(first, 'host')[0], /^127\.0\.0\.1:/)
  t.match(first && valuesOf(first, 'traceparent')[0], /^00-/)
  t.match(await got(session, invoke('/y', {'content-length': 3}), 'abc'), {status: 200, body: 'abc'})
  t.strictSame(seen[1] && valuesOf(seen[1], 'content-length'), ['3'])
  t.match(await got(session, {':path': '/z', 'dapr-app-id': 'b'}), {status: 200})
  t.match(seen[2], {method: 'GET', url: '/z'})
  t.match(await got(session, {':method': 'HEAD', ':path': '/h', 'dapr-app-id': 'b'}), {status: 200, body: ''})
  t.match(await got(session, {':method': 'PROPFIND', ':path': '/p', 'dapr-app-id': 'b'}), {status: 200})
  t.equal(seen[4]?.method, 'POST')
  t.equal(underWay(), 0)
})

t.test('a header that HTTP/2 has once only, and an app sends twice, takes no value from the others', async t => {
  const lines = ['Set-Cookie: a=1', 'Set-Cookie: b=2', ...['no', 'x'].map(each => `X-Content-Type-Options: ${each}`)]
  const head = ['HTTP/1.1 200 OK', ...lines, 'Age: 1', 'Age: 2', 'Vary: a', 'Vary: b', 'Content-Length: 0', '', '']
  const appPort = await rawApp(t, socket => onRequest(socket, () => socket.write(head.join('\r\n'))))
  const {port} = await openTestSidecar(t, {appPort})
  const {status, headers} = await got(connectTo(t, port), get('/x'))
  t.equal(status, 200)
  t.match(headers, {'set-cookie': ['a=1', 'b=2'], 'x-content-type-options': 'no', age: '1', vary: 'a, b'})
})

t.test('the size of a head bounds its headers, as in HTTP/1: of a caller, and of an app of HTTP/2', async t => {
  const app = http2.createServer({maxHeaderListPairs: 1000})
  const many = Object.fromEntries(Array.from({length: 200}, (_, at) => [`x-${at}`, 'v']))
  app.on('stream', (stream: ServerHttp2Stream, headers: object) => {
    stream.respond({...many, 'x-seen': Object.keys(headers).filter(name => Object.hasOwn(many, name)).length})
    stream.end()
  })
  const {port} = await openTestSidecar(t, {appPort: await listen(t, app), dial: http2Dial})
  const session = http2.connect(`http://localhost:${port}`, {family: 4, maxHeaderListPairs: 1000} as object)
  t.teardown(() => session.destroy())
  t.match((await got(session, {...get('/x'), ...many})).headers, {':status': 200, 'x-seen': '200', 'x-199': 'v'})
})

t.test('the routes of the sidecar, its refusals and its errors are the same', async t => {
  const {session} = await opened(t, {limits: {maxBodyBytes: 1000, readBufferBytes: 4096}})
  t.match(await got(session, {':path': '/v1.0/healthz'}), {status: 204})
  t.match(await got(session, {':path': '/v1.0/metadata'}), {status: 200, body: /^{"id":"a"/})
  t.match(await got(session, {':method': 'PUT', ':path': '/v1.0/metadata/k'}, 'value'), {status: 204})
  t.match(await got(session, {':path': '/v1.0/metadata'}), {body: /"k":"value"/})
  t.match(await got(session, {':path': '/nothing'}), {status: 404, body: /failed getting app id/})
  t.match(await got(session, {':path': '/v1.0/invoke/b/method/a%zz'}), {status: 400})
  t.match(await got(session, {':path': '/x', ':authority': 'evil.example'}), {status: 403, body: /ERR_FOREIGN_HOST/})
  t.match(await got(session, {':path': '/v1.0/invoke/nobody/method/x'}), {
    status: 500,
    body: /couldn't find service: nobody/
  })
  t.match(await got(session, invoke('/x'), 'x'.repeat(1001)), {status: 500, body: /stream too large/})
  t.match(await got(session, invoke('/x', {'content-length': 1001}), 'x'.repeat(1001)), {
    status: 500,
    body: /stream too large/
  })
  t.match(await got(session, {':method': 'PUT', ':path': '/v1.0/metadata/k'}, 'x'.repeat(1001)), {
    status: 400,
    body: /stream too large/
  })
  t.match(await got(session, invoke('/x'), 'after'), {status: 200, body: 'after'}, 'the connection goes on')
})

t.test('streams go side by side, large ones too, every byte of them', async t => {
  const {session} = await opened(t, {limits: {maxBodyBytes: 0, readBufferBytes: 4096}})
  const bodies = Array.from({length: 20}, (_, at) =>
    String.fromCharCode(65 + at).repeat(at % 4 === 0 ? 1 << 20 : 100 * at)
  )
  const answers = await Promise.all(
    bodies.map(async body => got(session, invoke('/x', {'x-answer-chunks': '1'}), body))
  )
  for (const [at, {status, body}] of answers.entries()) t.ok(status === 200 && body === bodies[at], at.toString())
})

t.test('both directions stream at once', async t => {
  const {promise, resolve} = Promise.withResolvers<net.Socket>()
  const {port} = await openTestSidecar(t, {appPort: await rawApp(t, resolve)})
  const stream = connectTo(t, port).request(invoke('/events'))
  stream.write('first')
  const app = await promise
  let came = ''
  app.on('data', bytes => (came += bytes.toString('latin1')))
  while (!came.includes('first')) await once(app, 'data')
  app.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
  const [piece] = (await once(stream, 'data')) as [Buffer]
  t.equal(piece.toString(), 'one')
  stream.end('second')
  while (!came.endsWith('0\r\n\r\n')) await once(app, 'data')
  t.match(came, /6\r\nsecond\r\n0\r\n\r\n$/)
  app.write('0\r\n\r\n')
  stream.resume()
  await once(stream, 'end')
})

t.test('an answer that breaks off resets its stream; a caller who leaves takes his call along', async t => {
  const sockets: net.Socket[] = []
  const appPort = await rawApp(t, socket => {
    sockets.push(socket)
    onRequest(socket, head => {
      if (head.includes('/cut ')) socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
      else if (head.includes('/dies ')) socket.destroy()
      else sockets.push(socket)
    })
  })
  const {port, warnings, underWay} = await openTestSidecar(t, {appPort})
  const session = connectTo(t, port)
  t.match(await got(session, get('/cut')), {status: 200, rst: http2.constants.NGHTTP2_INTERNAL_ERROR})
  t.match(warnings[0], /closed the connection within its response/)
  t.match(await got(session, get('/dies')), {status: 500, body: /EOF/})
  sockets.length = 0
  const stream = session.request(get('/waits'))
  stream.on('error', () => undefined)
  while (sockets.length < 2) await new Promise(setImmediate)
  stream.close(http2.constants.NGHTTP2_CANCEL)
  const [app] = sockets
  if (app !== undefined) await closed(app)
  t.equal(underWay(), 0)
})

t.test('a caller whose connection ends takes all his calls along', {timeout: 20_000}, async t => {
  const apps: net.Socket[] = []
  const news = new EventEmitter()
  const appPort = await rawApp(t, socket => {
    apps.push(socket)
    news.emit('app')
    socket.resume()
  })
  const {port, underWay} = await openTestSidecar(t, {appPort})
  const session = connectTo(t, port)
  for (const stream of [session.request(get('/waits')), session.request(invoke('/uploads'))])
    stream.on('error', () => undefined)
  while (apps.length < 2) await once(news, 'app')
  t.equal(underWay(), 2)
  session.destroy()
  await Promise.all(apps.map(closed))
  t.equal(underWay(), 0)
})

t.test('the first bytes may come one by one', async t => {
  const {port} = await opened(t)
  const caller = await connect(t, port)
  for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0') {
    caller.send(byte)
    await new Promise(setImmediate)
  }
  await caller.until(text => text.length >= 9)
  t.equal(caller.text.charCodeAt(3), 4, 'settings come back')
})

const frame = (type: number, payload = '', flags = 0): string =>
  `\0${String.fromCharCode(payload.length >> 8, payload.length & 255, type, flags)}\0\0\0\0${payload}`

/** The frames in a text: type, flags, stream, payload. */
const framesOf = (text: string): readonly (readonly [number, number, number, string])[] => {
  const frames: (readonly [number, number, number, string])[] = []
  const byte = (at: number): number => text.charCodeAt(at)
  for (let at = 0; at + 9 <= text.length;) {
    const length = (byte(at) << 16) | (byte(at + 1) << 8) | byte(at + 2)
    frames.push([byte(at + 3), byte(at + 4), byte(at + 8), text.slice(at + 9, at + 9 + length)])
    at += 9 + length
  }
  return frames
}

t.test('a request that asks for an upgrade to HTTP/2 is answered in it, on stream 1', async t => {
  const {port, seen} = await opened(t, {limits: {maxBodyBytes: 0, readBufferBytes: 65_536}})
  const caller = await connect(t, port)
  // more than one frame of HTTP/2 holds
  const long = 'v'.repeat(20_000)
  caller.send(
    `GET /v1.0/invoke/b/method/up?q HTTP/1.1\r\nHost: localhost\r\nX-Long: ${long}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`
  )
  t.match(await caller.answer(), {status: 101, headers: {connection: 'Upgrade', upgrade: 'h2c'}})
  caller.send(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${frame(4)}`)
  await caller.until(text => framesOf(text).some(([, flags, stream]) => stream === 1 && (flags & 1) === 1))
  t.equal(framesOf(caller.text).find(([, , stream]) => stream === 1)?.[0], 1, 'HEADERS on stream 1')
  t.match(seen[0], {method: 'GET', url: '/up?q'})
  t.strictSame(seen[0] && valuesOf(seen[0], 'x-long'), [long])
  t.strictSame(seen[0] && valuesOf(seen[0], 'upgrade'), [])
})

t.test('it is not spoken where it is switched off', async t => {
  const {port} = await opened(t, {hasHttp2: false})
  const caller = await connect(t, port)
  caller.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  t.notMatch(await caller.closed(), /^\0/)
  const other = await connect(t, port)
  other.send(
    'GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n'
  )
  t.match(await other.answer(), {status: 204})
})

t.test('a sidecar that closes lets streams in flight finish', async t => {
  const {promise: asked, resolve} = Promise.withResolvers<ServerResponse>()
  const {port: appPort} = await echoApp(t, (_, response) => resolve(response))
  const {port, sidecar} = await openTestSidecar(t, {appPort})
  const session = connectTo(t, port)
  const result = got(session, {':path': '/x', 'dapr-app-id': 'b'})
  const response = await asked
  const closing = sidecar.close()
  response.end('done')
  t.match(await result, {status: 200, body: 'done'})
  await closing
})

t.test('fields that HTTP/2 has only once, high bytes and odd statuses of an app do not break anything', async t => {
  const appPort = await rawApp(t, socket => {
    onRequest(socket, head => {
      const status = head.includes('/odd ') ? 101 : 200
      const text = `HTTP/1.1 ${status} X\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nX-High: \xe9\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok`
      socket.write(text, 'latin1')
    })
  })
  const {port, underWay} = await openTestSidecar(t, {appPort})
  const session = connectTo(t, port)
  t.match(await got(session, get('/x')), {
    status: 200,
    body: 'ok',
    headers: {'content-type': 'a/b', 'set-cookie': ['a']}
  })
  t.match(await got(session, get('/odd')), {status: 502})
  t.match(await got(session, get('/x')), {status: 200, body: 'ok'}, 'the connection goes on')
  t.equal(underWay(), 0)
})
