import {Agent, get, type IncomingMessage} from 'node:http'
import net from 'node:net'
import {once} from 'node:events'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {callByName, withNames} from '../rig/by-name.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** Answers with the copy in which it runs; after the word `echo` it answers with what it gets. */
const APP = `
import {basename} from 'node:path'
const copy = basename(process.cwd())
const server = process.getBuiltinModule('node:http').createServer((request, response) => {
  if (request.url !== '/peer') return response.end(copy)
  fetch(process.env.PEER).then(async answer => response.end(copy + ' got ' + (await answer.text())))
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n' + copy)
  socket.pipe(socket)
})
server.listen(process.env.PORT, '127.0.0.1')
`

interface Shop {
  readonly rig: Rig
  /** The port of the entrance. */
  readonly entrance: number
  /** The number of `web` in the template. */
  readonly port: number
  readonly start: (folder: string) => Promise<ReturnType<Rig['pillion']>>
  readonly show: (name: string) => Promise<{code: number | null; stdout: string; stderr: string}>
}

const templateOf = (apps: readonly unknown[]): string => JSON.stringify({version: 1, name: 'shop', apps})

/** A project in a main working tree and the worktree `pr`: `web` has a port, `api` a name alone, `only` is not in `pr`. */
async function openShop(t: Test): Promise<Shop> {
  const rig = await openRig(t)
  const [entrance, port] = [await freePort(), await freePort()]
  const app = {dir: '.', command: ['node', 'app.mjs'], env: {PEER: `http://localhost:${port}/`}}
  const apps = [
    {id: 'web', ...app, port},
    {id: 'api', ...app, autoPort: true}
  ]
  await writeWorktrees(rig, {'app.mjs': APP, 'pillion.yaml': templateOf(apps)})
  await rig.write({'main/pillion.yaml': templateOf([...apps, {id: 'only', ...app, autoPort: true}])})
  const env = withNames(entrance)
  return {
    rig,
    entrance,
    port,
    start: async folder => {
      const run = rig.pillion(['up'], {folder, env})
      await rig.run(['wait', '--for', 'ready'], {folder})
      return run
    },
    show: async name => rig.run(['show', name], {folder: 'main'})
  }
}

/** The copy that answers at a name, and at a port. */
const answersAt = async ({entrance, port}: Shop): Promise<readonly string[]> => [
  (await callByName(entrance, 'web-shop.localhost')).split('\r\n\r\n')[1] ?? '',
  (await callByName(entrance, 'api-shop.localhost')).split('\r\n\r\n')[1] ?? '',
  (await callByName(port, 'localhost')).split('\r\n\r\n')[1] ?? ''
]

t.test('show: a copy answers the names and ports of main and back, and no call of 1,000 is lost', async t => {
  const shop = await openShop(t)
  const {rig, entrance, port, show} = shop
  await shop.start('main')
  await shop.start('pr')
  t.strictSame(await answersAt(shop), ['main', 'main', 'main'])
  t.match((await rig.run(['copies'], {folder: 'main'})).stdout, /^pr .* http:\/\/APP-shop-pr\.localhost:\d+ /m)
  const stream = net.connect(port, '127.0.0.1').setEncoding('latin1')
  stream.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  await once(stream, 'data')

  const agent = new Agent({keepAlive: true, maxSockets: 4})
  t.teardown(() => agent.destroy())
  const seen = new Map<string, number>()
  const callOnce = async (at: number): Promise<void> => {
    const [number, host] = at % 2 === 0 ? [port, 'localhost'] : [entrance, 'web-shop.localhost']
    let body = 'lost'
    try {
      const [answer] = (await once(get({agent, host: '127.0.0.1', port: number, headers: {host}}), 'response')) as [
        IncomingMessage
      ]
      body =
        answer.statusCode === 200 ? Buffer.concat(await answer.toArray()).toString() : `status ${answer.statusCode}`
    } catch (error) {
      body = String(error)
    }
    seen.set(body, (seen.get(body) ?? 0) + 1)
  }
  const calls: Promise<void>[] = []
  const send = async (many: number): Promise<void> => {
    for (let sent = 0; sent < many; sent++) {
      calls.push(callOnce(calls.length))
      await pause(2)
    }
  }
  await send(200)
  const [shown] = await Promise.all([show('pr'), send(300)])
  t.match(shown, {
    code: 0,
    stdout: /pr answers the names and ports of main: web, api/,
    stderr: /main itself answers only/
  })
  t.strictSame(await answersAt(shop), ['pr', 'pr', 'pr'])
  t.match(await rig.run(['ps'], {folder: 'main'}), {stdout: /pr answers its names and ports/})
  t.match(await rig.run(['ps'], {folder: 'pr'}), {stdout: /It answers the names and ports of main/})
  t.match(JSON.parse((await rig.run(['copies', '-o', 'json'], {folder: 'main'})).stdout), [
    {name: 'main', names: {api: `http://api-shop.localhost:${entrance}`}},
    {name: 'pr', names: {api: `http://api-shop-pr.localhost:${entrance}`}}
  ])
  t.match(await callByName(entrance, 'only-shop.localhost'), /\r\n\r\nmain$/)
  stream.write('still here')
  t.equal(String((await once(stream, 'data'))[0]), 'still here', 'an open connection stays')
  stream.destroy()
  const [back] = await Promise.all([show('main'), send(500)])
  t.match(back, {code: 0, stdout: /main has its names and ports again/})
  await Promise.all(calls)
  t.strictSame([...seen.keys()].toSorted(), ['main', 'pr'])
  t.equal(calls.length, 1000)
  t.strictSame(await answersAt(shop), ['main', 'main', 'main'])
  t.notMatch(await rig.run(['ps'], {folder: 'pr'}), {stdout: /answers the names/})
})

t.test('show: apps of main still call each other, and main answers when the copy ends or is killed', async t => {
  const shop = await openShop(t)
  const {entrance, port, show} = shop
  const main = await shop.start('main')
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const run = await shop.start('pr')
    t.match(await show('pr'), {code: 0})
    t.strictSame(await answersAt(shop), ['pr', 'pr', 'pr'])
    run.signal(signal)
    for (let answer = ''; !answer.endsWith('main');) {
      answer = await callByName(entrance, 'api-shop.localhost')
      if (signal === 'SIGTERM') t.match(answer, /^HTTP\/1\.1 200 /, 'no call is lost while the copy stops')
    }
    t.strictSame(await answersAt(shop), ['main', 'main', 'main'])
    if (signal === 'SIGKILL') await main.stderr.line(/pr has ended: this run answers its names and ports again/)
    await run.exited
  }
  await shop.start('pr')
  await show('pr')
  t.match(await callByName(port, 'localhost', '/peer'), /pr got pr$/)
  t.match(await callByName(entrance, 'only-shop.localhost', '/peer'), /main got main$/)
})

t.test('show: without a main that runs, the copy takes its names and numbers, or says who has them', async t => {
  const shop = await openShop(t)
  const {rig, port, show} = shop
  const other = net.createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  rig.pillion(['up', '--isolated'], {folder: 'pr', env: withNames(shop.entrance)})
  await rig.run(['wait', '--for', 'ready'], {folder: 'pr'})
  t.match(await show('pr'), {code: 1, stderr: new RegExp(`"web" cannot be called at port ${port}: `)})
  other.close()
  t.match(await show('pr'), {code: 0, stdout: /pr answers the names and ports of main: web/})
  t.strictSame(await answersAt(shop), ['pr', 'pr', 'pr'])
  t.match(await rig.run(['ps'], {folder: 'pr'}), {stdout: /It answers the names and ports of main/})
  t.match(await show('main'), {code: 0, stdout: /main has its names and ports when it runs/})
  t.match(await callByName(shop.entrance, 'web-shop.localhost'), /^HTTP\/1\.1 404 /)
  const main = await shop.start('main')
  t.strictSame(await answersAt(shop), ['main', 'main', 'main'])
  await main.end()
  t.match(await show('pr'), {code: 0})
  t.strictSame(await answersAt(shop), ['pr', 'pr', 'pr'])
  await shop.start('main')
  t.strictSame(await answersAt(shop), ['main', 'main', 'main'], 'main has them again when it starts')
  t.match(await show('nobody'), {code: 1, stderr: /no copy is called nobody/})
  await rig.run(['down'], {folder: 'pr'})
  t.match(await show('pr'), {code: 1, stderr: /pr does not run/})
})
