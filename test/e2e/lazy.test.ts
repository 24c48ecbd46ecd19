import t from 'tap'
import type * as Api from '../../src/model/api.generated.ts'
import {appsOf, recordedCalls} from '../rig/control-socket.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {openShop, invoke, stateOf, APP} from '../rig/lazy-shop.ts'

t.test('a lazy app has no process until its first call, which waits for one', async t => {
  const {rig, run, port} = await openShop(t, [{appID: 'stock', autoPort: true, lazy: true}])
  await run.waitForLine('App id "stock" starts with its first call. HTTP Port: ')
  t.match(
    (await appsOf(rig)).find(({id}) => id === 'stock'),
    {state: 'asleep', availability: 'asleep', isReady: false, pid: 0}
  )
  t.match((await rig.run(['ps'])).stdout, /stock +asleep/)
  t.match((await rig.run(['graph'])).stdout, '◌ asleep: stock')
  t.match(JSON.parse((await rig.run(['graph', '-o', 'json'])).stdout), {apps: ['shop', 'stock'], asleep: ['stock']})
  t.equal((await rig.run(['wait', '--for', 'ready'])).code, 0)
  t.equal((await rig.run(['wait', '--for', 'idle:50ms'])).code, 0)
  const answers = await Promise.all([1, 2, 3].map(async each => invoke(port, 'stock', `/${each}`)))
  t.same(
    answers.map(({status}) => status),
    [200, 200, 200]
  )
  const pids = await Promise.all(answers.map(async each => ((await each.json()) as {pid: number}).pid))
  t.equal(new Set(pids).size, 1, 'one process for all of them')
  await run.waitForLine('stock: woken by shop: GET /')
  t.match(await appsOf(rig), [{}, {id: 'stock', state: 'running', isReady: true}])
  const marked = (await recordedCalls(rig, 'to:stock')).filter(({marks}) => marks.includes('woke'))
  t.equal(marked.length, 1, 'the one that has started it is marked')
  t.match(marked[0]?.waitedFor, ['"stock" is asleep'])
})

t.test('calls, trace and events say what has started an app, and how long that took', async t => {
  const {rig, run, port} = await openShop(t, [{appID: 'stock', autoPort: true, lazy: true}])
  t.equal((await invoke(port, 'stock', '/items')).status, 200)
  await run.waitForLine('stock: woken')
  const events = await rig.run(['events', '--types', 'woken', '-o', 'ndjson'])
  const {data} = JSON.parse(events.stdout.trim().split('\n').at(-1) ?? '') as Extract<Api.Event, {type: 'woken'}>
  t.match(data, {app: 'stock', name: 'stock', cause: 'shop: GET /items'})
  t.match((await rig.run(['events'])).stdout, /^\S+ {2}stock {2}was woken in \d+ ms by shop: GET \/items$/m)
  const [call] = await recordedCalls(rig, 'to:stock')
  t.match(call, {marks: ['woke'], path: '/items', waitedFor: ['"stock" is asleep']})
  t.ok(data.tookMs > 0 && (call?.waitedMs ?? 0) > 0, 'both know how long')
  t.match((await rig.run(['calls', 'to:stock'])).stdout, /woke/)
  const {stdout} = await rig.run(['trace', (call?.number ?? 0).toString()])
  t.match(stdout, /shop → stock +GET \/items +200 .* waited [\d.]+ m?s, woke/)
})

t.test('a call at the port of a lazy app starts it', async t => {
  const port = await freePort()
  const {run} = await openShop(t, [{appID: 'web', port, lazy: true}])
  await run.waitForLine('App id "web" starts with its first call')
  const answer = await fetch(`http://127.0.0.1:${port}/page`)
  t.match(await answer.json(), {path: '/page'})
})

t.test('the callers of an app that fails to start get the reason; the next call tries again', async t => {
  const {rig, port} = await openShop(t, [{appID: 'stock', autoPort: true, lazy: true}])
  await rig.write({'stock/broken': ''})
  const failed = await invoke(port, 'stock')
  t.equal(failed.status, 500)
  t.match(await failed.text(), /exited with code 3 .*no database/s)
  t.match((await rig.run(['ps'])).stdout, /stock +asleep/)
  await rig.run(['exec', 'shop', '--', 'rm', '../stock/broken'])
  t.equal((await invoke(port, 'stock')).status, 200)
})

t.test('an app starts the lazy ones that it depends on, before itself', async t => {
  const {rig, run, port} = await openShop(t, [
    {appID: 'web', autoPort: true, lazy: true, dependsOn: ['api']},
    {appID: 'api', autoPort: true, lazy: true, dependsOn: ['db']},
    {appID: 'db', autoPort: true, lazy: true},
    {appID: 'eager', autoPort: true, dependsOn: ['cache']},
    {appID: 'cache', autoPort: true, lazy: true}
  ])
  await run.waitForLine('Started Dapr with app id "eager"')
  t.equal(await stateOf(rig, 'cache'), 'running')
  t.equal(await stateOf(rig, 'db'), 'asleep')
  t.equal((await invoke(port, 'web')).status, 200)
  t.equal(await stateOf(rig, 'db'), 'running')
  await run.waitForLine('db: woken by "api" depends on it')
})

t.test('an app that is idle falls asleep, and its next call starts it', async t => {
  const {rig, run, port} = await openShop(t, [{appID: 'stock', autoPort: true, idleTimeout: '300ms'}])
  await run.waitForLine('stock: asleep, nothing was under way for')
  t.equal(await stateOf(rig, 'stock'), 'asleep')
  const slow = await invoke(port, 'stock', '/slow')
  t.equal(await slow.text(), 'slow', 'a call is under way for longer than the time')
  await run.waitForLine('stock: asleep', {nth: 2})
  t.equal((await invoke(port, 'stock')).status, 200)
  t.equal((await rig.run(['stop', '-f', '.'])).code, 0)
})

t.test('a save and an edit of an app that is asleep leave it asleep', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const apps = (more: object): Parameters<Rig['template']>[0] => [
    {appID: 'shop', daprHTTPPort: port, command: ['sleep', '1000']},
    {appID: 'stock', autoPort: true, lazy: true, watch: ['*.mjs'], command: ['node', 'app.mjs'], ...more}
  ]
  await rig.template(apps({}))
  await rig.write({'stock/app.mjs': APP})
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await run.waitForLine('App id "stock" starts with its first call')
  await rig.write({'stock/app.mjs': `${APP}// saved`})
  await rig.template(apps({env: {A: '1'}}))
  await run.waitForLine('edit of the template: changed stock')
  t.equal((await rig.run(['wait', '--for', 'idle:100ms'])).code, 0)
  t.equal(await stateOf(rig, 'stock'), 'asleep')
  t.equal((await invoke(port, 'stock')).status, 200)
  await rig.template(apps({env: {A: '1'}, lazy: false}))
  await run.waitForLine('edit of the template: changed stock', {nth: 2})
  t.equal((await invoke(port, 'stock')).status, 200)
})
