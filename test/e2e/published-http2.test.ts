import type * as Api from '../../src/model/api.generated.ts'
import {once} from 'node:events'
import http2 from 'node:http2'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {ask as askRun, controlSocket, recordedCalls} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** It speaks HTTP/2 without TLS alone, and gRPC where it is asked to. */
const API = `
import http2 from 'node:http2'
import {readFileSync} from 'node:fs'
const version = readFileSync('version.txt', 'utf8')
const server = http2.createServer()
server.on('stream', (stream, headers, flags, raw) => {
  if (headers[':path'] === '/die') process.exit(3)
  if (headers[':path'] === '/leave') return stream.on('error', () => {}).close(http2.constants.NGHTTP2_REFUSED_STREAM)
  if (headers[':path'] === '/early') stream.additionalHeaders({':status': 103, link: '</a.css>'})
  const isGrpc = (headers['content-type'] ?? '').startsWith('application/grpc')
  let body = ''
  let trailers = []
  stream.on('trailers', (_, __, raw) => (trailers = raw))
  stream.on('data', piece => (body += piece)).on('end', () => {
    stream.respond({':status': 200, 'content-type': isGrpc ? 'application/grpc' : 'application/json'}, {waitForTrailers: true})
    stream.on('wantTrailers', () => stream.sendTrailers(isGrpc ? {'grpc-status': '5', 'grpc-message': 'no such thing'} : {'x-sum': '7'}))
    stream.end(isGrpc ? Buffer.from([0, 0, 0, 0, 0]) : JSON.stringify({version, raw, trailers, bytes: body.length}))
  })
})
server.listen(process.env.PORT, '127.0.0.1')
`

const WEB = (port: number): string => `
import http2 from 'node:http2'
import {watchFile} from 'node:fs'
const session = http2.connect('http://localhost:${port}')
const call = () => {
  const stream = session.request({':path': '/from-web'})
  stream.on('response', headers => console.log('called: ' + headers[':status'])).on('error', () => {})
  stream.resume().end()
}
call()
watchFile('again.txt', {interval: 20}, now => now.mtimeMs > 0 && call())
`

interface Answer {
  readonly head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader
  readonly early: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader
  readonly trailers: http2.IncomingHttpHeaders
  readonly body: string
}

interface Sent {
  readonly body?: Buffer
  readonly trailers?: http2.OutgoingHttpHeaders
}

async function ask(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  {body, trailers}: Sent = {}
): Promise<Answer> {
  const stream = session.request(headers, {waitForTrailers: trailers !== undefined, endStream: body === undefined})
  const answer = {head: {}, early: {}, trailers: {}, body: ''}
  stream
    .setEncoding('utf8')
    .on('headers', early => (answer.early = early))
    .on('response', head => (answer.head = head))
    .on('trailers', last => (answer.trailers = last))
    .on('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
    .on('data', (piece: string) => (answer.body += piece))
  if (body !== undefined) stream.end(body)
  await once(stream, 'close')
  return answer
}

async function openShop(
  t: Test
): Promise<{rig: Rig; run: ReturnType<Rig['pillion']>; session: http2.ClientHttp2Session}> {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({
    'api/api.mjs': API,
    'api/version.txt': '0',
    'web/web.mjs': WEB(port),
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'api', appDirPath: 'api', port, command: ['node', 'api.mjs'], watch: ['version.txt']},
        {appID: 'web', appDirPath: 'web', command: ['node', 'web.mjs']}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('called: 200')
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  return {rig, run, session}
}

const GRPC = {':method': 'POST', ':path': '/shop.Items/Get', 'content-type': 'application/grpc', te: 'trailers'}

t.test('streams of HTTP/2 at the port are calls: they pass as they came, and are recorded with callers', async t => {
  const {rig, run, session} = await openShop(t)
  const sent = {':method': 'PUT', ':path': '/a?q=1', ':authority': 'copy-b.localhost:1', 'x-twice': ['1', '2']}
  const body = Buffer.alloc(3_000_000, 'a')
  const answer = await ask(session, sent, {body, trailers: {'x-end': 'yes'}})
  t.match(answer, {head: {':status': 200}, trailers: {'x-sum': '7'}})
  const seen = JSON.parse(answer.body) as {readonly raw: readonly string[]; readonly trailers: readonly string[]}
  t.match(seen, {bytes: body.length, trailers: ['x-end', 'yes']})
  t.match(seen.raw.slice(0, -2), [':method', 'PUT', ':path', '/a?q=1', ':authority', 'copy-b.localhost:1'])
  t.same(seen.raw.slice(-6, -1), ['x-twice', '1', 'x-twice', '2', 'traceparent'], 'the only field that is added')
  t.match((await ask(session, {':path': '/early'})).early, {':status': 103, link: '</a.css>'})
  t.match(await ask(session, GRPC, {body: Buffer.from([0, 0, 0, 0, 0])}), {
    head: {':status': 200, 'content-type': 'application/grpc'},
    trailers: {'grpc-status': '5', 'grpc-message': 'no such thing'}
  })
  await rig.write({'web/again.txt': '1'})
  await run.waitForLine('called: 200', {nth: 2})
  t.match(
    (await recordedCalls(rig)).map(({from, to, method, path, status, marks}) => ({
      from,
      to,
      method,
      path,
      status,
      marks
    })),
    [
      {from: 'web', to: 'api', method: 'GET', path: '/from-web', status: 200},
      {from: 'outside', to: 'api', method: 'PUT', path: '/a?q=1', status: 200},
      {from: 'outside', path: '/early', status: 200},
      {from: 'outside', method: 'POST', path: '/shop.Items/Get', status: 5, marks: ['grpc']},
      {from: 'web', path: '/from-web'}
    ]
  )
})

t.test('a save under load loses no stream, and a fault hits the edge that it names', async t => {
  const {rig, run, session} = await openShop(t)
  const over = new AbortController()
  const statuses: (number | undefined)[] = []
  const versions = new Set<string>()
  const load = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const {head, body} = await ask(session, {':path': '/load'})
      statuses.push(head[':status'])
      versions.add((JSON.parse(body) as {readonly version: string}).version)
    }
  }
  const loads = [load(), load(), load(), load()]
  while (statuses.length < 20) await pause(5)
  for (const version of ['1', '2']) {
    await rig.write({'api/version.txt': version})
    t.match(await run.waitForLine('api: reloaded', {nth: Number(version)}), /, 0 lost$/)
  }
  while (!versions.has('2')) await pause(5)
  over.abort()
  await Promise.all(loads)
  t.same([...new Set(statuses)], [200])

  t.match(await rig.run(['fault', 'web', 'api', '--status', '503']), {code: 0})
  await rig.write({'web/again.txt': '1'})
  await run.waitForLine('called: 503')
  t.equal((await ask(session, {':path': '/other'})).head[':status'], 200)
})

t.test('a call that the app refuses twice, unhandled, is refused, so that its caller sends it again', async t => {
  const {rig, session} = await openShop(t)
  t.equal((await ask(session, {':path': '/'})).head[':status'], 200)
  await t.rejects(
    ask(session, {':method': 'POST', ':path': '/leave'}, {body: Buffer.from('x')}),
    /NGHTTP2_REFUSED_STREAM/
  )
  const left = (await recordedCalls(rig)).find(({path}) => path === '/leave')
  t.match(left, {failure: /REFUSED_STREAM/, attempts: 2})
  t.equal((await ask(session, {':path': '/'})).head[':status'], 200)
})

t.test('without the app a caller of HTTP/2 is told why, one of gRPC by its status', async t => {
  const {rig, run, session} = await openShop(t)
  const died = await ask(session, {':path': '/die'})
  t.match(died, {head: {':status': 502}, body: /^"api" has not answered properly: .*exited with code 3/})
  await run.waitForLine('exited with code 3', {stream: 'stderr'})
  const refused = await ask(session, {':path': '/'})
  t.match(refused, {head: {':status': 503, 'retry-after': '1'}, body: /^"api" cannot be reached: .*3/})
  t.match((await recordedCalls(rig)).at(-1), {status: 503, marks: ['ours'], failure: /3/})
  t.match((await ask(session, GRPC)).head, {':status': 200, 'grpc-status': '14', 'grpc-message': /"api"/})
  await rig.run(['restart', 'api'])
  t.equal((await ask(session, {':path': '/'})).head[':status'], 200)
})

t.test('a call over HTTP/2 is sent again over HTTP/2, with its body, and compared', async t => {
  const {rig, run, session} = await openShop(t)
  const sent = {':method': 'PUT', ':path': '/a?q=1', ':authority': 'copy-b.localhost:1', 'x-twice': ['1', '2']}
  const {body} = await ask(session, sent, {body: Buffer.from('{"a":1}')})
  t.match(JSON.parse(body), {version: '0', bytes: 7})
  const number = `${(await recordedCalls(rig)).at(-1)?.number}`
  const refused = await rig.run(['replay', number])
  t.match(refused.stdout, /PUT may change data/)
  await rig.write({'api/version.txt': '1'})
  await run.waitForLine('api: reloaded')
  t.match((await rig.run(['replay', number, '--unsafe'])).stdout, /version/, 'the answer of the new code differs')
  const replayed = (await recordedCalls(rig)).at(-1)
  t.match(replayed, {from: 'outside', to: 'api', method: 'PUT', path: '/a?q=1', status: 200, marks: ['replay']})
  const {json} = await askRun(controlSocket(rig), `/api/v1/calls/${replayed?.number}`)
  const detail = json as Api.CallDetail
  t.equal(detail.request.line, 'PUT /a?q=1 HTTP/2')
  t.match(JSON.parse(detail.response.body), {version: '1', bytes: 7})
  t.match(detail.request.headers, [['host', 'copy-b.localhost:1']])
  t.same(
    detail.request.headers.filter(([name]) => name === 'x-twice').map(([, value]) => value),
    ['1', '2']
  )
})

t.test('a request that was refused is sent again whole, or not at all', async t => {
  const {rig, session} = await openShop(t)
  const refused = async (...pieces: readonly string[]): Promise<void> => {
    await ask(session, {':path': '/die'}).catch(() => undefined)
    t.match(await rig.run(['wait', '--for', 'exit:api', '--timeout', '9s']), {code: 0})
    const stream = session.request({':method': 'POST', ':path': '/late'}, {endStream: false})
    for (const piece of pieces) stream.write(piece)
    if (pieces.length > 0) stream.end()
    const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader]
    t.equal(head[':status'], 503, 'a caller that waits for the answer gets it')
    stream.close()
    t.match(await rig.run(['restart', 'api']), {code: 0})
  }
  await refused('in ', 'three ', 'pieces')
  const again = await rig.run(['replay', '--last-failed', '--unsafe', '-o', 'json'])
  t.match(again.stdout, /"status": ?200/)
  t.match(again.stdout, /content-length[\\",]+15\\/)
  await refused()
  t.match(await rig.run(['replay', '--last-failed', '--unsafe']), {
    code: 1,
    stdout: /POST \/late.*\n? *not sent: Pillion refused it before its body/
  })
})
