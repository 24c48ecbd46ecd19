import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {respClient} from '../rig/resp.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import type {Program} from '../rig/program.ts'
import {writeWorktrees} from '../rig/worktrees.ts'
import {publish, subscribed} from '../e2e/pubsub-shop.ts'

interface Copy {
  readonly folder: string
  readonly run: Program
  readonly shop: Driven
}

/** A rig with two worktrees of a template that keeps state and sends events by a Redis at this port. */
async function openWorktrees(t: Test, port: number): Promise<Rig> {
  const rig = await openRig(t)
  const redis = {redisHost: `localhost:${port}`}
  const app = {appID: 'shop', appDirPath: '.', autoPort: true, command: rig.drivenCommand, resourcesPath: './resources'}
  const stock = {...app, appID: 'stock', resourcesPath: '../resources'}
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, apps: [app]}),
    'stock/dapr.yaml': JSON.stringify({version: 1, apps: [stock]}),
    'resources/bus.yaml': component('bus', 'pubsub.redis', {...redis, concurrency: '1'}),
    'resources/store.yaml': component('store', 'state.redis', redis)
  })
  return rig
}

async function start(rig: Rig, folder: string, args: readonly string[] = []): Promise<Copy> {
  const run = rig.pillion(['up', ...args], {folder})
  const shop = await rig.driven(folder.endsWith('stock') ? 'stock' : 'shop')
  await shop.subscribe([{pubsubname: 'bus', topic: 'orders', route: '/orders'}])
  await shop.listen()
  await subscribed(shop, 1)
  return {folder, run, shop}
}

const stateOf = async ({shop}: Copy): Promise<string> => (await shop.fetch('/v1.0/state/store/who')).body

async function remember({shop}: Copy, who: string): Promise<void> {
  await shop.fetch('/v1.0/state/store', {method: 'POST', body: JSON.stringify([{key: 'who', value: who}])})
}

/** Writes the keys of the Redis at a port to its file. */
async function save(port: string): Promise<void> {
  const client = await respClient(Number(port))
  await client.call('SAVE')
  client.close()
}

/** What a copy has published comes back to it, in its order, and nothing else does. */
async function exchange(t: Test, ...copies: readonly Copy[]): Promise<void> {
  const COUNT = 3
  for (let count = 1; count <= COUNT; count++)
    for (const {folder, shop} of copies) await publish(shop, 'bus/orders', JSON.stringify(`${folder} ${count}`))
  for (const {folder, shop} of copies)
    for (let count = 1; count <= COUNT; count++) {
      const event = await shop.nextRequest()
      t.match(JSON.parse(event.body), {data: `${folder} ${count}`})
      await event.reply()
    }
}

t.test('worktrees share no event and no key, in whatever order they start, after kill -9, too', async t => {
  const port = await freePort()
  const rig = await openWorktrees(t, port)
  let main = await start(rig, 'main')
  let pr = await start(rig, 'pr')
  const told = await pr.run.waitForLine('a Redis of its own', {stream: 'stderr'})
  const [, own = ''] =
    /components find it at localhost:(\d+) in place of localhost:\d+ \(keys in .*\/copies\/pr-/.exec(told) ?? []
  await exchange(t, main, pr)
  t.equal(await stateOf(pr), '')
  await remember(main, 'main')
  await remember(pr, 'pr')
  t.same([await stateOf(main), await stateOf(pr)], ['"main"', '"pr"'])
  await save(own)
  pr.run.signal('SIGKILL')
  await pr.shop.closed
  pr = await start(rig, 'pr')
  t.equal(await stateOf(pr), '"pr"')
  await exchange(t, main, pr)
  for (const {run} of [main, pr]) run.signal('SIGINT')
  await Promise.all([main.run.exited, pr.run.exited])
  pr = await start(rig, 'pr')
  t.equal(await stateOf(pr), '"pr"', 'alone, too')
  main = await start(rig, 'main')
  t.same([await stateOf(main), await stateOf(pr)], ['"main"', '"pr"'])
  await exchange(t, main, pr)
})

t.test('a Redis that is an app of the template: each copy has its own, whichever starts first', async t => {
  const port = await freePort()
  const rig = await openRig(t)
  const redis = {
    appID: 'redis',
    appDirPath: '.',
    command: [...rig.program, 'redis', port.toString()],
    env: {PILLION_REDIS: 'memory'},
    ready: {tcp: port}
  }
  const app = {appDirPath: '.', autoPort: true, command: rig.drivenCommand, resourcesPath: './resources'}
  const shop = {...app, appID: 'shop', dependsOn: ['redis']}
  await writeWorktrees(rig, {
    'dapr.yaml': JSON.stringify({version: 1, apps: [redis, shop]}),
    'resources/bus.yaml': component('bus', 'pubsub.redis', {redisHost: `localhost:${port}`, concurrency: '1'}),
    'resources/store.yaml': component('store', 'state.redis', {redisHost: '127.0.0.1', redisPort: port.toString()})
  })
  for (const [first, second] of [
    ['main', 'pr'],
    ['pr', 'main']
  ] as const) {
    const copies = [await start(rig, first), await start(rig, second)]
    const [, run] = copies
    t.match(
      await run?.run.waitForLine('other ports', {stream: 'stderr'}),
      new RegExp(`has its ports: redis ${port} → \\d+`)
    )
    for (const copy of copies) await remember(copy, copy.folder)
    t.same(await Promise.all(copies.map(stateOf)), [`"${first}"`, `"${second}"`])
    await exchange(t, ...copies)
    for (const {run: each} of copies) each.signal('SIGINT')
    for (const {run: each} of copies) await each.exited
    for (const {run: each} of copies)
      t.notMatch(each.stderr.text, /a Redis of its own|the same data|Pillion serves one/)
  }
})

t.test('runs of one worktree share its Redis, and one goes on where the other is killed', async t => {
  const port = await freePort()
  const rig = await openWorktrees(t, port)
  const main = await start(rig, 'main')
  const shop = await start(rig, 'pr')
  const stock = await start(rig, 'pr/stock')
  await publish(shop.shop, 'bus/orders', '"pr"')
  for (const app of [shop.shop, stock.shop]) {
    const event = await app.nextRequest()
    t.match(JSON.parse(event.body), {data: 'pr'})
    await event.reply()
  }
  shop.run.signal('SIGKILL')
  await stock.run.waitForLine('a Redis of its own', {stream: 'stderr'})
  await exchange(t, main, stock)
})

t.test('runs of one folder with two names share no key', async t => {
  const rig = await openWorktrees(t, await freePort())
  const plain = await start(rig, 'main')
  const named = await start(rig, 'main', ['--name', 'try'])
  await remember(plain, 'plain')
  t.equal(await stateOf(named), '')
  await remember(named, 'named')
  t.same([await stateOf(plain), await stateOf(named)], ['"plain"', '"named"'])
})

t.test('two names in one folder have one file of SQLite, which is said', async t => {
  const rig = await openRig(t)
  const app = {appID: 'shop', autoPort: true, resourcesPath: '../resources'}
  await rig.write({'resources/store.yaml': component('store', 'state.sqlite', {connectionString: 'data.db'})})
  const open = async (args: readonly string[]): Promise<Copy> => {
    const run = rig.pillion(['up', ...args])
    const shop = await rig.driven('shop')
    await shop.listen()
    return {folder: '.', run, shop}
  }
  await rig.template([app])
  const [plain, named] = [await open([]), await open(['--name', 'try'])]
  await remember(plain, 'plain')
  t.equal(await stateOf(named), '"plain"')
  t.match(
    await named.run.waitForLine('the same data', {stream: 'stderr'}),
    /store \(state\.sqlite at \/.*\/shop\/data\.db\): .*: make the server an app of the template, or give each copy a database of its own: interpolate: true/
  )
})

t.test('a plain copy of a folder that uses the same server says so', {skip: skipWithoutRedis}, async t => {
  const rig = await openRig(t)
  const {port} = await realRedis(t)
  const app = {appID: 'shop', appDirPath: '.', autoPort: true, command: rig.drivenCommand, resourcesPath: './resources'}
  for (const folder of ['one', 'two'])
    await rig.write({
      [`${folder}/dapr.yaml`]: JSON.stringify({version: 1, apps: [app]}),
      [`${folder}/resources/store.yaml`]: component('store', 'state.redis', {redisHost: `localhost:${port}`})
    })
  rig.pillion(['up'], {folder: 'one'})
  await (await rig.driven('shop')).listen()
  const second = rig.pillion(['up'], {folder: 'two'})
  const line = await second.waitForLine(/uses? the same data/, {stream: 'stderr'})
  t.match(line, /Its template has the same text: give this one a name of its own \(--name\)/)
})
