import t, {type Test} from 'tap'
import type * as Api from '../../src/model/api.generated.ts'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

interface Shop {
  readonly rig: Rig
  readonly run: Program
  /** Saves the template with these keys of `stock`, and waits until it is read. */
  readonly edit: (keys: object) => Promise<void>
  /** Waits until nothing goes on. */
  readonly rest: () => Promise<void>
  /** Calls `stock` through the sidecar of another app. */
  readonly call: (path?: string) => Promise<Response>
  readonly state: () => Promise<string>
}

/** A template whose `stock` is lazy, beside a sidecar. */
async function openShop(t: Test, keys: object): Promise<Shop> {
  const rig = await openRig(t)
  const port = await freePort()
  const write = async (more: object): Promise<void> =>
    rig.template([
      {appID: 'shop', daprHTTPPort: port, command: ['sleep', '1000']},
      {appID: 'stock', autoPort: true, ...more}
    ])
  await write(keys)
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await run.waitForLine('Started Dapr with app id "shop"')
  let edits = 0
  return {
    rig,
    run,
    edit: async more => {
      await write(more)
      await run.waitForLine('edit of the template: ', {nth: ++edits})
    },
    rest: async () => void (await rig.run(['wait', '--for', 'idle:50ms'])),
    call: async (path = '/') => fetch(`http://127.0.0.1:${port}/v1.0/invoke/stock/method${path}`),
    state: async () => {
      const {stdout} = await rig.run(['ps', 'stock', '-o', 'json'])
      return (JSON.parse(stdout) as readonly Api.App[])[0]?.state ?? ''
    }
  }
}

/** The next process of `stock`, which answers from now on. */
async function served({rig}: Shop): Promise<Driven> {
  const stock = await rig.driven('stock')
  await stock.answer({body: 'here'})
  await stock.listen()
  return stock
}

t.test('edits of an app that is asleep: it sleeps on as long as it may, and starts once it may not', async t => {
  const shop = await openShop(t, {lazy: true})
  for (const keys of [
    {lazy: true, idleTimeout: '60m'},
    {lazy: true, idleTimeout: '120m', env: {A: '1'}},
    {idleTimeout: '120m', env: {A: '1'}},
    {lazy: true, env: {A: '2'}, appMaxConcurrency: 3}
  ]) {
    await shop.edit(keys)
    await shop.rest()
    t.equal(await shop.state(), 'asleep', JSON.stringify(keys))
  }
  const call = shop.call()
  const first = await served(shop)
  t.equal(first.env['A'], '2', 'its first process has what was saved last')
  t.equal(await (await call).text(), 'here')
  const edited = shop.edit({env: {A: '3'}})
  const second = await served(shop)
  await Promise.all([edited, first.closed])
  t.equal(second.env['A'], '3')
  const lazyAgain = shop.edit({env: {A: '3'}, lazy: true})
  await Promise.all([lazyAgain, second.closed])
  await shop.rest()
  t.equal(await shop.state(), 'asleep', 'lazy as from the start of a run')
  const eager = shop.edit({env: {A: '4'}})
  t.equal((await served(shop)).env['A'], '4', 'nothing has called it')
  await eager
})

/** Calls an app, which starts its three instances with the edit. */
async function hasEdit(t: Test, shop: Shop): Promise<void> {
  const call = shop.call()
  const all = [await served(shop), await served(shop), await served(shop)]
  t.same([...new Set(all.map(({env}) => env['A']))], ['1'])
  t.equal(await (await call).text(), 'here')
}

t.test('an edit of an app that is asleep is for all its instances', async t => {
  const shop = await openShop(t, {lazy: true, replicas: 3})
  await shop.edit({lazy: true, replicas: 3, env: {A: '1'}})
  await shop.rest()
  await hasEdit(t, shop)
  t.notMatch(shop.run.stdout.text + shop.run.stderr.text, 'did not become ready')
})

t.test('an edit of an app that has failed to start is for its instances that have not been started, too', async t => {
  const shop = await openShop(t, {lazy: true})
  const fails = shop.call()
  await (await shop.rig.driven('stock')).exit(3)
  t.equal((await fails).status, 500)
  await shop.edit({lazy: true, replicas: 3})
  const edited = shop.edit({lazy: true, replicas: 3, env: {A: '1'}})
  const again = await shop.rig.driven('stock')
  t.equal(again.env['A'], '1', 'the one that has failed tries again')
  await again.exit(3)
  await edited
  await shop.rest()
  await hasEdit(t, shop)
  t.notMatch(shop.run.stdout.text + shop.run.stderr.text, 'keep their processes')
})

t.test('an instance that kept its process, as another did not start, has the edit after its sleep', async t => {
  const shop = await openShop(t, {lazy: true, replicas: 2})
  const first = shop.call()
  const before = [await served(shop), await served(shop)]
  t.equal(await (await first).text(), 'here')
  const edited = shop.edit({lazy: true, idleTimeout: '300ms', replicas: 2, env: {A: '1'}})
  const failing = await shop.rig.driven('stock')
  t.equal(failing.env['A'], '1')
  await failing.exit(3)
  await edited
  await shop.run.stderr.line('keeps its process')
  await Promise.all(before.map(async ({closed}) => closed))
  const call = shop.call()
  const all = [await served(shop), await served(shop)]
  t.same(
    all.map(({env}) => env['A']),
    ['1', '1']
  )
  t.equal(await (await call).text(), 'here')
})

t.test('an app that runs falls asleep after the idleTimeout that an edit gives it', async t => {
  const shop = await openShop(t, {lazy: true})
  const call = shop.call()
  const stock = await served(shop)
  t.equal(await (await call).text(), 'here')
  await shop.edit({lazy: true, idleTimeout: '300ms'})
  await Promise.all([stock.closed, shop.run.waitForLine('stock: asleep, nothing was under way')])
})

t.test('an app that an edit adds is asleep, too', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const shop = {appID: 'shop', daprHTTPPort: port, command: ['sleep', '1000']}
  await rig.template([shop])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await run.waitForLine('Started Dapr with app id "shop"')
  await rig.template([shop, {appID: 'stock', autoPort: true, lazy: true}])
  await run.waitForLine('App id "stock" starts with its first call')
  const call = fetch(`http://127.0.0.1:${port}/v1.0/invoke/stock/method/`)
  const stock = await rig.driven('stock')
  await stock.answer({body: 'here'})
  await stock.listen()
  t.equal(await (await call).text(), 'here')
})

t.test('edits while it boots lose no call that waits: one of its sleep leaves the process alone', async t => {
  const shop = await openShop(t, {lazy: true, idleTimeout: '60m'})
  const calls = [shop.call('/1')]
  const booting = await shop.rig.driven('stock')
  await shop.edit({lazy: true, idleTimeout: '120m'})
  calls.push(shop.call('/2'))
  await booting.answer({body: 'first'})
  await booting.listen()
  t.same(await Promise.all(calls.map(async call => (await call).text())), ['first', 'first'])
  await shop.edit({lazy: true, idleTimeout: '300ms'})
  await shop.run.waitForLine('stock: asleep')
  const late = [shop.call('/3')]
  const replaced = await shop.rig.driven('stock')
  const edited = shop.edit({})
  await replaced.closed
  late.push(shop.call('/4'))
  await served(shop)
  t.same(
    await Promise.all(late.map(async call => (await call).text())),
    ['here', 'here'],
    'that may not sleep any more'
  )
  await edited
  await shop.rest()
  t.equal(await shop.state(), 'running')
})

const FALLS = {lazy: true, idleTimeout: '300ms', stop: {timeout: '60s'}}

for (const [what, keys] of [
  ['the same sleep', FALLS],
  ['a longer sleep', {...FALLS, idleTimeout: '60m'}],
  ['none', {stop: FALLS.stop}]
] as const)
  t.test(`an edit while it falls asleep, to ${what}: the next process has it, and no call is lost`, async t => {
    const shop = await openShop(t, FALLS)
    const before = shop.call()
    const falling = await shop.rig.driven('stock')
    await falling.catchSignal('SIGTERM')
    await falling.answer({body: 'before'})
    await falling.listen()
    t.equal(await (await before).text(), 'before')
    await falling.nextSignal()
    t.equal(await shop.state(), 'stopping')
    await shop.edit({...keys, env: {A: '1'}})
    const waits = [shop.call('/1'), shop.call('/2')]
    await falling.exit(0)
    const next = await served(shop)
    t.equal(next.env['A'], '1')
    t.same(await Promise.all(waits.map(async call => (await call).text())), ['here', 'here'])
    await shop.rest()
    if (keys === FALLS) await shop.run.waitForLine('stock: asleep')
    else t.equal(await shop.state(), 'running')
  })

t.test('an instance that has crashed does not keep the others awake', async t => {
  const shop = await openShop(t, {lazy: true, idleTimeout: '300ms', replicas: 2})
  const call = shop.call()
  const both = [await shop.rig.driven('stock'), await shop.rig.driven('stock')]
  for (const each of both) {
    await each.answer({body: 'here'})
    await each.listen()
  }
  t.equal(await (await call).text(), 'here')
  await both[0]?.exit(3)
  await Promise.all(both.map(async ({closed}) => closed))
  await shop.run.waitForLine(/stock(\.2)?: asleep/)
})

t.test('an app on which another one depends is awake while that waits and runs', async t => {
  const rig = await openRig(t)
  const sleepy = {autoPort: true, lazy: true, idleTimeout: '300ms'}
  await rig.template([
    {appID: 'web', dependsOn: ['stock', 'slow']},
    {appID: 'slow', autoPort: true},
    {appID: 'stock', ...sleepy},
    {appID: 'other', ...sleepy}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [slow, stock] = [await rig.driven('slow'), await rig.driven('stock')]
  await stock.listen()
  await run.waitForLine('stock: woken by "web" depends on it')
  const started = rig.run(['start', 'other'])
  await (await rig.driven('other')).listen()
  await started
  await run.waitForLine('other: asleep')
  await slow.listen()
  const web = await rig.driven('web')
  await web.exit(0)
  await stock.closed
  t.equal(run.stdout.lines.filter(line => line.includes('stock: woken')).length, 1)
})

t.test('an app that an edit adds tries one again that it depends on and that has failed', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const shop = {appID: 'shop', daprHTTPPort: port, command: ['sleep', '1000']}
  const stock = {appID: 'stock', autoPort: true, lazy: true}
  await rig.template([shop, stock])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await run.waitForLine('App id "stock" starts with its first call')
  const call = fetch(`http://127.0.0.1:${port}/v1.0/invoke/stock/method/`)
  await (await rig.driven('stock')).exit(3)
  t.equal((await call).status, 500)
  await rig.template([shop, stock, {appID: 'web', dependsOn: ['stock']}])
  await (await rig.driven('stock')).listen()
  await rig.driven('web')
})
