import {join} from 'node:path'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprForPython, installed} from './installed.ts'

const SCRIPT = join(import.meta.dirname, '../fixtures/sdks/bindings.py')

t.test('Dapr’s SDK for Python over gRPC: calls to bindings', async t => {
  const folder = await installed(t, daprForPython)
  if (folder === undefined) return
  const rig = await openRig(t)
  const port = await freePort()
  await rig.write({
    'resources/files.yaml': component('files', 'bindings.localstorage', {rootPath: './kept'}),
    'resources/web.yaml': component('web', 'bindings.http', {url: `http://127.0.0.1:${port}`})
  })
  await rig.template([
    {
      appID: 'shop',
      daprHTTPPort: port,
      command: ['python3', SCRIPT],
      resourcesPath: '../resources',
      env: {PYTHONPATH: folder}
    }
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const told = await resultsOf(run)
  t.match(told, {
    created: {fileName: 'bytes'},
    bytes: [0, 255, ...Buffer.from('bytes')],
    empty: [],
    status: '204',
    unknown: {
      code: 'INTERNAL',
      message: "error invoking output binding file: couldn't find output binding file (did you mean files?)"
    },
    operation: {code: 'INTERNAL', message: /binding files does not support operation fetch\./},
    'not-2xx': {code: 'INTERNAL', message: 'error invoking output binding web: received status code 404'}
  })
})

t.test('Dapr’s SDK for Python over gRPC: an app that takes the events of a cron', async t => {
  const folder = await installed(t, daprForPython)
  if (folder === undefined) return
  const rig = await openRig(t)
  await rig.write({'resources/tick.yaml': component('tick', 'bindings.cron', {schedule: '@every 100ms'})})
  const app = {appID: 'shop', appProtocol: 'grpc', autoPort: true, resourcesPath: '../resources'}
  await rig.template([{...app, command: ['python3', join(SCRIPT, '../binding_app.py')], env: {PYTHONPATH: folder}}])
  const run = rig.pillion(['run', '-f', '.'])
  for (let count = 0; count < 2; count++)
    await run.waitForLine(/^== APP - shop == RESULT event \["", \{"traceparent": "00-/, {limitMs: 60_000})
  t.pass('events have come')
})
