import type * as Api from '../../src/model/api.generated.ts'
import {once} from 'node:events'
import net from 'node:net'
import {text} from 'node:stream/consumers'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {recordedCalls} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** It knows nothing of Dapr: it takes its port from PORT, and answers with what it got. */
const API = `
import {readFileSync} from 'node:fs'
const {createServer} = process.getBuiltinModule('node:http')
const version = readFileSync('version.txt', 'utf8')
const server = createServer((request, response) => {
  if (request.url === '/die') {
    console.error(String.fromCharCode(27) + '[31mred words')
    process.exit(3)
  }
  if (request.url === '/hints') response.writeEarlyHints({link: '</a.css>; rel=preload'})
  let body = ''
  request.on('data', piece => (body += piece)).on('end', () => {
    const {method, url, rawHeaders, rawTrailers} = request
    const trailer = request.httpVersion === '1.1' ? ['Trailer', 'X-Sum'] : []
    response.writeHead(200, 'Fine', ['X-MiXed', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', ...trailer])
    if (trailer.length > 0) response.addTrailers({'X-Sum': '7'})
    response.end(JSON.stringify({version, method, url, rawHeaders, rawTrailers, body}))
  })
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n')
  socket.pipe(socket)
})
server.listen(process.env.PORT, '127.0.0.1')
`

/** Calls the other one as it always did, once for each line that it gets. */
const WEB = (port: number): string => `
import {createInterface} from 'node:readline'
import {watchFile} from 'node:fs'
const call = async () => {
  const answer = await fetch('http://localhost:${port}/from-web', {headers: {connection: 'close'}})
  console.log('called: ' + answer.status)
}
await call()
watchFile('again.txt', {interval: 20}, now => now.mtimeMs > 0 && call())
`

async function openShop(
  t: Test,
  more: Record<string, unknown> = {},
  ofWeb: Record<string, unknown> = {}
): Promise<{rig: Rig; run: ReturnType<Rig['pillion']>; port: number}> {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({
    'api/api.mjs': API,
    'api/version.txt': '0',
    'web/web.mjs': WEB(port),
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'api', appDirPath: 'api', port, command: ['node', 'api.mjs'], watch: ['version.txt'], ...more},
        {appID: 'web', appDirPath: 'web', command: ['node', 'web.mjs'], ...ofWeb}
      ]
    })
  })
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('called: 200')
  return {rig, run, port}
}

/** Sends text on a connection of its own, and gives all that comes until it ends, or until it has what is wanted. */
async function exchange(port: number, text: string, until?: string): Promise<string> {
  const socket = net.connect(port, 'localhost').setEncoding('latin1')
  let got = ''
  socket.on('data', (piece: string) => {
    got += piece
    if (until !== undefined && got.includes(until)) socket.destroy()
  })
  socket.write(text, 'latin1')
  await once(socket, 'close')
  return got
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

t.test('a call at the port passes as it came, and is recorded with who made it', async t => {
  const {rig, run, port} = await openShop(t)
  const answer = await exchange(
    port,
    'PATCH /a//b/../%7e?q=1&q=%20 HTTP/1.1\r\nhOsT: copy-b.localhost\r\nX-Twice: 1\r\nconnection: close\r\nx-twice: 2\r\n' +
      'Transfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3;ext=1\r\nabc\r\n0\r\nX-End: yes\r\n\r\n'
  )
  t.match(answer, /^HTTP\/1\.1 200 Fine\r\nX-MiXed: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTrailer: X-Sum\r\n/)
  t.match(answer, /0\r\nX-Sum: 7\r\n\r\n$/, 'with its trailer')
  const [body = ''] = /\{.*\}/.exec(answer) ?? []
  const seen = JSON.parse(body) as {readonly rawHeaders: readonly string[]}
  t.match(seen, {method: 'PATCH', url: '/a//b/../%7e?q=1&q=%20', body: 'abc', rawTrailers: ['X-End', 'yes']})
  const sent = ['hOsT', 'copy-b.localhost', 'X-Twice', '1', 'connection', 'close', 'x-twice', '2']
  t.same(seen.rawHeaders.slice(0, 12), [...sent, 'Transfer-Encoding', 'chunked', 'Trailer', 'X-End'])
  t.same(seen.rawHeaders[12], 'traceparent', 'the only line that is added')
  t.equal(seen.rawHeaders.length, 14)

  t.match(
    await exchange(port, 'GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 103 Early Hints\r\nLink: /i
  )
  const old = await exchange(port, 'GET /old HTTP/1.0\r\n\r\n')
  t.match(old, /^HTTP\/1\.1 200 Fine\r\n/)
  t.notMatch(old, /chunked/i)
  const traced = await exchange(
    port,
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n'
  )
  t.match(traced, /"traceparent","00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"\]/)

  await rig.write({'web/again.txt': '1'})
  await run.waitForLine('called: 200', {nth: 2})
  const rows = await recordedCalls(rig)
  t.match(
    rows.map(({from, to, method, path, status}) => ({from, to, method, path, status})),
    [
      {from: 'web', to: 'api', method: 'GET', path: '/from-web', status: 200},
      {from: 'outside', to: 'api', method: 'PATCH', path: '/a//b/../%7e?q=1&q=%20', status: 200},
      {from: 'outside', path: '/hints'},
      {from: 'outside', path: '/old'},
      {from: 'outside', path: '/'},
      {from: 'web', path: '/from-web'}
    ]
  )
  t.match(await rig.run(['calls', '2']), {code: 0, stdout: /abc/})
})

t.test('who is not recorded is not recorded at a port either, from its first call on', async t => {
  const {rig} = await openShop(t, {}, {record: false})
  t.same(await recordedCalls(rig), [])
  t.match(await rig.run(['wait', '--for', 'idle']), {code: 0}, 'the call is over')
})

t.test('the first call of a connection that is refused at once counts for who made it', async t => {
  const {rig, run, port} = await openShop(t)
  t.equal((await fetch(`http://localhost:${port}/die`)).status, 502)
  await rig.write({'web/again.txt': '1'})
  await run.waitForLine('called: 503')
  const {stdout} = await rig.run(['graph', '-o', 'json'])
  const {edges} = JSON.parse(stdout) as Api.Graph
  const failed = edges.flatMap(each => Array.from({length: each.failed}, () => each.from))
  t.same(failed.toSorted(), ['outside', 'web'])
})

t.test('a call at the port is sent again there, as its caller made it, and written as a command of curl', async t => {
  const {rig, run, port} = await openShop(t)
  await fetch(`http://127.0.0.1:${port}/items?id=7`, {headers: {'x-own': '1'}})
  await rig.write({'api/version.txt': '1'})
  await run.waitForLine('api: reloaded')
  const [, mine] = await recordedCalls(rig)
  const replay = async (number: number): Promise<string> => (await rig.run(['replay', number.toString()])).stdout
  t.match(
    await replay(mine?.number ?? 0),
    /^call 2, GET \/items\?id=7, outside → api: 200 again .*\n[^]*version: "0" → "1"/
  )
  t.match(await replay(1), /^call 1, GET \/from-web, web → api: 200 again/)
  t.match(
    (await recordedCalls(rig)).slice(2).map(({from, path, marks}) => ({from, path, marks})),
    [
      {from: 'outside', path: '/items?id=7', marks: ['replay']},
      {from: 'web', path: '/from-web', marks: ['replay']}
    ]
  )
  const {stdout} = await rig.run(['calls', '2', '-o', 'curl'])
  t.match(stdout, `'http://127.0.0.1:${port}/items?id=7'`)
  await exchange(port, 'no HTTP at all\r\n')
  t.match(await replay(5), 'it was a connection of another protocol than HTTP')
})

t.test('requests of one connection come in their order; an upgrade and other protocols pass as bytes', async t => {
  const {rig, port} = await openShop(t)
  const three = await exchange(
    port,
    get('/1') + get('/2') + 'POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi'
  )
  t.same(
    [...three.matchAll(/"url":"(.*?)"/g)].map(([, url]) => url),
    ['/1', '/2', '/3']
  )
  const upgrade = 'GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly'
  t.match(await exchange(port, upgrade, 'early'), /^HTTP\/1\.1 101 Switching Protocols\r\nUpgrade: echo\r\n/)
  const broken = await exchange(port, 'GET / HTTP/1.1\r\nHost : a\r\n\r\n')
  t.match(broken, /^HTTP\/1\.1 400 Bad Request\r\n/, 'the app decides about what is no plain HTTP')
  t.match(
    (await recordedCalls(rig)).slice(-2).map(({method, path, status}) => ({method, path, status})),
    [
      {method: 'GET', path: '/live', status: 101},
      {method: 'TCP', status: 101}
    ]
  )
})

t.test('an app that speaks first is heard by a caller that waits for it', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const code = `require('net').createServer(s => { s.on('error', () => {}); s.write('220 ready\\r\\n'); s.on('data', b => s.end('got ' + b)) }).listen(process.env.PORT)`
  await rig.template([{appID: 'mail', appDirPath: '.', port, command: ['node', '-e', code]}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('mail')
  // some programs look by such a request what listens at a port
  t.match(await exchange(port, get('/').replace('Host', 'Connection: close\r\nHost')), /^HTTP\/1.1 502 /)
  const socket = net.connect(port, '127.0.0.1').setEncoding('latin1')
  let got = ''
  socket.on('data', (piece: string) => {
    got += piece
    if (got === '220 ready\r\n') socket.write('HELO')
  })
  await once(socket, 'close')
  t.equal(got, '220 ready\r\ngot HELO')
  const row = (await recordedCalls(rig)).at(-1)
  t.match(row, {from: 'outside', to: 'mail', method: 'TCP', requestBytes: 4, responseBytes: 19})
})

t.test('a ready command that names the port of its app asks the app itself: at the port it would wait', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const code = "require('http').createServer((_, r) => r.end('up')).listen(process.env.PORT)"
  const ready = {command: ['curl', '-sf', `http://localhost:${port}/ready`]}
  await rig.template([{appID: 'api', appDirPath: '.', port, command: ['node', '-e', code], ready}])
  await rig.pillion(['run', '-f', '.']).ports('api')
  t.match(await rig.run(['wait', '--for', 'ready:api', '--timeout', '20s']), {code: 0})
})

t.test('a save under load loses no call, and a fault hits the edge that it names', async t => {
  const {rig, run, port} = await openShop(t)
  const over = new AbortController()
  const statuses: number[] = []
  const versions = new Set<string>()
  const load = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const answer = await fetch(`http://127.0.0.1:${port}/load`)
      statuses.push(answer.status)
      versions.add(((await answer.json()) as {readonly version: string}).version)
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
  t.equal((await fetch(`http://127.0.0.1:${port}/other`)).status, 200)
})

t.test('without the app the caller hears why, a browser by a page; stop frees the port, start takes it', async t => {
  const {rig, run, port} = await openShop(t)
  await fetch(`http://127.0.0.1:${port}/die`).catch(() => undefined)
  await run.waitForLine('exited with code 3', {stream: 'stderr'})
  const plain = await fetch(`http://127.0.0.1:${port}/`)
  t.same([plain.status, plain.headers.get('retry-after')], [503, '1'])
  t.match(await plain.text(), /^"api" cannot be reached: .*3.*\n(?:.*\n)*red words\n/)
  const page = await fetch(`http://127.0.0.1:${port}/`, {headers: {accept: 'text/html,*/*'}})
  t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
  t.match(await page.text(), /<meta http-equiv="refresh" content="1">/)
  await rig.run(['restart', 'api'])
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  await rig.run(['stop', 'api'])
  await t.rejects(fetch(`http://127.0.0.1:${port}/`), 'the port is free')
  await rig.run(['start', 'api'])
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
})

t.test('the port of an app that could not be started again is free', async t => {
  const daprHTTPPort = await freePort()
  const {rig, port} = await openShop(t, {daprHTTPPort}, {restart: 'no'})
  t.match(await rig.run(['stop', 'api']), {code: 0})
  const other = net.createServer().listen(daprHTTPPort, '127.0.0.1')
  await once(other, 'listening')
  t.match(await rig.run(['start', 'api']), {code: 1, stderr: /Port \d+ is not available/})
  await t.rejects(exchange(port, get('/')), {code: 'ECONNREFUSED'}, 'nobody waits for an answer')
  other.close()
  t.match(await rig.run(['start', 'api']), {code: 0})
  t.match(await exchange(port, get('/'), '\r\n'), /^HTTP\/1\.1 200 /)
})

t.test('a call to an app that is being stopped is answered, whatever is started meanwhile', async t => {
  const {rig, port} = await openShop(t, {}, {restart: 'no'})
  t.match(await rig.run(['stop', 'web']), {code: 0})
  const socket = net.connect(port, 'localhost').setEncoding('latin1')
  socket.write('POST /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n1')
  const answer = text(socket)
  await pause(100)
  const stopped = rig.run(['stop', 'api'])
  while ((await fetch(`http://127.0.0.1:${port}/`)).status === 200) await pause(5)
  t.match(await rig.run(['start', 'web']), {code: 0})
  socket.write('2')
  t.match(await answer, /^HTTP\/1\.1 200 /)
  await stopped
  await t.rejects(fetch(`http://127.0.0.1:${port}/`), 'the port is free')
})
