import {readFileSync} from 'node:fs'
import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream
} from 'node:http2'
import https from 'node:https'
import {join} from 'node:path'
import type {Test} from 'tap'
import {http2Dial} from '../../../../src/proxy/gateway/app-channel.ts'
import {secureDial, type Dial} from '../../../../src/proxy/net/dialer.ts'
import {ask, chunked, connect, request} from './caller.ts'
import {onBothPaths, listen, openTestSidecar, rawApp, valuesOf, type Seen} from './rig.ts'

const TLS = join(import.meta.dirname, '../../../fixtures/tls')
const identity = {key: readFileSync(join(TLS, 'server.key')), cert: readFileSync(join(TLS, 'server.pem'))}

type Request = Pick<Http2ServerRequest, 'method' | 'url' | 'rawHeaders' | 'on'>
type Response = Pick<Http2ServerResponse, 'setHeader' | 'writeHead' | 'write' | 'end' | 'destroy'>

const breakOff = async (request: Request, response: Response, death: Promise<void>): Promise<void> => {
  await death
  if ('stream' in request) (request as Http2ServerRequest).stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
  else response.destroy()
}

/** What an app of any protocol does: it echoes, in chunks where it is asked to; `/dies` breaks off in time, `/large` is 8 MiB. */
const serve =
  (seen: Seen[], death: Promise<void>) =>
  (request: Request, response: Response): void => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const {method, url, rawHeaders} = request
      const body = Buffer.concat(pieces)
      seen.push({method, url, headers: rawHeaders, body: body.toString('latin1')})
      if (url === '/none') return void response.writeHead(204).end()
      if (url === '/teapot')
        return void response.writeHead(418, {'x-a': '1', 'set-cookie': ['a=1', 'b=2']}).end('short')
      if (url === '/large') return void response.end(Buffer.alloc(8 << 20, 'ab'))
      if (url === '/dies') {
        response.write('half')
        return void breakOff(request, response, death)
      }
      if (!rawHeaders.includes('x-answer-chunks')) response.setHeader('content-length', String(body.length))
      response.end(body)
    })
  }

const PROTOCOLS = {
  https: {
    dial: secureDial,
    open: async (t, seen, death) => listen(t, https.createServer(identity, serve(seen, death) as never))
  },
  h2c: {dial: http2Dial, open: async (t, seen, death) => listen(t, http2.createServer(serve(seen, death)))}
} satisfies Record<string, {dial: Dial; open: (t: Test, seen: Seen[], death: Promise<void>) => Promise<number>}>

for (const [protocol, {dial, open}] of Object.entries(PROTOCOLS)) {
  onBothPaths(
    `an app of ${protocol} is called as any other: methods, fields, bodies in either framing, statuses`,
    async t => {
      const seen: Seen[] = []
      const death = Promise.withResolvers<void>()
      const {port, underWay} = await openTestSidecar(t, {appPort: await open(t, seen, death.promise), dial})
      const caller = await connect(t, port)
      caller.send(request({method: 'GET', path: '/x?q=1', lines: 'X-Twice: 1\r\nx-twice: 2\r\n'}))
      t.match(await caller.answer(), {status: 200, body: ''})
      t.match(seen[0], {method: 'GET', url: '/x?q=1'})
      t.strictSame(seen[0] && valuesOf(seen[0], 'dapr-caller-app-id'), ['a'])
      t.match(seen[0] && valuesOf(seen[0], 'x-twice').join(', '), '1, 2')
      caller.send(request({body: 'counted'}))
      t.match(await caller.answer(), {status: 200, body: 'counted', framing: 'length'})
      caller.send(chunked(['in ', 'chunks'], 'x-answer-chunks: 1\r\n'))
      t.match(await caller.answer(), {status: 200, body: 'in chunks'})
      caller.send(request({method: 'HEAD'}))
      t.match(await caller.answer({toHead: true}), {status: 200})
      caller.send(request({method: 'GET', path: '/none'}))
      t.match(await caller.answer(), {status: 204})
      caller.send(request({path: '/teapot'}))
      t.match(await caller.answer(), {status: 418, body: 'short', headers: {'x-a': '1', 'set-cookie': 'a=1, b=2'}})
      caller.send(request({body: 'x'.repeat(1 << 20)}))
      t.equal((await caller.answer())?.body.length, 1 << 20)
      caller.send(request({path: '/large'}))
      t.equal((await caller.answer())?.body.length, 8 << 20)
      caller.send(request({path: '/dies'}))
      await caller.until(text => text.includes('half'))
      death.resolve()
      t.equal(await caller.answer(), undefined, 'an answer that breaks off never looks whole')
      t.equal(underWay(), 0)
    }
  )
}

onBothPaths('an h2c app may send five interim responses, and no more', async t => {
  const server = http2.createServer()
  server.on('stream', (opened, {':path': path = ''}) => {
    const stream = opened as ServerHttp2Stream
    for (let sent = 0; sent < Number(path.slice(1)); sent++) stream.additionalHeaders({':status': 102})
    if (path === '/5') stream.respond({':status': 200}, {endStream: true})
  })
  const {port, underWay} = await openTestSidecar(t, {appPort: await listen(t, server), dial: http2Dial})
  t.match(await ask(t, port, request({path: '/5'})), {status: 200})
  t.match(await ask(t, port, request({path: '/6'})), {status: 500, body: /too many 1xx informational responses/})
  t.equal(underWay(), 0)
})

onBothPaths('the error for an app that is gone, or speaks another protocol, uses its scheme', async t => {
  const plain = await rawApp(t, socket => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  const cases = [
    [
      secureDial,
      plain,
      /Post \\"https:\/\/127\.0\.0\.1:\d+\/echo\\": tls: first record does not look like a TLS handshake"}$/
    ],
    [secureDial, await rawApp(t, socket => void socket.end()), /Post \\"https:\/\/127\.0\.0\.1:\d+\/echo\\": EOF"}$/],
    [
      secureDial,
      await rawApp(t, socket => void socket.destroy()),
      /Post \\"https:\/\/127\.0\.0\.1:\d+\/echo\\": EOF"}$/
    ],
    [
      secureDial,
      await rawApp(t, socket => void socket.once('data', () => socket.resetAndDestroy())),
      /Post \\"https:\/\/127\.0\.0\.1:\d+\/echo\\": EOF"}$/
    ],
    [http2Dial, plain, /Post \\"http:\/\/127\.0\.0\.1:\d+\/echo\\": http2: /],
    [secureDial, 1, /refused/],
    [http2Dial, 1, /refused/]
  ] as const
  for (const [dial, appPort, expected] of cases) {
    const {port, underWay} = await openTestSidecar(t, {appPort, dial})
    t.match(await ask(t, port, request()), {status: 500, body: expected})
    t.equal(underWay(), 0)
  }
})

onBothPaths('an app of h2c gets every field as it came; one that has said good-bye gets a new connection', async t => {
  const seen: Seen[] = []
  const server = http2.createServer(serve(seen, new Promise(() => undefined)))
  const sessions: ServerHttp2Session[] = []
  server.on('session', session => sessions.push(session))
  const {port, underWay} = await openTestSidecar(t, {appPort: await listen(t, server), dial: http2Dial})
  const caller = await connect(t, port)
  caller.send(request({method: 'GET', lines: 'Authorization: a\r\nAuthorization: b\r\nX-High: \xe9\r\n'}))
  t.match(await caller.answer(), {status: 200})
  t.strictSame(seen[0] && valuesOf(seen[0], 'authorization'), ['a', 'b'])
  for (const end of [
    (session?: ServerHttp2Session) => session?.close(),
    (session?: ServerHttp2Session) => session?.destroy()
  ]) {
    end(sessions.at(-1))
    caller.send(request({method: 'GET'}))
    t.match(await caller.answer(), {status: 200})
  }
  t.equal(underWay(), 0)
})
