import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

/** Accepts connections, and answers what is no question of Dapr's. */
const HANGS = `
const {createServer} = process.getBuiltinModule('node:http')
createServer((request, response) => {
  if (!request.url.startsWith('/dapr/')) response.end('here')
}).listen(Number(process.env.APP_PORT), '127.0.0.1')
`
/** Speaks a protocol of its own: says nothing. */
const SILENT = `
import {createServer} from 'node:net'
createServer(socket => socket.on('error', () => undefined)).listen(Number(process.env.APP_PORT), '127.0.0.1')
`

t.test('an app that does not answer what a sidecar asks falls asleep all the same', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const resourcesPath = '../resources'
  await rig.template([
    {appID: 'shop', daprHTTPPort: port, command: ['sleep', '1000']},
    {appID: 'hangs', resourcesPath, autoPort: true, idleTimeout: '300ms', command: ['node', '../hangs.mjs']},
    {appID: 'silent', resourcesPath, autoPort: true, idleTimeout: '300ms', command: ['node', '../silent.mjs']}
  ])
  await rig.write({
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'hangs.mjs': HANGS,
    'silent.mjs': SILENT
  })
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('hangs: asleep')
  await run.waitForLine('silent: asleep')
  const answer = await fetch(`http://127.0.0.1:${port}/v1.0/invoke/hangs/method/`)
  t.equal(await answer.text(), 'here')
  await run.waitForLine('hangs: asleep', {nth: 2})
})
