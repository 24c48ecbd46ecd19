import {connect, type Socket} from 'node:net'
import {request} from 'node:http'
import t from 'tap'
import {controlSocket, ask} from '../rig/control-socket.ts'
import {openRig, type Rig} from '../rig/rig.ts'

interface Opened {
  readonly port: number
  readonly token: string
  readonly readOnlyToken: string
}

const APP = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => response.end('{}')).listen(process.env.APP_PORT)
`

/** Settles when a connection has ended, also if it was reset. */
const closeOf = async (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    socket.once('close', () => resolve())
  })

/** Sends bytes, and resolves with all that comes until the connection ends. */
async function raw(port: number, bytes: string, more?: (socket: Socket) => Promise<void>): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('error', () => undefined).on('data', piece => (text += piece.toString('latin1')))
  const closed = closeOf(socket)
  socket.write(bytes)
  await more?.(socket)
  await closed
  return text
}

const statusOf = (response: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(response)?.[1] ?? 0)

async function opened(rig: Rig, query = ''): Promise<Opened & {readonly detail?: string}> {
  const response = await ask(controlSocket(rig), `/api/v1/dashboard${query}`, {method: 'POST'})
  return JSON.parse(response.body) as Opened & {readonly detail?: string}
}

async function startRun(
  rig: Rig
): Promise<{call: () => Promise<number>; stop: () => Promise<void>; start: () => Promise<void>}> {
  await rig.write({'app.mjs': APP})
  await rig.template([{appID: 'shop', appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']}])
  let run = rig.pillion(['run', '-f', '.'])
  let {http} = await run.ports('shop')
  return {
    call: async () => (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/x`)).status,
    stop: async () => {
      await run.end('SIGINT')
    },
    start: async () => {
      run = rig.pillion(['run', '-f', '.'])
      ;({http} = await run.ports('shop'))
    }
  }
}

t.test('the listener opens when somebody asks, at the same port and with the same token after a restart', async t => {
  const rig = await openRig(t)
  const run = await startRun(rig)
  const first = await opened(rig)
  t.match(first, {token: /^[\w-]{43}$/, readOnlyToken: /^[\w-]{43}$/})
  t.ok(first.port >= 9700 && first.port < 9900)
  t.not(first.token, first.readOnlyToken)
  t.same(await opened(rig), first, 'asked again it says the same')
  t.match(await opened(rig, '?port=1'), {detail: /it is open at port \d+ already/})
  t.match(await opened(rig, '?port=70000'), {detail: /70000 is not a port/})
  const headers = {authorization: `Bearer ${first.token}`}
  const answer = await fetch(`http://127.0.0.1:${first.port}/api/v1/apps`, {headers})
  t.match(await answer.json(), {apps: [{id: 'shop'}]})
  t.match(Object.fromEntries(answer.headers), {
    'content-security-policy': /^default-src 'none'; script-src 'self'/,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store'
  })
  t.equal(answer.headers.get('access-control-allow-origin'), null)
  const {status} = await fetch(`http://localhost:${first.port}/api/v1/apps/shop/restart`, {method: 'POST', headers})
  t.equal(status, 200)
  await run.stop()
  await t.rejects(fetch(`http://127.0.0.1:${first.port}/api/v1/apps`, {headers}), 'it ends with the run')
  await run.start()
  t.same(await opened(rig), first)
})

/** Of a browser that follows a link of another site. */
const LINK = ['sec-fetch-site: cross-site', 'sec-fetch-mode: navigate', 'sec-fetch-dest: document']

/** A request by its lines. */
const get = (lines: readonly string[], target = '/api/v1/run', method = 'GET'): string =>
  `${method} ${target} HTTP/1.1\r\n${lines.map(line => `${line}\r\n`).join('')}connection: close\r\n\r\n`

t.test('whoever is not the page of this run is refused', async t => {
  const rig = await openRig(t)
  const run = await startRun(rig)
  const {port, token, readOnlyToken} = await opened(rig)
  const host = `127.0.0.1:${port}`
  const bearer = `authorization: Bearer ${token}`
  const own = [`host: ${host}`, bearer]
  const cases: readonly (readonly [what: string, bytes: string, status: number])[] = [
    ['as it should be', get(own), 200],
    ['by its own origin', get([...own, `origin: http://${host}`, 'sec-fetch-site: same-origin']), 200],
    ['IPv6', get([`host: [::1]:${port}`, bearer]), 200],
    ['a foreign Host', get(['host: evil.example', bearer]), 421],
    ['a foreign Host with our port', get([`host: evil.example:${port}`, bearer]), 421],
    ['another port', get(['host: 127.0.0.1:80', bearer]), 421],
    ['two Hosts', get([`host: ${host}`, 'host: evil.example', bearer]), 421],
    ['no Host', get([bearer]), 400],
    ['an absolute target', get(own, `http://${host}/api/v1/run`), 404],
    ['a foreign Origin', get([...own, 'origin: https://evil.example']), 403],
    ['the Origin null', get([...own, 'origin: null']), 403],
    ['a neighbour’s Origin', get([...own, `origin: http://127.0.0.1:${port + 1}`]), 403],
    ['two Origins', get([...own, `origin: http://${host}`, 'origin: null']), 403],
    ['another site', get([...own, 'sec-fetch-site: cross-site']), 403],
    ['a neighbour’s page', get([...own, 'sec-fetch-site: same-site']), 403],
    ['no token', get([`host: ${host}`]), 401],
    ['a wrong token', get([`host: ${host}`, `authorization: Bearer ${token.slice(0, -1)}!`]), 401],
    ['one too short', get([`host: ${host}`, `authorization: Bearer ${token.slice(0, -1)}`]), 401],
    ['one too long', get([`host: ${host}`, `authorization: Bearer ${token}a`]), 401],
    ['an empty one', get([`host: ${host}`, 'authorization: Bearer ']), 401],
    ['a token as a password', get([`host: ${host}`, `authorization: Basic ${token}`]), 401],
    ['two tokens', get([...own, bearer]), 401],
    ['looking with the other token', get([`host: ${host}`, `authorization: Bearer ${readOnlyToken}`]), 200],
    [
      'changing with it',
      get([`host: ${host}`, `authorization: Bearer ${readOnlyToken}`], '/api/v1/apps/shop/stop', 'POST'),
      403
    ],
    ['GET for a change', get(own, '/api/v1/apps/shop/stop'), 405],
    ['TRACE', get(own, '/api/v1/run', 'TRACE'), 405],
    ['OPTIONS', get(own, '/api/v1/run', 'OPTIONS'), 405],
    ['CONNECT', get(own, 'evil.example:443', 'CONNECT'), 405],
    ['an upgrade', get([...own, 'upgrade: websocket', 'sec-websocket-version: 13']), 400],
    [
      'an upgrade by its header',
      `GET /api/v1/run HTTP/1.1\r\nhost: ${host}\r\n${bearer}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
      400
    ],
    ['the page without a token', get([`host: ${host}`], '/'), 200],
    ['the page by a link of another site', get([`host: ${host}`, ...LINK], '/'), 200],
    [
      'the page by a script of another site',
      get([`host: ${host}`, 'sec-fetch-site: cross-site', 'sec-fetch-mode: no-cors'], '/'),
      403
    ],
    ['a script of the page for another site', get([`host: ${host}`, ...LINK], '/page.js'), 403],
    ['the API by a link of another site', get([...own, ...LINK]), 403],
    ['the page for a foreign Host', get(['host: evil.example'], '/'), 421],
    ['POST to the page', get([`host: ${host}`], '/', 'POST'), 405],
    ...[
      '/?',
      ...'/index.html /files.json /page.js/ /page.js.gz /%70age.js /constructor /../etc/passwd'.split(' '),
      ...'/api/v1/../run /api/v1/%2e%2e/run /api/v1/..%2frun /api/v1/%5c /api/v1/%00 /__proto__'.split(' '),
      ...'/api/v1/__proto__ /api/v1//run'.split(' ')
    ].map(path => [`the path ${path}`, get(own, path), 404] as const),
    ['a body with GET', get([...own, 'content-length: 2'], '/api/v1/run') + '{}', 400],
    [
      'a form of another site',
      get([...own, 'content-type: text/plain', 'content-length: 2'], '/api/v1/apps/shop/stop', 'POST') + '{}',
      415
    ],
    [
      'a body of 30 MB',
      get([...own, 'content-type: application/json', 'content-length: 30000000'], '/api/v1/apps/shop/stop', 'POST'),
      413
    ],
    ['a head of 200 kB', get([...own, `x-filler: ${'x'.repeat(200_000)}`]), 431],
    ['no HTTP', 'hello\r\n\r\n', 400]
  ]
  for (const [what, bytes, status] of cases) {
    const response = await raw(port, bytes)
    // who still sends when the connection ends may get a reset in place of the answer
    if (bytes.length > 100_000 && response === '') continue
    t.equal(statusOf(response), status, `${what}: ${response.slice(0, 300)}`)
    t.notMatch(response, /access-control-/i)
    if (status >= 400) t.notMatch(response, /\n {4}at /, 'no stack trace')
  }
  t.match(await raw(port, get(own, '/api/v1/apps/a..b/why')), /a\.\.b/, 'an id with two dots leads nowhere')
  const chunked = await raw(
    port,
    get([...own, 'content-type: application/json', 'transfer-encoding: chunked'], '/api/v1/apps/shop/stop', 'POST'),
    async socket => {
      const closed = closeOf(socket)
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
      for (let i = 0; i < 2000 && !socket.destroyed; i++) {
        if (!socket.write(chunk)) await Promise.race([new Promise(resolve => socket.once('drain', resolve)), closed])
      }
    }
  )
  t.ok([0, 413].includes(statusOf(chunked)), 'a body without an end is not read to its end')
  t.match(await raw(port, `GET /api/v1/run HTTP/1.1\r\nhost: ${host}\r\n`), /^HTTP\/1\.1 408 /, 'half a head')
  t.equal(await run.call(), 200, 'calls go on')
})

t.test('connections that say nothing and readers are limited; calls go on', async t => {
  const rig = await openRig(t)
  const run = await startRun(rig)
  const {port, token} = await opened(rig)
  const silent = Array.from({length: 300}, () => connect(port, '127.0.0.1').on('error', () => undefined))
  const ends = silent.map(closeOf)
  t.equal(await run.call(), 200)
  for (const socket of silent) socket.resume()
  await Promise.all(ends)
  t.pass('all were ended')

  const headers = {authorization: `Bearer ${token}`}
  const statuses: number[] = []
  const readers = Array.from({length: 300}, async () => {
    await new Promise<void>(resolve => {
      const asking = request({port, host: '127.0.0.1', path: '/api/v1/events', headers, agent: false}, response => {
        statuses.push(response.statusCode ?? 0) // it is never read
        resolve()
      })
      asking.on('error', () => resolve()).end()
      t.teardown(() => asking.destroy())
    })
  })
  await Promise.all(readers)
  t.equal(statuses.filter(status => status === 200).length, 16)
  t.ok(statuses.every(status => status === 200 || status === 503))
  for (let i = 0; i < 100; i++) t.equal(await run.call(), 200)
})

t.test('readers of lines and of the page who never read are limited; calls go on', async t => {
  const rig = await openRig(t)
  const run = await startRun(rig)
  const {port, token} = await opened(rig)
  const headers = {authorization: `Bearer ${token}`}
  const statuses: number[] = []
  const ask = async (path: string): Promise<void> =>
    new Promise(resolve => {
      const asking = request({port, host: '127.0.0.1', path, headers, agent: false}, response => {
        statuses.push(response.statusCode ?? 0) // it is never read
        resolve()
      })
      asking.on('error', () => resolve()).end()
      t.teardown(() => asking.destroy())
    })
  await Promise.all(Array.from({length: 150}, async () => ask('/api/v1/logs?follow')))
  const served = statuses.filter(status => status === 200).length
  t.ok(served > 0 && served <= 64, `${served} are served`)
  t.ok(statuses.every(status => status === 200 || status === 503))
  await Promise.all(Array.from({length: 50}, async () => ask('/')))
  for (let i = 0; i < 100; i++) t.equal(await run.call(), 200)
})
