import {execFile, spawn} from 'node:child_process'
import {promisify} from 'node:util'
import net from 'node:net'
import t, {type Test} from 'tap'
import {PageGuard} from '../../../../src/proxy/gateway/page-guard.ts'
import {openMetricsPort} from '../../../../src/dapr/sidecar/ports.ts'
import {Output} from '../../../rig/output.ts'
import {ask, request} from './caller.ts'
import {echoApp, openTestSidecar} from './rig.ts'

/** Sends requests on one connection, and prints the statuses. */
const SENDER = `
const [port, ...texts] = process.argv.slice(1)
const socket = require('node:net').connect(Number(port), '127.0.0.1')
let text = ''
socket.on('data', bytes => {
  text += bytes
  const statuses = text.match(/HTTP\\/1.1 \\d+/g) ?? []
  if (statuses.length > texts.length) throw new Error(text)
  if (statuses.length < texts.length) return
  console.log(statuses.map(each => each.slice(9)).join(' '))
  socket.destroy()
})
for (const each of texts) socket.write(each)
`

/** The statuses that another process gets; an `app` carries the mark of one. */
async function statuses(port: number, texts: readonly string[], isApp: boolean): Promise<readonly string[]> {
  const {PILLION_LIFE: _, ...env} = process.env
  const marked = isApp ? {...env, PILLION_LIFE: 'x'} : env
  const sent = await promisify(execFile)(process.execPath, ['-e', SENDER, port.toString(), ...texts], {env: marked})
  return sent.stdout.trim().split(' ')
}

const FOREIGN = 'Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n'
const HEAD = 'HTTP/1.1\r\nHost: localhost\r\n'
const call = (lines: string): string => `GET /v1.0/invoke/b/method/x ${HEAD}${lines}\r\n`
const health = (lines: string): string => `GET /v1.0/healthz ${HEAD}${lines}\r\n`
const state = (lines: string): string =>
  `POST /v1.0/state/store ${HEAD}Content-Type: text/plain\r\nContent-Length: 2\r\n${lines}\r\n[]`

const open = async (t: Test, allowed: readonly string[] = []) => {
  const app = await echoApp(t)
  return {...(await openTestSidecar(t, {appPort: app.port, pages: new PageGuard(allowed)})), app}
}

t.test('what a page from elsewhere may have sent passes if a process of an app sends it', async t => {
  const {port, app} = await open(t)
  const texts = [call(FOREIGN), health(FOREIGN), state(FOREIGN), call('Sec-Fetch-Site: cross-site\r\n')]
  t.strictSame(await statuses(port, texts, false), ['403', '403', '403', '403'])
  t.equal(app.seen.length, 0)
  const passed = await statuses(port, texts, true)
  t.strictSame(
    passed.filter(status => status === '403'),
    [],
    passed.join(' ')
  )
  t.equal(app.seen.length, 2)
})

t.test('an app that was not started by us is known by the port on which it listens', async t => {
  const listening = `
const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
  process.env.LISTENS = server.address().port
  console.log(process.env.LISTENS)
})
process.stdin.once('data', port => {
  const socket = require('node:net').connect(Number(port), '127.0.0.1')
  socket.write(${JSON.stringify(call(FOREIGN))})
  socket.once('data', bytes => { console.log(bytes.toString().slice(9, 12)); process.exit() })
})`
  const {PILLION_LIFE: _, ...env} = process.env
  const child = spawn(process.execPath, ['-e', listening], {env, stdio: ['pipe', 'pipe', 'inherit']})
  t.teardown(() => child.kill())
  const lines = new Output(child.stdout) // which also tells that the process has ended
  const listens = await lines.line(/^\d+$/)
  const app = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort: app.port, pages: new PageGuard([], () => Number(listens))})
  child.stdin.write(`${port}\n`)
  t.equal(await lines.line(/./, {nth: 2}), '200')
})

t.test('pages of this machine, and those that are allowed, need no process', async t => {
  const {port} = await open(t, ['https://shop.example'])
  const texts = [
    'Origin: http://localhost:3000\r\nSec-Fetch-Site: same-site\r\n',
    'Origin: https://shop.example\r\nSec-Fetch-Site: cross-site\r\n',
    'Sec-Fetch-Site: none\r\n'
  ].map(call)
  t.strictSame(await statuses(port, texts, false), ['200', '200', '200'])
})

t.test('where the process cannot be known, calls pass and all else is refused', async t => {
  // this process has the other end, too: nobody can tell who it is
  const {port} = await open(t)
  t.equal((await ask(t, port, request({lines: FOREIGN})))?.status, 200)
  const refused = await ask(t, port, state(FOREIGN))
  t.equal(refused?.status, 403)
  t.match(JSON.parse(refused?.body ?? ''), {
    errorCode: 'ERR_FOREIGN_ORIGIN',
    message: /web pages from elsewhere .*allowedOrigins/
  })
})

t.test('an upgrade is refused as well', async t => {
  const {port, app} = await open(t)
  const upgrade = call(`${FOREIGN}Connection: Upgrade\r\nUpgrade: websocket\r\n`)
  t.strictSame(await statuses(port, [upgrade], false), ['403'])
  t.equal(app.seen.length, 0)
})

const get = (lines: string): string => `GET /metrics HTTP/1.1\r\n${lines}\r\n`

t.test('so are metrics', async t => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  const port = address === null || typeof address === 'string' ? 0 : address.port
  const metrics = openMetricsPort([server], async () => 'up 1\n', {
    isAllowedHost: host => host === 'localhost',
    pages: new PageGuard([]),
    warn: () => undefined
  })
  t.teardown(() => metrics.destroy())
  t.strictSame(await statuses(port, [get(`Host: localhost\r\n${FOREIGN}`)], false), ['403'])
  t.strictSame(await statuses(port, [get(`Host: localhost\r\n${FOREIGN}`)], true), ['200'])
  t.strictSame(await statuses(port, [get('Host: evil.example\r\n')], true), ['403'])
  t.strictSame(await statuses(port, [get('Host: localhost\r\n')], false), ['200'])
})
