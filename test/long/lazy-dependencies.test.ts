import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openShop, invoke, stateOf} from '../rig/lazy-shop.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

t.test('the callers of an app get the reason why what it depends on does not start', async t => {
  const {rig, port} = await openShop(t, [
    {appID: 'web', autoPort: true, lazy: true, dependsOn: ['api']},
    {appID: 'api', autoPort: true, lazy: true}
  ])
  await rig.write({'api/broken': ''})
  for (const attempt of [1, 2]) {
    const failed = await invoke(port, 'web')
    t.equal(failed.status, 500, `attempt ${attempt}`)
    t.match(
      await failed.text(),
      /\\"web\\" was not started: it depends on \\"api\\" becoming ready, but \\"api\\" exited/
    )
  }
  await rig.run(['exec', 'shop', '--', 'rm', '../api/broken'])
  t.equal((await invoke(port, 'web')).status, 200)
})

t.test('the callers of an app whose dependency is stopped get the reason, also of several instances', async t => {
  const {rig, run, port} = await openShop(t, [
    {appID: 'web', autoPort: true, lazy: true, dependsOn: {api: 'completed'}, replicas: 3},
    {appID: 'api', command: ['sh', '-c', 'test -e done || sleep 1000']}
  ])
  t.equal((await rig.run(['stop', '--app-id', 'api'])).code, 0)
  for (const attempt of [1, 2]) {
    const failed = await invoke(port, 'web')
    t.equal(failed.status, 500, `attempt ${attempt}`)
    t.match(await failed.text(), /\\"web(\.\d)?\\" was not started: it depends on \\"api\\"/)
  }
  await rig.write({'api/done': ''})
  t.equal((await rig.run(['start', 'api'])).code, 0)
  t.equal((await invoke(port, 'web')).status, 200)
  for (const name of ['web', 'web.2', 'web.3']) await run.waitForLine(`${name}: woken`)
  t.equal(run.stdout.lines.filter(line => line.includes('woken')).length, 3, 'each once')
  t.notMatch(run.stderr.text, /RangeError|Exception/)
})

t.test('an app that is started tries those again that it depends on and that have failed', async t => {
  const {rig, port} = await openShop(t, [
    {appID: 'web', autoPort: true, profiles: ['more'], dependsOn: ['api']},
    {appID: 'api', autoPort: true, lazy: true}
  ])
  await rig.write({'api/broken': ''})
  t.equal((await invoke(port, 'api')).status, 500)
  const refused = await rig.run(['start', 'web'])
  t.equal(refused.code, 1)
  t.match(refused.stderr, /"api" exited with code 3/)
  await rig.run(['exec', 'shop', '--', 'rm', '../api/broken'])
  t.match(await rig.run(['start', 'web']), {code: 0}, 'it was given up')
  t.equal(await stateOf(rig, 'api'), 'running')
})

t.test('start starts what those need that an app depends on and that are asleep', async t => {
  const {rig} = await openShop(t, [
    {appID: 'web', autoPort: true, dependsOn: ['api'], profiles: ['more']},
    {appID: 'api', autoPort: true, lazy: true, dependsOn: ['db']},
    {appID: 'db', autoPort: true}
  ])
  t.equal((await rig.run(['stop', '--app-id', 'db'])).code, 0)
  t.match(await rig.run(['start', 'web']), {code: 0})
  t.match([await stateOf(rig, 'db'), await stateOf(rig, 'api')], ['running', 'running'])
})

const subscription = (topic: string): string => `apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: ${topic}}
scopes: [web]
spec: {pubsubname: bus, topic: ${topic}, routes: {default: /${topic}}}
`

t.test('events for an app whose dependency has failed hold up nothing, and come once it is there', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'resources/orders.yaml': subscription('orders'),
    'resources/bills.yaml': subscription('bills'),
    'app.mjs': `
const {createServer} = process.getBuiltinModule('node:http')
createServer((request, response) => {
  console.log('got ' + request.url)
  response.end('{}')
}).listen(Number(process.env.APP_PORT), '127.0.0.1')
`
  })
  await rig.template(
    [
      {appID: 'db', command: ['sh', '-c', 'test -e done']},
      {appID: 'flapping', restart: 'always', command: ['sh', '-c', 'sleep 0.1; exit 1']},
      {
        appID: 'web',
        autoPort: true,
        lazy: true,
        dependsOn: {db: 'completed', flapping: 'started'},
        daprHTTPPort: port,
        command: ['node', '../app.mjs']
      },
      {appID: 'other', command: ['sleep', '1000']}
    ],
    {resourcesPath: './resources'}
  )
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine(/"db" exited with code 1/, {stream: 'stderr'})
  for (const topic of ['orders', 'bills']) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1.0/publish/bus/${topic}`, {method: 'POST', body: '1'})
    t.equal(answer.status, 204, topic)
  }
  await run.waitForLine(/"web" was not started: it depends on "db"/, {stream: 'stderr'})
  t.equal(await stateOf(rig, 'web'), 'asleep')
  await run.waitForLine('"flapping" keeps exiting', {stream: 'stderr'})
  const tried = run.stderr.lines.filter(line => line.includes('"web" was not started'))
  t.ok(tried.length < 4, 'another dependency, which starts again and again, is no reason to try')
  await rig.write({'db/done': ''})
  t.equal((await rig.run(['start', 'db'])).code, 0)
  for (const topic of ['orders', 'bills']) await run.waitForLine(`got /${topic}`)
})
