import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

/** Lists a topic, and prints what it is asked. */
const APP = `
const {createServer} = process.getBuiltinModule('node:http')
const topics = JSON.stringify([{pubsubname: 'bus', topic: 'listed', route: '/listed'}])
createServer((request, response) => {
  console.log(request.method, request.url)
  request.resume().on('end', () => response.end(request.url === '/dapr/subscribe' ? topics : ''))
}).listen(Number(process.env.APP_PORT), '127.0.0.1')
`

const tick = (schedule: string): string => component('tick', 'bindings.cron', {schedule, direction: 'input'})

t.test('an event of a binding starts an app that is asleep, also after the file of the binding was edited', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP, 'resources/tick.yaml': tick('@every 1h')})
  await rig.template([
    {appID: 'stock', autoPort: true, lazy: true, resourcesPath: '../resources', command: ['node', '../app.mjs']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('App id "stock" starts with its first call')
  await rig.write({'resources/tick.yaml': tick('@every 1s')})
  await run.waitForLine('POST /tick')
})

t.test('an app with subscriptions in files is asked for its own once there is a broker', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({
    'app.mjs': APP,
    'resources/declared.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v2alpha1',
      kind: 'Subscription',
      metadata: {name: 'declared'},
      spec: {pubsubname: 'bus', topic: 'declared', routes: {default: '/declared'}}
    })
  })
  await rig.template([
    {appID: 'stock', daprHTTPPort: port, autoPort: true, resourcesPath: '../resources', command: ['node', '../app.mjs']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('GET /dapr/config')
  await rig.run(['wait', '--for', 'ready'])
  await rig.write({'resources/bus.yaml': component('bus', 'pubsub.in-memory')})
  await run.waitForLine('GET /dapr/subscribe')
  for (const topic of ['listed', 'declared']) {
    const publish = async (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/v1.0/publish/bus/${topic}`, {method: 'POST', body: '{}'})
    const isRead = async (): Promise<boolean> =>
      (await (await fetch(`http://127.0.0.1:${port}/v1.0/metadata`)).text()).includes(`"topic":"${topic}"`)
    while (!(await isRead())) await new Promise(setImmediate)
    t.equal((await publish()).status, 204)
    await run.waitForLine(`POST /${topic}`)
  }
})
