import t from 'tap'
import type * as Api from '../../src/model/api.generated.ts'
import {appsOf, recordedCalls} from '../rig/control-socket.ts'
import {openShop, invoke, stateOf} from '../rig/lazy-shop.ts'

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

t.test('an app stays awake while an app that depends on it is awake', async t => {
  const {rig, run, port} = await openShop(t, [
    {appID: 'db', autoPort: true, idleTimeout: '300ms'},
    {appID: 'api', autoPort: true, dependsOn: ['db']},
    {appID: 'other', autoPort: true, idleTimeout: '300ms', dependsOn: {api: 'ready'}}
  ])
  await run.waitForLine('other: asleep')
  t.equal((await invoke(port, 'other')).status, 200)
  await run.waitForLine('other: asleep', {nth: 2})
  t.equal(await stateOf(rig, 'db'), 'running')
  t.equal((await rig.run(['stop', '--app-id', 'api'])).code, 0)
  await run.waitForLine('db: asleep')
})

t.test('why names a dependency that has ended and is asleep', async t => {
  const {rig, run, port} = await openShop(t, [
    {appID: 'db', autoPort: true, lazy: true},
    {appID: 'api', autoPort: true, dependsOn: ['db']}
  ])
  await run.waitForLine('Started Dapr with app id "api"')
  const {pid} = (await (await invoke(port, 'db')).json()) as {pid: number}
  process.kill(pid, 'SIGKILL')
  await run.waitForLine('"db" was ended by SIGKILL', {stream: 'stderr'})
  const {stdout} = await rig.run(['why', 'api'])
  t.match(stdout, /"api" depends on "db", which is asleep: "db" was ended by SIGKILL/)
})
