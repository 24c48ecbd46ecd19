import t from 'tap'
import {appsOf} from '../rig/control-socket.ts'
import {ask, managerOf} from '../rig/manager.ts'
import {openRig} from '../rig/rig.ts'
import {openShop, invoke, stateOf, APP} from '../rig/lazy-shop.ts'

t.test('debug and env of an instance print its own port', async t => {
  const {rig} = await openShop(t, [{appID: 'stock', autoPort: true, lazy: true, replicas: 2}])
  const ports = (await appsOf(rig)).filter(({id}) => id === 'stock').map(({appPort}) => appPort)
  t.equal(new Set(ports).size, 2)
  const debugged = await rig.run(['debug', 'stock.2'])
  t.match(debugged, {code: 0, stdout: `export APP_PORT=${ports[1] ?? 0}\n`, stderr: `listens on port ${ports[1] ?? 0}`})
  t.match((await rig.run(['env', 'stock.1'])).stdout, `export APP_PORT=${ports[0] ?? 0}\n`)
})

t.test('a call of one version of a service starts that one, not the main version', async t => {
  const rig = await openRig(t)
  const stock = {appID: 'stock', autoPort: true, lazy: true, command: ['node', '../app.mjs']}
  const versions = ['1.0.0', '2.0.0'].map(version => ({...stock, version, appDirPath: version}))
  await rig.template([...versions, {appID: 'shop', command: ['sleep', '1000']}], {}, {managerPort: 0})
  await rig.write({'app.mjs': APP})
  const manager = await managerOf(rig.pillion(['run', '-f', '.']))
  t.match(await ask(`${manager}/services/stock_2.0.0/`), {status: 200})
  const states = (await appsOf(rig)).filter(({id}) => id === 'stock').map(({version, state}) => `${version} ${state}`)
  t.same(states, ['1.0.0 asleep', '2.0.0 running'])
})

t.test('start and restart start an app that is asleep; one that was stopped refuses calls', async t => {
  const {rig, run, port} = await openShop(t, [{appID: 'stock', autoPort: true, lazy: true, idleTimeout: '300ms'}])
  for (const [nth, verb] of ['start', 'restart'].entries()) {
    t.equal((await rig.run([verb, 'stock'])).code, 0)
    await run.waitForLine('stock: woken by start', {nth: nth + 1})
    await run.waitForLine('stock: asleep', {nth: nth + 1})
  }
  t.equal((await rig.run(['stop', '--app-id', 'stock'])).code, 0)
  t.equal((await invoke(port, 'stock')).status, 500)
  t.equal(await stateOf(rig, 'stock'), 'stopped')
  t.equal((await rig.run(['start', 'stock'])).code, 0)
  t.equal((await invoke(port, 'stock')).status, 200)
  await run.waitForLine('stock: asleep', {nth: 3})
})

t.test('an app that is asleep is handed to a debugger, in which it does not sleep, and comes back', async t => {
  const {rig, run, port} = await openShop(t, [{appID: 'stock', autoPort: true, lazy: true, idleTimeout: '300ms'}])
  t.equal((await rig.run(['debug', 'stock'])).code, 0)
  t.equal(await stateOf(rig, 'stock'), 'debugging')
  const appPort = (await appsOf(rig)).find(({id}) => id === 'stock')?.appPort ?? 0
  const debugged = rig.start(['node', 'app.mjs'], {env: {APP_PORT: appPort.toString()}})
  await debugged.waitForLine('listens')
  const answer = (await (await invoke(port, 'stock')).json()) as {pid: number}
  t.equal(answer.pid, debugged.pid)
  await debugged.end('SIGKILL')
  t.equal(await stateOf(rig, 'stock'), 'debugging')
  t.equal((await rig.run(['start', 'stock'])).code, 0)
  await run.waitForLine('stock: asleep')
  t.equal((await invoke(port, 'stock')).status, 200)
})

t.test('--lazy: apps that can be called are asleep, one without a port starts and is named', async t => {
  const {rig, run} = await openShop(
    t,
    [
      {appID: 'stock', autoPort: true},
      {appID: 'eager', autoPort: true, lazy: false}
    ],
    ['--lazy']
  )
  await run.waitForLine('"shop" is lazy, but starts now')
  t.equal((await rig.run(['wait', '--for', 'ready'])).code, 0)
  t.match(await appsOf(rig), [
    {id: 'shop', state: 'running'},
    {id: 'stock', state: 'asleep'},
    {id: 'eager', state: 'running'}
  ])
})

t.test('replicas sleep and wake together', async t => {
  const {rig, run, port} = await openShop(t, [
    {appID: 'stock', autoPort: true, replicas: 2, lazy: true, idleTimeout: '300ms'}
  ])
  t.equal((await invoke(port, 'stock')).status, 200)
  for (const name of ['stock', 'stock.2']) await run.waitForLine(`${name}: woken by shop: GET /`)
  for (const name of ['stock', 'stock.2']) await run.waitForLine(`${name}: asleep`)
  t.same(
    (await appsOf(rig)).map(({state}) => state),
    ['running', 'asleep', 'asleep']
  )
})
