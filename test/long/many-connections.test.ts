import {once} from 'node:events'
import net, {type Socket} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import {rmSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {ask, controlSocket} from '../rig/control-socket.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {usageOf} from '../rig/usage.ts'
import {isLong} from './flooding.ts'

const CONNECTIONS = 2000
const HELD = 1000
const IDLE = 10_000
const AT_ONCE = 1000
/** A connection that sends nothing. */
const MOST_KB_IDLE = 12

/** Listens when there is a file called go, and numbers its answers. */
const APP = `
import {existsSync} from 'node:fs'
const {createServer} = process.getBuiltinModule('node:http')
let answers = 0
const server = createServer({keepAliveTimeout: 0}, (request, response) => response.end(\`\${process.pid} \${++answers};\`))
console.log('waits')
const timer = setInterval(() => existsSync('go') && (clearInterval(timer), server.listen(process.env.APP_PORT, '127.0.0.1')), 10)
`

interface Shop {
  readonly rig: Rig
  readonly run: Program
  readonly pid: number
  readonly port: number
}

async function openShop(t: Test): Promise<Shop> {
  const rig = await openRig(t)
  await rig.write({'shop/app.mjs': APP, 'shop/go': ''})
  await rig.template([{appID: 'shop', autoPort: true, command: [process.execPath, 'app.mjs']}])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  await rig.run(['wait', '--for', 'ready'])
  return {rig, run, pid: run.pid, port: http}
}

async function connected(t: Test, port: number, count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({length: count}, () => net.connect(port, '127.0.0.1').setEncoding('latin1'))
  t.teardown(() => sockets.forEach(socket => socket.destroy()))
  await Promise.all(sockets.map(async socket => once(socket, 'connect')))
  return sockets
}

/** What the app says to a call on this connection; with what came before it if that was no answer. */
async function called(socket: Socket): Promise<string> {
  let text = ''
  const whole = new Promise<void>((resolve, reject) => {
    socket.on('data', (piece: string) => {
      text += piece
      if (text.endsWith(';')) resolve()
    })
    socket.once('close', () => reject(new Error(`closed after ${text}`)))
  })
  socket.write('GET /v1.0/invoke/shop/method/ HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await whole
  socket.removeAllListeners()
  return text.replace(/^HTTP\/1\.1 200 .*\r\n\r\n/s, '')
}

const answersOf = async (sockets: readonly Socket[]): Promise<readonly string[]> => Promise.all(sockets.map(called))

/** Waits until the run has no more descriptors than this. */
async function fewDescriptors(pid: number, most: number): Promise<void> {
  while ((await usageOf(pid)).descriptors > most) await pause(50)
}

t.test(`${CONNECTIONS} connections at one sidecar are served, and leave nothing`, async t => {
  const {pid, port} = await openShop(t)
  const before = await usageOf(pid)
  const sockets = await connected(t, port, CONNECTIONS)
  for (let round = 1; round <= 2; round++)
    t.equal(new Set(await answersOf(sockets)).size, CONNECTIONS, 'each call has an answer of its own')
  t.ok((await usageOf(pid)).descriptors >= before.descriptors + CONNECTIONS)
  for (const socket of sockets) socket.destroy()
  await fewDescriptors(pid, before.descriptors + CONNECTIONS / 10)
})

t.test(`${HELD} calls that come while an app reloads reach its new process, each once`, async t => {
  const {rig, run, port} = await openShop(t)
  const socket = controlSocket(rig)
  const lastCall = async (): Promise<number> =>
    ((await ask(socket, '/api/v1/run')).json as {readonly lastCall: number}).lastCall
  const [first] = await connected(t, port, 1)
  if (first === undefined) throw new Error('no connection')
  const [old] = (await called(first)).split(' ')
  rmSync(join(rig.folder, 'shop/go'))
  const restarted = rig.run(['restart', '--app-id', 'shop'])
  await run.waitForLine('== APP - shop == waits', {nth: 2})
  const sockets = await connected(t, port, HELD)
  const before = await lastCall()
  const answers = answersOf(sockets)
  while ((await lastCall()) < before + HELD) await pause(20)
  await rig.write({'shop/go': ''})
  const texts = await answers
  t.match(await restarted, {code: 0})
  const pids = new Set(texts.map(text => text.split(' ')[0]))
  t.equal(pids.size, 1)
  t.notOk(pids.has(old))
  t.equal(new Set(texts).size, HELD)
})

t.test(`${IDLE} connections that send nothing`, {skip: !isLong && 'PILLION_LONG=1 asks for it'}, async t => {
  const {rig, pid, port} = await openShop(t)
  const before = await usageOf(pid)
  const sockets: Socket[] = []
  while (sockets.length < IDLE) {
    // a listener that has more to accept drops those that send nothing
    sockets.push(...(await connected(t, port, AT_ONCE)))
    while ((await usageOf(pid)).descriptors < before.descriptors + sockets.length) await pause(20)
  }
  const kilobytes = (((await usageOf(pid)).megabytes - before.megabytes) * 1000) / IDLE
  t.ok(kilobytes < MOST_KB_IDLE, `${kilobytes.toFixed(1)} KB each`)
  t.match(await rig.run(['ps']), {code: 0, stdout: /^shop +ready/m})
  const [caller] = await connected(t, port, 1)
  if (caller === undefined) throw new Error('no connection')
  t.match(await called(caller), /^\d+ \d+;$/, 'others are served')
  for (const socket of sockets) socket.destroy()
  await fewDescriptors(pid, before.descriptors + 8)
})
