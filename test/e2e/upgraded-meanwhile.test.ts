import {cpSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {isExecutable} from '../rig/disguise.ts'
import {openRig} from '../rig/rig.ts'

const ROOT = join(import.meta.dirname, '../..')
const skip = isExecutable && 'the executable has all of its code in one file'

t.test('a run whose program is upgraded meanwhile goes on without the code that it has not loaded', {skip}, async t => {
  const place = mkdtempSync(join(tmpdir(), 'upgraded-'))
  t.teardown(() => rmSync(place, {recursive: true, force: true}))
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(ROOT, name), join(place, name), {recursive: true, filter: from => !from.endsWith('.map')})
  const rig = await openRig(t, {program: [process.execPath, join(place, 'bin/pillion.js')]})
  const apps = [
    {appID: 'stock', autoPort: true, watch: true, reload: 'overlap'},
    {appID: 'frail', autoPort: true, watch: true, restart: 'always', ready: {timeout: '2s'}}
  ]
  await rig.template(apps)
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const [stock, frail] = await Promise.all([rig.driven('stock'), rig.driven('frail')])
  await Promise.all([stock.listen(), frail.listen()])
  await rig.write({'frail/a.js': 'saved'})
  const next = await rig.driven('frail')
  await next.listen()
  await run.waitForLine('frail: reloaded')

  rmSync(join(place, 'dist/chunks'), {recursive: true})
  await next.exit(3)
  await run.waitForLine(/^⚠ {2}"frail" exited with code 3/, {stream: 'stderr'})
  const last = await rig.driven('frail')
  await run.waitForLine(/^⚠ {2}"frail" is not ready after 2 s/, {stream: 'stderr'})
  await last.listen()
  await run.waitForLine(/a task has failed, since files of Pillion are gone, as after an upgrade/, {stream: 'stderr'})
  for (const nth of [1, 2]) {
    await rig.write({'stock/a.js': `saved ${nth}`})
    await (await rig.driven('stock')).listen()
    await run.waitForLine('stock: reloaded', {nth})
  }
  await rig.template(apps.map(each => ({...each, logLevel: 'debug'})))
  await run.waitForLine(/cannot apply the edit of the template: Cannot find module/, {stream: 'stderr'})
  t.equal((await last.fetch('/v1.0/healthz/outbound')).status, 204, 'what an edit cannot change goes on')
  await rig.write({'dapr.yaml': '{version: 1, apps: 7}'})
  await run.waitForLine(/the edited template has a mistake/, {stream: 'stderr'})
  const down = rig.start([process.execPath, join(ROOT, 'bin/pillion.js'), 'down'])
  t.same(await down.exited, {code: 0, signal: null}, 'it is ended, though it cannot be asked')
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(run.stderr.text.split('a task has failed').length, 2, 'once')
})
