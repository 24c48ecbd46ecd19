import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {Numbered} from '../e2e/numbered.ts'
import {ownAppPorts} from '../../src/proxy/ports/usual-ports.ts'

/** REPLICAS=1 takes the full measure, 1,000 calls a second; without it fewer are enough to see that it works. */
const PER_SECOND = process.env['REPLICAS'] === undefined ? 200 : 1000
const REPLICA = join(import.meta.dirname, '../fixtures/apps/replica.mjs')
const METHOD = '/v1.0/invoke/order/method/items'

interface Row {
  readonly appId: string
  readonly instance: number
  readonly httpPort: number
  readonly appPort: number
  readonly appPid: number
  readonly appLogPath: string
}

/** Of each call that came: `<number> <pid>`. */
const notesIn = (file: string): readonly string[] => readFileSync(file, 'utf8').match(/^\d+ \d+$/gm) ?? []

const rowsOf = async (rig: Rig): Promise<readonly Row[]> =>
  JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly Row[]

t.test('under load one of three is killed, one restarted, then all: only the calls in the killed one fail', async t => {
  const rig = await openRig(t)
  const counts = join(rig.home, 'counts')
  const command = [process.execPath, REPLICA]
  const env = {COUNT_FILE: counts}
  await rig.template([
    {appID: 'order', autoPort: true, replicas: 3, restart: 'on-failure', watch: true, command, env},
    {appID: 'shop', command: []}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http: port} = await run.ports('shop')
  await run.waitForLine('Writing log files', {nth: 4})
  const seen = new Set<string>()
  // all three, as soon as they are ready
  while (seen.size < 3) seen.add(await (await fetch(`http://127.0.0.1:${port}${METHOD}?n=first`)).text())
  const before = await rowsOf(rig)
  const numbered = new Numbered({
    port,
    path: METHOD,
    method: 'POST',
    keepsAlive: true,
    perSecond: PER_SECOND,
    bytes: 64
  })
  while (notesIn(counts).length < 100) await pause(5) // the calls have their pace

  const killed = before.find(({instance}) => instance === 2)?.appPid ?? 0
  process.kill(killed, 'SIGKILL')
  await run.waitForLine(/"order\.2" was ended by SIGKILL/, {stream: 'stderr'})
  t.match(await rig.run(['restart', '--app-id', 'order.3']), {code: 0})
  await numbered.calm()
  t.match(await rig.run(['restart', '--app-id', 'order']), {code: 0})
  await rig.write({'order/code.txt': 'new'})
  for (const name of ['order', 'order.2', 'order.3'])
    await run.waitForLine(`${name}: reloaded`, {nth: name === 'order.3' ? 3 : 2})
  const {sent, failed} = await numbered.end()

  const notes = notesIn(counts)
  const address = `127.0.0.1:${(before.find(({instance}) => instance === 2)?.appPort ?? 0).toString()}`
  t.same(
    failed.filter(failure => !failure.includes(address)),
    [],
    'only calls to the killed one failed'
  )
  const report = await run.waitForLine(/"order\.2" was ended by SIGKILL/, {stream: 'stderr'})
  const inside = Number(/while handling (\d+) calls/.exec(report)?.[1] ?? 1)
  t.ok(failed.length <= inside, `${failed.length} calls failed, ${inside} were in the killed one`)
  const lost = new Set(failed.map(failure => failure.split(':')[0]))
  const delivered = notes.map(note => note.split(' ')[0])
  t.equal(new Set(delivered).size, delivered.length, 'none was delivered twice')
  t.equal(new Set([...delivered, ...lost]).size, sent, 'each was delivered, or was in the killed one')
  t.ok(sent > 50, `${sent} calls`)
  t.equal((await rowsOf(rig)).length, 4)
})

t.test('each instance has its name, ports and log files, and is meant by its name; the id means all', async t => {
  const rig = await openRig(t)
  const [httpPort, metricsPort] = [await freePort(), await freePort()]
  await rig.template([
    {appID: 'shop', command: []},
    {appID: 'order', autoPort: true, replicas: 2, daprHTTPPort: httpPort, metricsPort, unixDomainSocket: 'sockets'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http: shop} = await run.ports('shop')
  const lives = [await rig.driven('order'), await rig.driven('order')]
  const ports = lives.map(({env}) => Number(env['DAPR_HTTP_PORT']))
  const [first, second] = ports[0] === httpPort ? lives : lives.toReversed()
  if (first === undefined || second === undefined) throw new Error('two were to be started')
  t.equal(new Set([...ports, httpPort]).size, 2, 'the fixed ports are those of the first')
  t.not(first.env['APP_PORT'], second.env['APP_PORT'])

  const held = fetch(`http://127.0.0.1:${shop}${METHOD}`)
  await second.answer({body: 'second'})
  await second.listen()
  t.equal(await (await held).text(), 'second', 'a call that waits goes to the one that is ready first')
  await first.answer({body: 'first'})
  await first.listen()
  const asked = async (from: number): Promise<string> => (await fetch(`http://127.0.0.1:${from}${METHOD}`)).text()
  const answers = new Set<string>()
  while (answers.size < 2) answers.add(await asked(shop))
  const turns = [await asked(shop), await asked(shop), await asked(shop), await asked(shop)]
  t.equal(turns[0], turns[2])
  t.equal(turns[1], turns[3])
  t.not(turns[0], turns[1], 'one after the other')
  const own = Number(second.env['DAPR_HTTP_PORT'])
  t.same([await asked(own), await asked(own)], ['second', 'second'], 'an instance that calls its own id reaches itself')

  await second.print('hello\n')
  await run.waitForLine('== APP - order.2 == hello')
  const rows = (await rowsOf(rig)).filter(({appId}) => appId === 'order')
  t.match(rows, [
    {instance: 1, httpPort, appPid: first.pid},
    {instance: 2, httpPort: own, appPid: second.pid, appPort: Number(second.env['APP_PORT'])}
  ])
  const files = readdirSync(join(rig.folder, 'order/.dapr/logs')).map(name => name.replace(/_\d+\.log$/, ''))
  t.same(new Set(files), new Set(['order_app', 'order_daprd', 'order.2_app', 'order.2_daprd']))
  t.same(readdirSync(join(rig.folder, 'order/sockets')).toSorted(), [
    'dapr-order-grpc.socket',
    'dapr-order-http.socket',
    'dapr-order.2-grpc.socket',
    'dapr-order.2-http.socket'
  ])
  t.equal((await rig.run(['logs', 'order.2'])).stdout, '== APP - order.2 == hello\n')

  const shown = (await rig.run(['ps', 'order'])).stdout
  t.match(shown, /^order +ready/m)
  t.match(shown, /^order\.2 +ready/m)
  t.notMatch((await rig.run(['ps', 'order.1'])).stdout, 'order.2')
  t.equal((await rig.run(['logs', 'order.1'])).stdout, '')
  t.match(await rig.run(['stop', 'order.2']), {code: 0, stdout: /order\.2/})
  await second.closed
  t.same([await asked(shop), await asked(shop)], ['first', 'first'])
  t.match(await rig.run(['stop', 'order']), {code: 0})
  await first.closed
  t.match(await asked(shop), /couldn't find service: order/)
})

t.test('entries of one id and one version are instances; a failed new process leaves the others alone', async t => {
  const rig = await openRig(t)
  const order = {appID: 'order', appDirPath: 'order', autoPort: true}
  await rig.template([{appID: 'shop', command: []}, order, order])
  const run = rig.pillion(['run', '-f', '.'])
  const {http: shop} = await run.ports('shop')
  const lives = [await rig.driven('order'), await rig.driven('order')]
  for (const life of lives) {
    await life.answer({body: life.pid.toString()})
    await life.listen()
  }
  const asked = async (): Promise<string> => (await fetch(`http://127.0.0.1:${shop}${METHOD}`)).text()
  const answers = new Set<string>()
  while (answers.size < 2) answers.add(await asked())
  t.same(answers, new Set(lives.map(({pid}) => pid.toString())))

  const restart = rig.run(['restart', '--app-id', 'order'])
  const fresh = await rig.driven('order')
  await fresh.exit(3)
  t.match(await restart, {code: 0})
  t.match(
    await run.waitForLine('keeps its process', {stream: 'stderr'}),
    '"order" did not become ready: "order.2" keeps its process'
  )
  const [left] = (await rowsOf(rig)).filter(({appId, instance}) => appId === 'order' && instance === 2)
  t.same([await asked(), await asked()], [left?.appPid.toString(), left?.appPid.toString()])
})

t.test('a restart is answered when the new process is not ready in time; the others follow once it is', async t => {
  const rig = await openRig(t)
  const ready = {timeout: '500ms'}
  const order = {appID: 'order', appDirPath: 'order', autoPort: true, ready}
  await rig.template([order, order])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('order')
  for (const life of [await rig.driven('order'), await rig.driven('order')]) await life.listen()
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})

  const restart = rig.run(['restart', '--app-id', 'order'])
  const fresh = await rig.driven('order')
  t.match(await restart, {code: 0})
  t.match(
    await run.waitForLine('keeps its process', {stream: 'stderr'}),
    '"order.2" keeps its process until "order" is ready'
  )
  await fresh.listen()
  await (await rig.driven('order')).listen()
})

t.test('a restart with overlap is answered when the new process never gets ready; the old one goes on', async t => {
  const rig = await openRig(t)
  const times = {ready: {timeout: '500ms'}, stop: {timeout: '500ms'}}
  await rig.template([{appID: 'order', appDirPath: 'order', autoPort: true, reload: 'overlap', ...times}])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('order')
  const old = await rig.driven('order')
  await old.answer({body: 'old'})
  await old.listen()
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  const restart = rig.run(['restart', '--app-id', 'order'])
  await rig.driven('order')
  t.match(await restart, {code: 0})
  t.equal(await (await fetch(`http://127.0.0.1:${http}${METHOD}`)).text(), 'old')
})

t.test('a restart with overlap says why the old process goes on', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'order', appDirPath: 'order', autoPort: true, reload: 'overlap'}])
  rig.pillion(['run', '-f', '.'])
  await (await rig.driven('order')).listen()
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  const restart = rig.run(['restart', '--app-id', 'order'])
  await (await rig.driven('order')).exit(3)
  const why = 'the new process of "order" exited with code 3: the old process continues'
  t.match(await restart, {code: 1, stdout: '', stderr: `failed to restart app id order: ${why}`})
  const again = rig.run(['restart', '--app-id', 'order'])
  await (await rig.driven('order')).listen()
  t.match(await again, {code: 0})
})

t.test('a process that starts beside the old one listens at a number that no app has, asleep or not', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'order', appDirPath: 'order', autoPort: true, reload: 'overlap'}])
  const run = rig.pillion(['run', '-f', '.'])
  const own = ownAppPorts((await run.ports('order')).http)
  for (let times = 0; times < 4; times++) {
    const restart = times === 0 ? undefined : rig.run(['restart', '--app-id', 'order'])
    const port = await (await rig.driven('order')).listen()
    // its sidecar has another number if its own was taken
    t.ok(own.length === 0 || own.includes(port))
    await restart
    t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  }
})
