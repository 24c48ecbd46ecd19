import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const BRIEF = join(import.meta.dirname, '../fixtures/apps/brief.mjs')

const CHECKED = {
  enableAppHealthCheck: true,
  appHealthCheckPath: '/health',
  appHealthProbeInterval: 1,
  appHealthThreshold: 1
}

interface Shop {
  readonly rig: Rig
  readonly run: Program
  /** The process that takes calls; it answers each with "old". */
  readonly old: Driven
  /** What a call through the sidecar of another app is answered with. */
  readonly ask: () => Promise<string>
}

/** An app that overlaps, and takes calls already. */
async function openShop(t: Test, wishes: Readonly<Record<string, unknown>>): Promise<Shop> {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true, watch: true, reload: 'overlap', ...wishes},
    {appID: 'shop', command: []}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [old, {http}] = await Promise.all([rig.driven('stock'), run.ports('shop')])
  await old.answer({body: 'old'})
  await old.listen()
  const ask = async (): Promise<string> => (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method/x`)).text()
  t.equal(await ask(), 'old')
  return {rig, run, old, ask}
}

t.test('with overlap and health checks the new process takes over when it is healthy, and not before', async t => {
  const {rig, run, old, ask} = await openShop(t, CHECKED)
  await rig.write({'stock/app.js': '1'})
  const next = await rig.driven('stock')
  await next.listen()
  for (const look of [1, 2, 3]) {
    const probe = await next.nextRequest()
    t.match(probe, {method: 'GET', url: '/health'})
    t.equal(await ask(), 'old', `after look ${look}`)
    await probe.reply({status: 503, body: 'not yet'})
  }
  const probe = await next.nextRequest()
  await next.answer({body: 'new'})
  await probe.reply()
  t.match(await run.waitForLine('stock: reloaded'), /, 0 requests held, 0 lost$/)
  t.equal(await ask(), 'new')
  await old.closed
  t.equal(run.stderr.text, '')
})

t.test('a new process that is not healthy in its time does not take over, and the old one goes on', async t => {
  const {rig, run, ask} = await openShop(t, {...CHECKED, ready: {timeout: '5s'}})
  await rig.write({'stock/app.js': '1'})
  const ill = await rig.driven('stock')
  await ill.answer({status: 503})
  await ill.listen()
  await run.waitForLine('the new process of "stock" was not healthy within 5 s: the old process continues', {
    stream: 'stderr'
  })
  await ill.closed
  t.equal(await ask(), 'old')
  t.notMatch(run.stdout.text, /reloaded/)
  await rig.write({'stock/app.js': '2'})
  const healthy = await rig.driven('stock')
  await healthy.answer({body: 'new'})
  await healthy.listen()
  await run.waitForLine('stock: reloaded')
  t.equal(await ask(), 'new')
  t.equal(run.stderr.lines.length, 1)
})

t.test('a new process that ends before it is healthy does not take over, and the old one goes on', async t => {
  const {rig, run, ask} = await openShop(t, CHECKED)
  await rig.write({'stock/app.js': '1'})
  const failing = await rig.driven('stock')
  await failing.listen()
  await failing.nextRequest()
  await failing.exit(3)
  await run.waitForLine('the new process of "stock" exited with code 3: the old process continues', {stream: 'stderr'})
  t.equal(await ask(), 'old')
})

t.test('a save while the new process is not healthy yet is not waited out: the next one starts', async t => {
  const {rig, run, ask} = await openShop(t, CHECKED)
  await rig.write({'stock/app.js': '1'})
  const ill = await rig.driven('stock')
  await ill.answer({status: 503})
  await ill.listen()
  await rig.write({'stock/app.js': '2'})
  const healthy = await rig.driven('stock')
  await ill.closed
  await healthy.answer({body: 'new'})
  await healthy.listen()
  await run.waitForLine('stock: reloaded')
  t.equal(await ask(), 'new')
  t.equal(run.stderr.text, '')
})

for (const [how, wishes] of [
  ['', {}],
  [' that is healthy', CHECKED]
] as const)
  t.test(`a new process${how} takes over also where the old one has died meanwhile`, async t => {
    const {rig, run, old, ask} = await openShop(t, wishes)
    await rig.write({'stock/app.js': '1'})
    const next = await rig.driven('stock')
    await old.exit(3)
    await run.waitForLine(/"stock" exited with code 3.*, waits for a save/, {stream: 'stderr'})
    await next.answer({body: 'new'})
    await next.listen()
    await run.waitForLine('stock: reloaded')
    t.equal(await ask(), 'new')
  })

t.test('where the old process has died, and the new one dies, too, the next change starts one', async t => {
  const {rig, run, old, ask} = await openShop(t, {})
  await rig.write({'stock/app.js': '1'})
  const failing = await rig.driven('stock')
  await old.exit(3)
  await run.waitForLine(/"stock" exited with code 3.*, waits for a save/, {stream: 'stderr'})
  await failing.exit(4)
  await run.waitForLine(/the new process of "stock" exited with code 4$/, {stream: 'stderr'})
  t.match(await ask(), /exited with code 3 at .* and waits for a save/)
  await rig.write({'stock/app.js': '2'})
  const next = await rig.driven('stock')
  await next.answer({body: 'new'})
  await next.listen()
  await run.waitForLine('stock: reloaded')
  t.equal(await ask(), 'new')
})

/** Saves the file of an app that says what it holds, under a call: the line of the reload, and what is answered then. */
async function saveOnce(
  t: Test,
  wishes: Readonly<Record<string, unknown>>,
  common: Readonly<Record<string, unknown>> = {}
): Promise<{readonly line: string; readonly warnings: string}> {
  const rig = await openRig(t)
  await rig.write({'order/app.txt': '0'})
  const command = [process.execPath, BRIEF]
  const env = {STARTS_FILE: join(rig.home, 'starts')}
  await rig.template([{appID: 'order', watch: ['app.txt'], command, env, ...wishes}], common)
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('order')
  const ask = async (): Promise<string> => (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/order/method/`)).text()
  t.equal(await ask(), '0')
  await rig.write({'order/app.txt': '1'})
  const line = await run.waitForLine('order: reloaded')
  t.equal(await ask(), '1')
  return {line, warnings: run.stderr.text}
}

t.test('said in common, overlap counts for apps without a fixed port alone', async t => {
  const appPort = await freePort()
  t.match(await saveOnce(t, {appPort}, {reload: 'overlap'}), {warnings: ''})
})

t.test('a service whose code has a fixed port, and which is given another one, overlaps', async t => {
  t.match(await saveOnce(t, {reload: 'overlap', fixedPort: 8000}), {line: /, 0 requests held, 0 lost$/, warnings: ''})
})

t.test('an app that asks for overlap at a port of its own is refused, with what to write', async t => {
  for (const wishes of [{appPort: 1}, {appPort: 1, fixedPort: 8000}]) {
    const rig = await openRig(t)
    await rig.template([{appID: 'order', reload: 'overlap', ...wishes}])
    const {code, stdout, stderr} = await rig.run(['run', '-f', '.'])
    t.equal(code, 1)
    t.match(stdout + stderr, /overlap needs a port that can change with each start[^]*write autoPort: true in place of/)
  }
})
