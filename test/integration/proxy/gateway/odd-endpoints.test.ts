import type {Call} from '../../../../src/model/call.ts'
import {denied, type Admission} from '../../../../src/proxy/gateway/admission.ts'
import {ExternalEndpoints} from '../../../../src/proxy/gateway/external-endpoints.ts'
import {readFileSync} from 'node:fs'
import type {Socket} from 'node:net'
import {join} from 'node:path'
import tls from 'node:tls'
import t from 'tap'
import {secureDial} from '../../../../src/proxy/net/dialer.ts'
import {ask, connect, request} from '../../dapr/sidecar/caller.ts'
import {echoApp, listen, onRequest, openTestSidecar, rawApp, valuesOf} from '../../dapr/sidecar/rig.ts'
import {openScene, resource} from './scene.ts'

t.test('an endpoint’s own headers are passed on: its date, and a head of 60 KiB', async t => {
  const date = 'Mon, 01 Jan 2024 00:00:00 GMT'
  const site = await rawApp(t, socket =>
    onRequest(socket, head => {
      const large = head.includes('/large') ? `X-Large: ${'a'.repeat(60_000)}\r\n` : ''
      socket.write(`HTTP/1.1 200 OK\r\nDate: ${date}\r\nServer: x\r\n${large}Content-Length: 0\r\n\r\n`)
    })
  )
  const {get} = await openScene(t, [resource('site', {baseUrl: `http://127.0.0.1:${site}`})])
  for (const lines of ['', 'Baggage: a=b\r\n', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'])
    t.match(await get('/v1.0/invoke/site/method/x', lines), {status: 200, headers: {date, server: 'x'}})
  t.equal((await get('/v1.0/invoke/site/method/large'))?.headers['x-large']?.length, 60_000)
})

t.test('hop-by-hop headers are not sent, and each body arrives complete, in its caller’s framing', async t => {
  const {port: site, seen} = await echoApp(t)
  const {port} = await openScene(t, [resource('site', {baseUrl: `http://127.0.0.1:${site}`})])
  const inChunks = 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
  const bodies = [
    ['\r\n', '', ['connection', 'transfer-encoding']],
    ['Content-Length: 3\r\n\r\nabc', 'abc', ['connection', 'transfer-encoding']],
    [inChunks, 'abc', ['connection', 'content-length']]
  ] as const
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
    for (const [text, body, absent] of bodies) {
      const lines = 'X-Twice: 1\r\nx-twice: 2\r\nX-High: \xe9\r\nConnection: keep-alive\r\n'
      const head = `${method} /x HTTP/1.1\r\nHost: localhost\r\ndapr-app-id: site\r\n${lines}`
      const answer = await ask(t, port, head + text, method === 'HEAD')
      t.match(answer, {status: 200, body: method === 'HEAD' ? '' : body}, `${method} ${text}`)
      const last = seen.at(-1)
      if (last === undefined) return
      t.match(last, {method, url: '/x', body}, `${method} ${text}`)
      for (const name of absent) t.strictSame(valuesOf(last, name), [], `${method} ${text}: no ${name}`)
      t.strictSame([valuesOf(last, 'x-twice'), valuesOf(last, 'x-high')], [['1', '2'], ['\xe9']])
    }
  }
  t.equal(seen.length, 18, 'nothing of a body was taken for a request')
})

/** TLS alerts, and how Go words them (`alertText` of crypto/tls). */
const ALERTS: readonly (readonly [number, string])[] = [
  [10, 'unexpected message'],
  [20, 'bad record MAC'],
  [40, 'handshake failure'],
  [42, 'bad certificate'],
  [43, 'unsupported certificate'],
  [44, 'revoked certificate'],
  [45, 'expired certificate'],
  [46, 'unknown certificate'],
  [47, 'illegal parameter'],
  [48, 'unknown certificate authority'],
  [49, 'access denied'],
  [50, 'error decoding message'],
  [51, 'error decrypting message'],
  [70, 'protocol version not supported'],
  [71, 'insufficient security level'],
  [80, 'internal error'],
  [112, 'unrecognized name'],
  [116, 'certificate required'],
  [120, 'no application protocol']
]

t.test('TLS alerts of endpoints and apps are worded as in Go', async t => {
  for (const [alert, words] of ALERTS) {
    const refuser = await rawApp(t, socket => {
      socket.once('data', () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, alert])))
    })
    const {get} = await openScene(t, [resource('site', {baseUrl: `https://localhost:${refuser}`})])
    const error = `remote error: tls: ${words}"}`
    t.match((await get('/v1.0/invoke/site/method/x'))?.body, error, `endpoint, ${alert}`)
    const app = await openTestSidecar(t, {appPort: refuser, hosts: ['127.0.0.1'], dial: secureDial})
    t.match((await ask(t, app.port, request({method: 'GET'})))?.body, error, `app, ${alert}`)
  }
})

t.test('nothing is added to a base path if no method is called', async t => {
  const {port: site, seen} = await echoApp(t)
  for (const [base, method, expected] of [
    ['/base', '', '/base'],
    ['/base/', '', '/base/'],
    ['/base', '?a=b', '/base?a=b'],
    ['/base/', 'x', '/base/x'],
    ['', '', '/'],
    ['/', '?a', '/?a']
  ]) {
    const {get} = await openScene(t, [resource('site', {baseUrl: `http://127.0.0.1:${site}${base ?? ''}`})])
    t.match(await get(`/v1.0/invoke/site/method/${method ?? ''}`), {status: 200})
    t.equal(seen.at(-1)?.url, expected)
  }
})

/** A response of an endpoint, and what the caller gets. The endpoint keeps the connection open and sends nothing more. */
const ODD: readonly (readonly [what: string, bytes: string, status: number, body: string | RegExp])[] = [
  ['no CR', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 200, 'ok'],
  ['a folded field', 'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok', 200, 'ok'],
  [
    'a length with chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    200,
    'ok'
  ],
  ['another protocol', '220 hello\n', 500, /malformed HTTP response/],
  ['another protocol, without the end of a line', 'garbage', 500, /malformed HTTP response/],
  ['a NUL in a field', 'HTTP/1.1 200 OK\r\nX-A: \0\r\nContent-Length: 2\r\n\r\nok', 500, /malformed/],
  ['a status of 99', 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok', 502, /invalid HTTP status 099/],
  ['a status of 600', 'HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nok', 502, /invalid HTTP status 600/],
  ['a status of 999', 'HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok', 502, /invalid HTTP status 999/],
  ['five interim answers', `${'HTTP/1.1 102 P\r\n\r\n'.repeat(5)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`, 200, 'ok'],
  ['six interim answers', 'HTTP/1.1 102 P\r\n\r\n'.repeat(6), 500, /too many 1xx informational responses/],
  ['a tunnel', 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 101, ''],
  ['101 alone', 'HTTP/1.1 101 S\r\n\r\n', 101, '']
] // prettier-ignore

for (const [what, bytes, status, body] of ODD) {
  t.test(`an endpoint that responds with ${what}: the caller gets the error at once`, async t => {
    const site = await rawApp(t, socket => onRequest(socket, () => void socket.write(bytes, 'latin1')))
    const {get} = await openScene(t, [resource('site', {baseUrl: `http://127.0.0.1:${site}`})])
    for (const target of ['site', `http://127.0.0.1:${site}`])
      t.match(await get('/x', `dapr-app-id: ${target}\r\n`), {status, body}, target)
  })
}

const apps = (): Admission => denied('no app')

t.test('calls of an endpoint whose secrets cannot be read ask its store again, but one at a time', async t => {
  const headers = [{name: 'X-Key', secretKeyRef: {name: 'site', key: 'key'}}]
  const spec = {baseUrl: 'http://localhost:1', headers}
  const {resources} = await openScene(t, [resource('site', spec, {auth: {secretStore: 'vault'}})])
  const answers = Array.from({length: 3}, () => Promise.withResolvers<never>())
  let asked = 0
  const secretOf = async (): Promise<never> => answers[asked++]?.promise ?? Promise.reject(new Error('asked too often'))
  const external = new ExternalEndpoints({resources, apps, secretOf})
  t.teardown(() => external.close())
  for (const [at, answer] of answers.entries()) {
    if (at === 0) void external.open()
    if (at > 0) for (let n = 0; n < 10; n++) t.match(external.admit({callee: 'site'} as Call), {ok: false})
    for (let n = 0; n < 10; n++) await new Promise(setImmediate)
    answer.reject(new Error('it is down'))
    for (let n = 0; n < 10; n++) await new Promise(setImmediate)
    t.equal(asked, at + 1)
  }
})

const TLS = join(import.meta.dirname, '../../../fixtures/tls')
const pem = (name: string): string => readFileSync(join(TLS, name), 'utf8')
const LARGE = 'large '.repeat(10_000)
const REFUSAL = `HTTP/1.1 413 Too Large\r\nContent-Length: ${LARGE.length}\r\nConnection: close\r\n\r\n${LARGE}`

/** Answers before it has read the body, and hangs up. */
const refuse = (socket: Socket): void =>
  void socket
    .on('error', () => undefined)
    .once('data', () => {
      socket.pause() // what is not read resets the connection
      socket.write(REFUSAL, () => socket.destroy())
    })

for (const scheme of ['http', 'https'])
  t.test(`${scheme}: the answer of an endpoint that refuses a body and hangs up reaches a sending caller`, async t => {
    const key = {key: pem('server.key'), cert: pem('server.pem')}
    const site = scheme === 'http' ? await rawApp(t, refuse) : await listen(t, tls.createServer(key, refuse))
    const spec = {baseUrl: `${scheme}://localhost:${site}`, clientTLS: {rootCA: {value: pem('ca.pem')}}}
    const {port} = await openScene(t, [resource('site', spec)])
    for (let n = 0; n < 10; n++) {
      const caller = await connect(t, port)
      caller.send('POST /v1.0/invoke/site/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n')
      const answer = caller.answer()
      for (let sent = 0; sent < 150; sent++) {
        caller.send('x'.repeat(20_000))
        await new Promise(setImmediate)
      }
      t.match(await answer, {status: 413, body: LARGE})
    }
  })
