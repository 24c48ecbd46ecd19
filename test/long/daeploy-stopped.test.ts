import {existsSync, rmSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {ask, managerOf} from '../rig/manager.ts'
import {openRig} from '../rig/rig.ts'

t.test('a service that was stopped has its times and its log, and its folder when it starts again', async t => {
  const rig = await openRig(t)
  await mkdir(join(rig.folder, 'scales'))
  const app = {appDirPath: 'scales', command: rig.drivenCommand, version: '1.0.0'}
  await rig.write({
    'dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps: ['scales', 'desk'].map(appID => ({...app, appID}))})
  })
  const run = rig.pillion(['run', '-f', '.'])
  const scales = await rig.driven('scales')
  await rig.driven('desk')
  await scales.print('weighed\n')
  await run.waitForLine('weighed')
  const manager = await managerOf(run)
  t.match(await rig.run(['stop', 'scales']), {code: 0})
  const which = 'name=scales&version=1.0.0'
  t.match(await ask(`${manager}/services/~logs?${which}`), {status: 200, body: 'weighed\n'})
  const {State: state} = JSON.parse((await ask(`${manager}/services/~inspection?${which}`)).body) as {
    readonly State: Readonly<Record<string, string>>
  }
  t.match(state, {Status: 'exited', StartedAt: /^2/, FinishedAt: /^2/})
  t.match((await rig.run(['ls'])).stdout, /exited +Stopped \(since 2/)

  const hooks = (scales.env['PYTHONPATH'] ?? '').split(':')[0] ?? ''
  rmSync(join(hooks, '..'), {recursive: true})
  t.match(await rig.run(['start', 'scales']), {code: 0})
  const again = await rig.driven('scales')
  t.equal(again.env['PWD'], scales.env['PWD'])
  t.ok(existsSync(join(hooks, 'sitecustomize.py')), 'the cache was cleared meanwhile')
})
