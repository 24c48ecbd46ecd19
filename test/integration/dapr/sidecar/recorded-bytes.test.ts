import http2 from 'node:http2'
import {once} from 'node:events'
import type net from 'node:net'
import grpc from '@grpc/grpc-js'
import t, {type Test} from 'tap'
import {contentOf, type CallContent} from '../../../../src/observe/telemetry/recorder/call-content.ts'
import {FLAG} from '../../../../src/observe/telemetry/recorder/call-lines.ts'
import {CallRecorder} from '../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {openManager} from '../../../../src/packages/daeploy/test/rig.ts'
import {connect, request} from './caller.ts'
import {echoClient, grpcApp, openTestGrpcPort} from './grpc/rig.ts'
import {echoApp, onBothPaths, openTestSidecar, rawApp, valuesOf} from './rig.ts'

const ALL_BYTES = String.fromCharCode(...Array.from({length: 256}, (_, at) => at))
const VALUES =
  'x-high: \u0080\u00E9\u00FF\r\nx-quotes: a"b\\c\'d\r\nX-CaSe: Mixed\r\nx-same: 1\r\nX-Same: 2\r\nx-empty:\r\nx-tab: a\tb'

interface Case {
  readonly name: string
  /** Head lines behind the first and `Host`, without the last line end. */
  readonly request?: string
  readonly method?: string
  readonly target?: string
  /** Latin1: as it is sent, and what it means. */
  readonly sent?: string
  readonly body?: string
  /** The whole of what the app answers, latin1, and the part of it that is the body. */
  readonly answer: string
  readonly answerBody?: string
  /** The answer's end is that of its connection. */
  readonly isClosed?: boolean
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'

const CASES: readonly Case[] = [
  {name: 'odd values', request: VALUES, answer: `HTTP/1.1 200 OK\r\n${VALUES}\r\ncontent-length: 0\r\n\r\n`},
  {name: 'odd targets', target: '/a%2Fb//c;d=1?x=%00%zz&y=[1]{2}|\'"&&=', answer: OK},
  {
    name: 'all bytes, both ways',
    method: 'POST',
    request: 'content-length: 256',
    sent: ALL_BYTES,
    body: ALL_BYTES,
    answer: `HTTP/1.1 201 Made\r\nContent-Length: 256\r\n\r\n${ALL_BYTES}`,
    answerBody: ALL_BYTES
  },
  {
    name: 'chunks',
    method: 'PUT',
    request: 'transfer-encoding: chunked',
    sent: '3\r\nabc\r\nA;x="y"\r\n\r\n\0\u00FF123456\r\n0\r\n\r\n',
    body: 'abc\r\n\0\u00FF123456',
    answer: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n\u00FE\n\r\n0\r\n\r\n',
    answerBody: '\u00FE\n'
  },
  {
    name: 'up to the end of the connection',
    answer: 'HTTP/1.1 200 OK\r\nx: y\r\n\r\nto the end',
    answerBody: 'to the end',
    isClosed: true
  },
  {name: 'an empty reason', answer: 'HTTP/1.1 404 \r\ncontent-length: 2\r\n\r\nno', answerBody: 'no'},
  {name: 'an odd reason', answer: 'HTTP/1.1 299 Sure \u00E9 "?"\r\ncontent-length: 0\r\n\r\n'},
  {name: 'without a body', method: 'DELETE', answer: 'HTTP/1.1 204 No Content\r\netag: "1"\r\n\r\n'},
  {name: 'HEAD', method: 'HEAD', answer: 'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n'},
  {
    name: 'HTTP/1.0',
    answer: 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold',
    answerBody: 'old',
    isClosed: true
  },
  {name: 'interim answers', answer: `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`}
]

/** An app that answers each request with the same bytes. */
const answering = async (t: Test, {answer, isClosed}: Case, wanted: number): Promise<number> =>
  rawApp(t, (socket: net.Socket) => {
    let text = ''
    socket.on('data', bytes => {
      text += bytes.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const isChunked = /\r\ntransfer-encoding: chunked/i.test(text.slice(0, end))
      const isWhole = isChunked ? text.endsWith('0\r\n\r\n') : text.length >= end + 4 + wanted
      if (end < 0 || !isWhole) return
      text = ''
      if (isClosed === true) socket.end(answer, 'latin1')
      else socket.write(answer, 'latin1')
    })
  })

const withoutInterim = (answer: string): string => answer.replace(/^HTTP\/1\.1 1\d\d[^]*?\r\n\r\n/, '')

/** Waits until the recorder has the whole of a call. */
async function whole(recorder: CallRecorder, number = 1): Promise<CallContent> {
  for (;;) {
    const call = recorder.call(number)
    if (call !== undefined && (call.flags & FLAG.open) === 0) return contentOf(call)
    await new Promise(setImmediate)
  }
}

onBothPaths('what is recorded of a call are the bytes that were sent, both ways', async t => {
  for (const each of CASES) {
    const {name, method = 'GET', target = '/x', request, sent = '', body = '', answer, answerBody = ''} = each
    const recorder = new CallRecorder(() => 16_384)
    const appPort = await answering(t, each, body.length)
    const {port} = await openTestSidecar(t, {appPort, observer: recorder})
    const caller = await connect(t, port)
    const lines = request === undefined ? '' : `\r\n${request}`
    const head = `${method} /v1.0/invoke/b/method${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}${lines}`
    caller.send(`${head}\r\n\r\n${sent}`)
    const got = await whole(recorder)
    // white space around values is lost where node:http has parsed the head
    t.equal(got.request.head.replace(/: (?=\r\n)/g, ':'), head, `${name}: the head of the request`)
    t.equal(got.request.body.toString('latin1'), body, `${name}: its body`)
    t.equal(got.response.head, withoutInterim(answer).split('\r\n\r\n')[0], `${name}: the head of the answer`)
    t.equal(got.response.body.toString('latin1'), answerBody, `${name}: its body`)
  }
})

onBothPaths('calls with one head, and responses with one, keep their own bodies', async t => {
  const recorder = new CallRecorder(() => 16_384)
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort, observer: recorder})
  const bodies = Array.from({length: 12}, (_, at) => `body ${at.toString().padStart(2, '0')}`)
  const callers = await Promise.all([connect(t, port), connect(t, port)])
  for (const [at, body] of bodies.entries()) {
    const caller = callers[at % 2]
    caller?.send(request({body, lines: at % 3 === 0 ? `X-Number: ${at}\r\n` : ''}))
    t.match(await caller?.answer(), {status: 200, body})
    const got = await whole(recorder, at + 1)
    t.equal(got.request.body.toString(), body)
    t.equal(got.response.body.toString(), body)
    const [last] = seen.slice(-1)
    t.strictSame(last && valuesOf(last, 'x-number'), at % 3 === 0 ? [at.toString()] : [])
  }
})

t.test('over HTTP/2: the head in lines, the body as it was sent', async t => {
  const each: Case = {name: '', answer: `HTTP/1.1 200 OK\r\ncontent-length: 256\r\n\r\n${ALL_BYTES}`}
  const recorder = new CallRecorder(() => 16_384)
  const {port} = await openTestSidecar(t, {appPort: await answering(t, each, 256), observer: recorder})
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  const stream = session.request({
    ':method': 'PATCH',
    ':path': '/v1.0/invoke/b/method/x?y=%00',
    'x-odd': 'a"b',
    'content-length': 256
  })
  stream.end(Buffer.from(ALL_BYTES, 'latin1'))
  stream.resume()
  await once(stream, 'close')
  const got = await whole(recorder)
  const [first, ...lines] = got.request.head.split('\r\n')
  t.equal(first, 'PATCH /v1.0/invoke/b/method/x?y=%00 HTTP/2')
  t.same(lines.toSorted(), ['content-length: 256', `host: 127.0.0.1:${port}`, 'x-odd: a"b'])
  t.equal(got.request.body.toString('latin1'), ALL_BYTES)
  t.equal(got.response.body.toString('latin1'), ALL_BYTES)
})

t.test('of an upgrade only the heads: what a websocket carries is nobody else’s', async t => {
  const recorder = new CallRecorder(() => 16_384)
  const answer =
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nsec-websocket-accept: x'
  const appPort = await rawApp(t, socket => {
    socket.once('data', () => {
      socket.write(`${answer}\r\n\r\nfrom the app`)
      socket.on('data', () => socket.end())
    })
  })
  const {port} = await openTestSidecar(t, {appPort, observer: recorder})
  const caller = await connect(t, port)
  const head = `GET /v1.0/invoke/b/method/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: abc`
  caller.send(`${head}\r\n\r\n`)
  await caller.until(text => text.includes('from the app'))
  caller.send('from the caller')
  const got = await whole(recorder)
  t.equal(got.request.head, head)
  t.equal(got.response.head, answer)
  t.equal(got.request.body.length, 0)
  t.equal(got.response.body.length, 0)
  t.equal(recorder.line(1)?.responseBytes, 'from the app'.length, 'its bytes are counted')
})

t.test('the same at Daeploy’s manager, whoever reads the request', async t => {
  for (const line of ['', 'X-Forwarded-For: 8.8.8.8\r\n']) {
    const each: Case = {name: '', answer: `HTTP/1.1 200 OK\r\ncontent-length: 256\r\n\r\n${ALL_BYTES}`}
    const recorder = new CallRecorder(() => 16_384)
    const service = {segment: 'scales', port: await answering(t, each, 256)}
    const {port} = await openManager(t, {backends: [service], observer: recorder})
    const caller = await connect(t, port)
    const head = `POST /services/scales/weigh?a=%2F HTTP/1.1\r\nHost: localhost\r\n${line}X-CaSe: \u00E9"\r\nAuthorization: Bearer x\r\nContent-Length: 256`
    caller.send(`${head}\r\n\r\n${ALL_BYTES}`)
    const got = await whole(recorder)
    t.equal(got.request.head, head)
    t.equal(got.path, '/weigh?a=%2F')
    t.equal(got.request.body.toString('latin1'), ALL_BYTES)
    t.equal(got.response.head, 'HTTP/1.1 200 OK\r\ncontent-length: 256')
    t.equal(got.response.body.toString('latin1'), ALL_BYTES)
  }
})

t.test('of gRPC the messages as they came, and the heads in text', async t => {
  const recorder = new CallRecorder(() => 16_384)
  const appPort = await grpcApp(t, {
    unary: (call, done) => {
      const head = new grpc.Metadata()
      head.set('x-answer', 'a "b"')
      call.sendMetadata(head)
      done(null, call.request)
    }
  })
  const {port} = await openTestGrpcPort(t, {appPort, observer: recorder})
  const message = Buffer.from(ALL_BYTES, 'latin1')
  for (const number of [1, 2]) {
    t.match(await echoClient(t, port).call({'x-odd': `a'b`}, {message}), {code: 0, answer: ALL_BYTES})
    const got = await whole(recorder, number)
    const framed = Buffer.concat([Buffer.from([0, 0, 0, 1, 0]), message])
    t.match(got.request.head, /^POST \/test\.Echo\/Unary HTTP\/2\r\n[^]*x-odd: a'b/)
    t.same(got.request.body, framed)
    t.match(got.request.head, /^POST \S+ HTTP\/2\r\n/)
    t.match(got.response.head, /^HTTP\/2 200\r\n[^]*content-type: application\/grpc/)
    t.match(got.response.headers.join('\n'), 'x-answer\na "b"')
    t.same(got.response.body, framed)
  }
})

t.test('a copy for a shadow is a call of its own, marked as such', async t => {
  const each: Case = {name: '', answer: 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\0\u00FF!'}
  const recorder = new CallRecorder(() => 16_384)
  const service = {segment: 'scales', port: await answering(t, each, 256), shadows: [await answering(t, each, 256)]}
  const {port} = await openManager(t, {backends: [service], observer: recorder})
  const caller = await connect(t, port)
  caller.send(
    `POST /services/scales/weigh HTTP/1.1\r\nHost: localhost\r\nX-Odd: "\r\nContent-Length: 256\r\n\r\n${ALL_BYTES}`
  )
  await whole(recorder)
  const copy = await whole(recorder, 2)
  t.match(recorder.call(2)?.edgeOf, {caller: 'external', callee: 'scales@2.0.0', calls: 1, failed: 0})
  t.equal((recorder.line(1)?.flags ?? 0) & FLAG.shadow, 0)
  t.equal((recorder.line(2)?.flags ?? 0) & FLAG.shadow, FLAG.shadow)
  t.match(copy.request.head, /^POST \/weigh HTTP\/1\.1\r\n[^]*\r\nX-Odd: "/)
  t.equal(copy.request.body.toString('latin1'), ALL_BYTES)
  t.equal(copy.response.head, 'HTTP/1.1 200 OK\r\ncontent-length: 3')
  t.equal(copy.response.body.toString('latin1'), '\0\u00FF!')
})
