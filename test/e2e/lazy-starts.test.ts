import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {openShop, invoke, stateOf, APP} from '../rig/lazy-shop.ts'

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
