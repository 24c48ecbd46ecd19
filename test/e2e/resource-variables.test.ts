import t from 'tap'
import {openRig} from '../rig/rig.ts'

const STORE = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: store}
spec:
  type: state.in-memory
  version: v1
  initTimeout: \${TIMEOUT:?how long}
`

t.test('a required variable of a resource: nothing starts, and its place is told; export has the value', async t => {
  const rig = await openRig(t)
  await rig.write({'resources/store.yaml': STORE})
  const app = {appID: 'shop', command: ['sleep', '60'], containerImage: 'x/shop', resourcesPath: '../resources'}
  await rig.template([app], {}, {interpolate: true})
  t.match(await rig.run(['up']), {
    code: 1,
    stderr: /^❌  the variable TIMEOUT is not set: how long\nresources\/store\.yaml:7:16\n.*\n +\^\nset it: /
  })
  t.match(await rig.run(['validate']), {code: 1, stderr: /resources\/store\.yaml:7:16/})
  const set = ['--env', 'TIMEOUT=7s']
  t.match(await rig.run(['validate', ...set]), {
    code: 0,
    stderr: /is replaced by Pillion alone: Dapr takes it as it is/
  })
  t.match(await rig.run(['export', 'kubernetes'], {env: {TIMEOUT: '7s'}}), {code: 0, stdout: /initTimeout: 7s/})
  const run = rig.pillion(['up', ...set])
  await run.waitForLine('Writing log files')
  t.match(await run.end('SIGINT'), {code: 0})
})
