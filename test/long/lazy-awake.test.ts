import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {connect} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type * as Api from '../../src/model/api.generated.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {freePorts} from '../rig/free-port.ts'
import {openRig, type Rig, type TemplateApp} from '../rig/rig.ts'
import {noScreen} from '../rig/screen.ts'
import {writeWorktrees} from '../rig/worktrees.ts'
import {attached, DETACH} from './attach-house.ts'

/** Answers with its pid; upgrades any connection; streams at `/stream`. */
const APP = `
const {createServer} = process.getBuiltinModule('node:http')
createServer((request, response) => {
  if (request.url === '/stream') {
    response.writeHead(200, {'content-type': 'text/event-stream'})
    return response.write('data: here\\n\\n')
  }
  response.end(String(process.pid))
})
  .on('upgrade', (request, socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end())
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n')
  })
  .listen(Number(process.env.APP_PORT ?? process.env.PORT), '127.0.0.1')
`
const SLEEPY = {lazy: true, idleTimeout: '300ms', command: ['node', '../app.mjs']}

async function ended(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await pause(20)
}

interface House {
  readonly rig: Rig
  readonly run: ReturnType<Rig['pillion']>
  /** Of the sidecar that calls the others. */
  readonly sidecar: number
  /** The `port` of `stock`. */
  readonly port: number
  /** `other`, which has the same `idleTimeout`, is called, and falls asleep twice: `stock` has had more time than that. */
  readonly awhile: () => Promise<void>
  readonly state: () => Promise<string>
}

/** A lazy `stock` next to another lazy app. */
async function open(t: Test, keys: Partial<TemplateApp> = {}): Promise<House> {
  const rig = await openRig(t)
  const [sidecar = 0, port = 0] = await freePorts(2)
  await rig.template([
    {appID: 'shop', daprHTTPPort: sidecar, command: ['sleep', '1000']},
    {appID: 'stock', ...SLEEPY, port, ...keys},
    {appID: 'other', ...SLEEPY, autoPort: true}
  ])
  await rig.write({'app.mjs': APP})
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('App id "other" starts with its first call')
  let sleeps = 0
  return {
    rig,
    run,
    sidecar,
    port,
    awhile: async () => {
      for (let i = 0; i < 2; i++) {
        t.equal((await fetch(`http://127.0.0.1:${sidecar}/v1.0/invoke/other/method/`)).status, 200)
        await run.waitForLine('other: asleep, nothing', {nth: ++sleeps})
      }
    },
    state: async () => {
      const {stdout} = await rig.run(['ps', 'stock', '-o', 'json'])
      return (JSON.parse(stdout) as readonly Api.App[])[0]?.state ?? ''
    }
  }
}

t.test('an upgraded connection keeps an app awake', async t => {
  const {run, port, awhile, state} = await open(t)
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 101/)
  await awhile()
  t.equal(await state(), 'running')
  socket.end()
  await run.waitForLine('stock: asleep, nothing')
})

for (const way of ['its port', 'a sidecar'])
  t.test(`an open stream through ${way} keeps an app awake`, async t => {
    const {run, port, sidecar, awhile, state} = await open(t)
    const at = way === 'its port' ? `${port}` : `${sidecar}/v1.0/invoke/stock/method`
    const gone = new AbortController()
    const stream = await fetch(`http://127.0.0.1:${at}/stream`, {signal: gone.signal})
    t.equal(stream.status, 200)
    await awhile()
    t.equal(await state(), 'running')
    gone.abort()
    await run.waitForLine('stock: asleep, nothing')
  })

t.test('an attached terminal keeps an app awake', {skip: noScreen}, async t => {
  const {rig, run, port, awhile, state} = await open(t, {tty: true})
  const gone = new AbortController()
  await fetch(`http://127.0.0.1:${port}/stream`, {signal: gone.signal})
  const screen = attached(rig, ['stock'])
  await screen.line(/attached to stock/)
  gone.abort()
  await awhile()
  t.equal(await state(), 'running')
  screen.type(DETACH)
  await screen.line(/^code=0$/)
  await run.waitForLine('stock: asleep, nothing')
})

t.test('attach starts an app that is asleep', {skip: noScreen}, async t => {
  const {rig, run} = await open(t, {tty: true})
  const screen = attached(rig, ['stock'])
  await screen.line(/attached to stock/)
  await run.waitForLine('stock: woken by a terminal')
  screen.type(DETACH)
  await screen.line(/^code=0$/)
  await run.waitForLine('stock: asleep, nothing')
})

t.test('another size of a terminal starts nothing', {skip: noScreen}, async t => {
  const {rig, run, state} = await open(t, {tty: true})
  const path = '/api/v1/apps/stock/terminal?columns=90&rows=30'
  const resize = async (): Promise<number> => (await ask(controlSocket(rig), path, {method: 'POST'})).status
  t.equal(await resize(), 409, 'there is none yet')
  t.equal(await state(), 'asleep')
  const screen = attached(rig, ['stock'])
  await screen.line(/attached to stock/)
  t.equal(await resize(), 200)
  screen.type(DETACH)
  await screen.line(/^code=0$/)
  await run.waitForLine('stock: asleep, nothing')
  t.equal(await resize(), 200, 'of the next process')
  t.equal(await state(), 'asleep')
})

t.test('a debugger of one instance keeps the others awake', async t => {
  const {rig, run, port, awhile, state} = await open(t, {replicas: 2})
  const gone = new AbortController()
  await fetch(`http://127.0.0.1:${port}/stream`, {signal: gone.signal})
  for (const name of ['stock', 'stock.2']) await run.waitForLine(`${name}: woken`)
  t.equal((await rig.run(['debug', 'stock.2'])).code, 0)
  gone.abort()
  await awhile()
  t.equal(await state(), 'running')
  t.equal((await rig.run(['start', 'stock.2'])).code, 0)
  for (const name of ['stock', 'stock.2']) await run.waitForLine(`${name}: asleep, nothing`)
})

t.test('kill -9 of Pillion with apps asleep and awake leaves nothing; the next run begins with all asleep', async t => {
  const {rig, run, port} = await open(t)
  const pid = Number(await (await fetch(`http://127.0.0.1:${port}/`)).text())
  await run.end('SIGKILL')
  const next = rig.pillion(['run', '-f', '.'])
  for (const app of ['stock', 'other']) await next.waitForLine(`App id "${app}" starts with its first call`)
  await ended(pid)
  t.not(Number(await (await fetch(`http://127.0.0.1:${port}/`)).text()), pid)
  await next.waitForLine('stock: asleep, nothing')
})

t.test('the copies of a template sleep and wake each by itself', async t => {
  const rig = await openRig(t)
  const [port = 0] = await freePorts(1)
  const template = `version: 1
apps:
  - {appID: stock, appDirPath: ., port: ${port}, lazy: true, idleTimeout: 60m, command: [node, app.mjs]}
  - {appID: other, appDirPath: ., command: [sleep, "1000"]}
`
  await writeWorktrees(rig, {'dapr.yaml': template, 'app.mjs': APP})
  const rowOf = async (folder: string): Promise<Api.App | undefined> =>
    (JSON.parse((await rig.run(['ps', 'stock', '-o', 'json'], {folder})).stdout) as readonly Api.App[])[0]
  const runs = new Map<string, ReturnType<Rig['pillion']>>()
  for (const folder of ['main', 'pr']) {
    const run = rig.pillion(['up'], {folder})
    await run.waitForLine('App id "stock" starts with its first call')
    runs.set(folder, run)
  }
  const url = new URL((await rowOf('pr'))?.url ?? '')
  t.not(Number(url.port), port)
  t.equal((await fetch(url)).status, 200)
  t.match([await rowOf('main'), await rowOf('pr')], [{state: 'asleep'}, {state: 'running'}])
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  t.match(await rowOf('main'), {state: 'running'})
  t.match(await rig.run(['down'], {folder: 'main'}), {code: 0})
  t.equal((await fetch(url)).status, 200)
})
