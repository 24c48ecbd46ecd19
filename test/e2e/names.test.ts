import {once} from 'node:events'
import {mkdirSync} from 'node:fs'
import net from 'node:net'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {callByName, exchange, withNames} from '../rig/by-name.ts'
import {recordedCalls} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Answers with what it got, echoes after an upgrade, streams events. */
const WEB = `
import {readFileSync} from 'node:fs'
const {createServer} = process.getBuiltinModule('node:http')
const version = readFileSync('version.txt', 'utf8')
const server = createServer((request, response) => {
  if (request.url === '/events') {
    response.writeHead(200, {'content-type': 'text/event-stream'}).write('data: 1\\n\\n')
    return setTimeout(() => response.end('data: 2\\n\\n'), 50)
  }
  let size = 0
  request.on('data', piece => (size += piece.length)).on('end', () => {
    response.end(JSON.stringify({app: process.env.APP_ID, version, headers: request.headers, url: request.url, size}))
  })
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n')
  socket.pipe(socket)
})
server.listen(process.env.PORT, '127.0.0.1')
`

const appOf = (id: string): Record<string, unknown> => ({
  appID: id,
  appDirPath: '.',
  autoPort: true,
  command: ['node', 'web.mjs'],
  watch: ['version.txt']
})

/** Starts a project with these apps in a folder of the rig. */
async function startProject(
  rig: Rig,
  folder: string,
  {
    port,
    name,
    ids = ['web'],
    flags = [],
    more = {}
  }: {
    readonly port: number
    readonly name?: string
    readonly ids?: readonly string[]
    readonly flags?: readonly string[]
    readonly more?: Readonly<Record<string, unknown>>
  }
): Promise<ReturnType<Rig['pillion']>> {
  const apps = ids.map(id => ({...appOf(id), ...more}))
  await rig.write({
    [`${folder}/web.mjs`]: WEB,
    [`${folder}/version.txt`]: '0',
    [`${folder}/dapr.yaml`]: JSON.stringify({version: 1, ...(name !== undefined && {name}), apps})
  })
  const run = rig.pillion(['run', '-f', '.', ...flags], {folder, env: withNames(port)})
  await run.waitForLine('Writing log files', {nth: ids.length})
  return run
}

const bodyOf = (answer: string): Record<string, unknown> =>
  JSON.parse(/\{.*\}/s.exec(answer)?.[0] ?? '{}') as Record<string, unknown>

t.test('an app is called by its name: as it came, held over a save, and recorded', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await startProject(rig, 'shop', {port})
  const first = await callByName(port, 'web-shop.localhost', '/a?b=1')
  t.match(first, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(bodyOf(first), {
    app: 'web',
    url: '/a?b=1',
    headers: {
      host: `web-shop.localhost:${port}`,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': `web-shop.localhost:${port}`,
      'x-forwarded-port': `${port}`,
      traceparent: /^00-/
    }
  })
  t.match(await rig.run(['name', 'web'], {folder: 'shop'}), {code: 0, stdout: `http://web-shop.localhost:${port}\n`})
  t.match(JSON.parse((await rig.run(['url', 'web', '-o', 'json'], {folder: 'shop'})).stdout), {
    url: /^http:\/\/localhost:\d+$/,
    nameUrl: `http://web-shop.localhost:${port}`
  })
  await rig.write({'shop/version.txt': '1'})
  for (let version = '0'; version !== '1';) {
    const answer = await callByName(port, 'WEB-shop.LOCALHOST.', '/poll')
    t.match(answer, /^HTTP\/1\.1 200 OK\r\n/, 'no call is lost')
    version = bodyOf(answer)['version'] as string
  }
  const [call] = (await recordedCalls(rig)).filter(({path}) => path.startsWith('/a'))
  t.match(call, {from: 'browser', to: 'web', status: 200})
  t.match(
    await exchange(port, `GET / HTTP/1.1\r\nHost: web-shop.localhost\r\nConnection: close\r\n\r\n`, '::1'),
    /"app":"web"/
  )
})

t.test('WebSockets, events and uploads pass by name', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await startProject(rig, 'shop', {port})
  const socket = net.connect(port, '127.0.0.1').setEncoding('latin1')
  socket.write('GET / HTTP/1.1\r\nHost: web-shop.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello')
  let got = ''
  while (!got.endsWith('hello')) got += String((await once(socket, 'data'))[0])
  t.match(got, /^HTTP\/1\.1 101 /)
  socket.destroy()
  t.match(await callByName(port, 'web-shop.localhost', '/events'), /data: 1\n\n[^]*data: 2\n\n/)
  const body = 'x'.repeat(3_000_000)
  const upload = `POST / HTTP/1.1\r\nHost: web-shop.localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  t.match(bodyOf(await exchange(port, upload)), {size: body.length})
})

t.test('two projects and two copies share the entrance, and the next run takes it over after kill -9', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const shop = await startProject(rig, 'shop', {port, ids: ['web', 'api']})
  await startProject(rig, 'blog', {port, name: 'My Blog!'})
  await startProject(rig, 'shop', {port, flags: ['--name', 'pr-214'], ids: ['web', 'api']})
  const answers = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const answer = await callByName(port, `${name}.localhost`)
      t.match(bodyOf(answer), {app: name.split('-')[0], headers: {host: `${name}.localhost:${port}`}}, name)
    }
  }
  await answers(['web-shop', 'api-shop', 'web-my-blog', 'web-shop-pr-214', 'api-shop-pr-214'])
  const [mine, shared] = ['web-my-blog', 'web-shop'].map(name => `GET / HTTP/1.1\r\nHost: ${name}.localhost\r\n\r\n`)
  t.match(
    await exchange(port, `${mine}${shared}`),
    /"app":"web"[^]*HTTP\/1\.1 421 [^]*Open a new connection/,
    'a client that shares a connection asks again'
  )
  await shop.end('SIGKILL')
  for (;;) if ((await callByName(port, 'web-my-blog.localhost').catch(() => '')) !== '') break
  await answers(['web-my-blog', 'web-shop-pr-214', 'api-shop-pr-214'])
  t.match(await callByName(port, 'web-shop.localhost'), /^HTTP\/1\.1 404 [^]*web-shop-pr-214\.localhost:\d+ \(shop\)/)
})

t.test('the dashboard has a name, which only its own page may ask', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await startProject(rig, 'blog', {port, name: 'blog'})
  await startProject(rig, 'shop', {port, flags: ['--name', 'pr']})
  const place = `http://pillion-shop-pr.localhost:${port}`
  t.match(await rig.run(['ps'], {folder: 'shop'}), {stdout: new RegExp(`Dashboard: ${place} `)})
  const {stdout} = await rig.run(['open'], {folder: 'shop', env: {BROWSER: 'true'}})
  const [, url, token = ''] = /(http:.*)\/#t=(\S+)/.exec(stdout) ?? []
  t.equal(url, place)
  const asked = async (lines: string, host = 'pillion-shop-pr.localhost', path = '/api/v1/apps'): Promise<string> =>
    callByName(port, host, path, `Authorization: Bearer ${token}\r\n${lines}`)
  t.match(await asked(''), /^HTTP\/1\.1 200 [^]*"id":"web"/, 'another run has the entrance')
  t.match(await asked(`Origin: ${place}\r\nSec-Fetch-Site: same-origin\r\n`), /^HTTP\/1\.1 200 /)
  t.match(await asked('', 'pillion-shop-pr.localhost', '/'), /^HTTP\/1\.1 200 [^]*<!doctype html>/)
  t.match(await asked(`Origin: http://web-shop-pr.localhost:${port}\r\n`), /^HTTP\/1\.1 403 /)
  t.match(await asked('Sec-Fetch-Site: cross-site\r\n'), /^HTTP\/1\.1 403 /)
  t.match(await callByName(port, 'pillion-shop-pr.localhost', '/api/v1/apps'), /^HTTP\/1\.1 401 /)
  t.match(
    await asked('', 'pillion-blog.localhost'),
    /^HTTP\/1\.1 401 [^]*pillion dashboard/,
    'each run has its own token'
  )
})

t.test('a dashboard that cannot be opened says why', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const run = await startProject(rig, 'shop', {port})
  mkdirSync(join(rig.runtimeDir, 'dashboard.key'))
  const answer = await callByName(port, 'pillion-shop.localhost', '/')
  t.match(answer, /^HTTP\/1\.1 503 [^]*the dashboard cannot be opened: /)
  await run.stderr.line(/the dashboard cannot be opened: /)
})

t.test('requests that name no app', async (t: Test) => {
  const rig = await openRig(t)
  const port = await freePort()
  await startProject(rig, 'shop', {port})
  const raw = async (lines: string, target = '/'): Promise<string> =>
    exchange(port, `GET ${target} HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`)
  t.match(await raw('Host: nobody.localhost\r\n'), /^HTTP\/1\.1 404 [^]*no-store[^]*web-shop\.localhost \(shop\)/)
  for (const host of [
    'evil.example',
    `localhost:${port}`,
    '127.0.0.1',
    '[::1]:80',
    'x'.repeat(300),
    'wéb-shop.localhost',
    ''
  ])
    t.match(await raw(`Host: ${host}\r\n`), /^HTTP\/1\.1 404 (?![^]*web-shop\.localhost)/, host)
  t.match(await raw('Host: web-shop.localhost\r\nHost: web-shop.localhost\r\n'), /^HTTP\/1\.1 400 /)
  t.match(await raw(''), /^HTTP\/1\.1 400 /)
  t.match(await raw('Host: web-shop.localhost\r\n', 'http://web-shop.localhost/'), /^HTTP\/1\.1 400 /)
  t.match(await raw('Host : web-shop.localhost\r\n'), /^HTTP\/1\.1 400 /)
  t.match(await exchange(port, 'EHLO me\r\n\r\n'), /^HTTP\/1\.1 400 /)
  t.match(
    await raw('Host: x.localhost\r\nAccept: application/json\r\n'),
    /problem\+json[^]*"name":"web-shop.localhost"/
  )
  t.match(await raw('Host: x.localhost\r\nSec-Fetch-Mode: navigate\r\n'), /text\/html[^]*href="\/\/web-shop.localhost"/)
})

t.test('host, PILLION_URL and addresses of other apps, also in a worktree', async t => {
  const rig = await openRig(t)
  const [port, number] = [await freePort(), await freePort()]
  const show = `require('node:http').createServer((_, response) => response.end(JSON.stringify([process.env.API, process.env.PILLION_URL, process.argv[1]]))).listen(process.env.PORT)`
  const apps = [
    {id: 'api', dir: '.', port: number, command: ['node', 'web.mjs']},
    {
      id: 'web',
      dir: '.',
      host: 'front',
      autoPort: true,
      env: {API: '${app.api.url} ${app.api.port} ${app.api.name}'},
      command: ['node', '-e', show, '${app.web.host}']
    }
  ]
  await writeWorktrees(rig, {
    'web.mjs': WEB,
    'version.txt': '0',
    'pillion.yaml': JSON.stringify({version: 1, name: 'shop', apps})
  })
  const seen = async (folder: string, name: string): Promise<unknown> => {
    const run = rig.pillion(['up'], {folder, env: withNames(port)})
    await run.waitForLine(
      `api ready at http://${name.replace('front', 'api-shop')}.localhost:${port} and http://localhost:`
    )
    const answer = await callByName(port, `${name}.localhost`)
    return JSON.parse(/\[.*\]/.exec(answer)?.[0] ?? '[]')
  }
  const byName = (name: string): string => `http://${name}.localhost:${port}`
  t.strictSame(await seen('main', 'front'), [
    `http://localhost:${number} ${number} ${byName('api-shop')}`,
    byName('front'),
    'localhost'
  ])
  const [api, url] = (await seen('pr', 'front-pr')) as [string, string]
  t.equal(url, byName('front-pr'))
  const [, moved = '0'] = /^http:\/\/localhost:(\d+) \1 http:\/\/api-shop-pr\.localhost/.exec(api) ?? []
  t.match(await exchange(Number(moved), 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /"app":"api"/)
  t.not(Number(moved), number, 'the copy has another number')
  t.match(await rig.run(['ps'], {folder: 'pr'}), {stdout: new RegExp(`http://front-pr.localhost:${port}`)})
})

t.test('a name and a port that others have: one line, and all else works', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const other = net.createServer(socket => socket.end('HTTP/1.1 200 OK\r\n\r\n')).listen(port, '127.0.0.1')
  await once(other, 'listening')
  const first = await startProject(rig, 'a/shop', {port})
  await first.stderr.line(new RegExp(`names do not answer at port ${port}: .+ has it\\. Calls at localhost:PORT do`))
  t.match(await rig.run(['ps'], {folder: 'a/shop'}), {stdout: / http:\/\/localhost:\d+/})
  const second = await startProject(rig, 'b/shop', {port})
  await second.stderr.line(
    /web-shop\.localhost is web of .*a\/shop\/dapr\.yaml \(pid \d+\), so "web" has no name: write another name: in this template/
  )
  t.match(await rig.run(['name', 'web'], {folder: 'b/shop'}), {
    code: 1,
    stderr: /web has no name[^]*Another run has its name/
  })
  other.close()
  for (;;) if (/"app":"web"/.test(await callByName(port, 'web-shop.localhost').catch(() => ''))) break
  for (;;)
    if ((await rig.run(['name', 'web'], {folder: 'a/shop'})).stdout === `http://web-shop.localhost:${port}\n`) break
})

t.test('names: false, PILLION_NAMES=0 and CI', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const env = withNames(port)
  const nameOf = async (extra: Record<string, string>, top: Record<string, unknown>): Promise<string> => {
    await rig.template([{appID: 'web', autoPort: true, command: ['sleep', '100']}], {}, top)
    const run = rig.pillion(['run', '-f', '.'], {env: {...env, ...extra}})
    await run.waitForLine('Writing log files')
    const {stdout, stderr} = await rig.run(['name', 'web'])
    await run.end()
    return stdout + stderr
  }
  t.match(await nameOf({}, {names: false}), /web has no name/)
  t.match(await nameOf({PILLION_NAMES: '0'}, {names: true}), /names are off/)
  t.match(await nameOf({PILLION_NAMES: '', CI: 'true'}, {}), /names are off/)
  t.match(await nameOf({PILLION_NAMES: '', CI: 'true'}, {names: true}), /^http:\/\/web-work\.localhost/)
})

/** Passes all to its own name without end, or refuses the host as Vite does. */
const ODD = `
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  if (request.url === '/vite') return response.writeHead(403, {'content-type': 'text/plain'}).end('Blocked request. This host ("x") is not allowed.')
  const [host, port] = request.headers.host.split(':')
  request.pipe(http.request({host: '127.0.0.1', port, path: request.url, headers: request.headers}, answer => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
  }))
}).listen(process.env.PORT)
`

/** An app of a template that saves do not restart. */
const unwatched = (appID: string, more: Record<string, unknown>): Record<string, unknown> => ({
  ...appOf(appID),
  watch: false,
  ...more
})

t.test('routes by path, a loop, a framework that refuses the host, and an app that is down', async t => {
  const rig = await openRig(t)
  const [port, number] = [await freePort(), await freePort()]
  await rig.write({'web.mjs': WEB, 'version.txt': '0', 'odd.mjs': ODD})
  await rig.template(
    [
      unwatched('web', {
        appDirPath: '.',
        autoPort: false,
        port: number,
        routes: {'/api': 'api', '/files/': {app: 'files', strip: true}}
      }),
      unwatched('api', {appDirPath: '.', routes: {'/api': 'web'}}),
      unwatched('files', {appDirPath: '.'}),
      unwatched('odd', {appDirPath: '.', command: ['node', 'odd.mjs']}),
      unwatched('down', {appDirPath: '.', command: ['node', '-e', 'console.error("no database"); process.exit(3)']})
    ] as never,
    {},
    {name: 'shop'}
  )
  const run = rig.pillion(['run', '-f', '.'], {env: withNames(port)})
  await run.waitForLine('Writing log files', {nth: 5})
  const at = async (path: string): Promise<unknown> => bodyOf(await callByName(port, 'web-shop.localhost', path))
  t.match(await at('/x'), {app: 'web', url: '/x'})
  t.match(await at('/api/items?q=1'), {app: 'api', url: '/api/items?q=1'})
  t.match(bodyOf(await callByName(port, 'api-shop.localhost', '/api')), {app: 'web'}, 'routes in a circle')
  t.match(await at('/apis'), {app: 'web', url: '/apis'})
  t.match(await at('/files/a/b?q=/files'), {app: 'files', url: '/a/b?q=/files'})
  t.match(await at('/files'), {app: 'files', url: '/'})
  t.match(bodyOf(await exchange(number, 'GET /api HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')), {app: 'api'})
  t.match((await recordedCalls(rig)).map(({to, path}) => `${to} ${path}`).slice(0, 5), [
    'web /x',
    'api /api/items?q=1',
    'web /api',
    'web /apis',
    'files /a/b?q=/files'
  ])
  t.match(await callByName(port, 'odd-shop.localhost', '/loop'), /^HTTP\/1\.1 508 [^]*changeOrigin: true/)
  t.match(await callByName(port, 'odd-shop.localhost', '/vite'), /^HTTP\/1\.1 403 /)
  await run.stderr.line(
    /"odd" refuses the host odd-shop\.localhost: write server\.allowedHosts: \['odd-shop\.localhost'\] in vite\.config\.js/
  )
  const page = await callByName(port, 'down-shop.localhost', '/', 'Sec-Fetch-Mode: navigate\r\n')
  t.match(page, /^HTTP\/1\.1 503 [^]*text\/html[^]*no database[^]*pillion restart down/)
})

t.test('the name of an app that starts waits, then has a page that reloads; of a stopped one, its command', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const ready = {http: '/ready', timeout: '300ms'}
  const asks = {command: ['sh', '-c', 'test $0 = $PEER', '${app.slow.url}']}
  const slow = unwatched('slow', {
    appDirPath: '.',
    ready,
    command: ['sh', '-c', 'until [ -e go ]; do sleep 0.05; done; exec node web.mjs']
  })
  await rig.write({'web.mjs': WEB, 'version.txt': '0'})
  await rig.template(
    [slow, unwatched('web', {appDirPath: '.', ready: asks, env: {PEER: '${app.slow.url}'}})] as never,
    {},
    {name: 'shop'}
  )
  const run = rig.pillion(['run', '-f', '.'], {env: withNames(port)})
  await run.waitForLine('Writing log files', {nth: 2})
  const open = async (): Promise<string> => callByName(port, 'slow-shop.localhost', '/', 'Sec-Fetch-Mode: navigate\r\n')
  t.match(
    await open(),
    /^HTTP\/1\.1 503 [^]*http-equiv="refresh"[^]*&quot;slow&quot; is starting[^]*This page looks again/
  )
  await rig.write({go: ''})
  await rig.run(['wait', '--for', 'ready'])
  t.match(await open(), /^HTTP\/1\.1 200 /)
  t.match(await rig.run(['stop', '--app-id', 'slow']), {code: 0})
  t.match(await open(), /^HTTP\/1\.1 503 [^]*pillion start slow/)
})
