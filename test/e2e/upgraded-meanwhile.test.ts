import {once} from 'node:events'
import {cpSync, existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs'
import {chmod} from 'node:fs/promises'
import {createServer} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {noTerminal, onTerminal} from '../rig/on-terminal.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A rig whose program, the built one always, has its own code, and what removes the part of it that is loaded when it is needed. */
async function upgradable(
  t: Test
): Promise<{readonly rig: Rig; readonly chunks: string; readonly upgrade: () => void}> {
  const place = mkdtempSync(join(tmpdir(), 'upgraded-'))
  t.teardown(() => rmSync(place, {recursive: true, force: true}))
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(ROOT, name), join(place, name), {recursive: true, filter: from => !from.endsWith('.map')})
  const rig = await openRig(t, {program: [process.execPath, join(place, 'bin/pillion.js')]})
  const chunks = join(place, 'dist/chunks')
  return {rig, chunks, upgrade: () => rmSync(chunks, {recursive: true})}
}

t.test('a run whose program is upgraded meanwhile goes on without the code that it has not loaded', async t => {
  const {rig, upgrade} = await upgradable(t)
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

  upgrade()
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
  await run.waitForLine(/cannot apply the edit of the template: files of Pillion are gone.*: Cannot find module/, {
    stream: 'stderr'
  })
  t.equal((await last.fetch('/v1.0/healthz/outbound')).status, 204, 'what an edit cannot change goes on')
  await rig.write({'dapr.yaml': '{version: 1, apps: 7}'})
  await run.waitForLine(/the edited template has a mistake/, {stream: 'stderr'})
  const down = rig.start([process.execPath, join(ROOT, 'bin/pillion.js'), 'down'])
  t.same(await down.exited, {code: 0, signal: null}, 'it is ended, though it cannot be asked')
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(run.stderr.text.split('a task has failed').length, 2, 'once')
})

t.test('an edit that needs code which an upgrade has removed leaves the app as it was', async t => {
  const {rig, upgrade} = await upgradable(t)
  const stock = {appID: 'stock', autoPort: true}
  await rig.template([stock])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await (await rig.driven('stock')).listen()
  const edited = {...stock, logLevel: 'debug'}
  await rig.template([edited])
  await (await rig.driven('stock')).listen()
  upgrade()
  let last: Driven | undefined
  for (const idleTimeout of ['1m', '2m']) {
    await rig.template([{...edited, lazy: true, idleTimeout}])
    const app = await rig.driven('stock')
    await run.waitForLine(/, "stock" stays as it was: files of Pillion are gone, as after an upgrade/, {
      nth: idleTimeout === '1m' ? 1 : 2,
      stream: 'stderr'
    })
    await app.listen()
    t.equal((await app.fetch('/v1.0/healthz/outbound')).status, 204)
    last = app
  }
  for (const [index, key] of [{tty: true}, {limits: {cpus: 1}}, {ready: {command: ['true']}}].entries()) {
    await rig.template([{...edited, ...key}])
    await run.waitForLine(/cannot apply the edit of the template: files of Pillion are gone, as after an upgrade/, {
      nth: index + 1,
      stream: 'stderr'
    })
  }
  t.equal((await last?.fetch('/v1.0/healthz/outbound'))?.status, 204, 'its process goes on')
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
})

t.test('a run whose program was upgraded starts what sleeps, and leaves no container', async t => {
  const {rig, upgrade} = await upgradable(t)
  const docker = join(rig.folder, 'docker')
  await rig.write({
    docker: `#!/bin/sh
[ "$1" = rm ] && exec rmdir "${rig.folder}/held-$4"
mkdir "${rig.folder}/held-$4" && trap '' TERM && echo up && exec sleep 1000
`
  })
  await chmod(docker, 0o755)
  const port = await freePort()
  await rig.template([
    {appID: 'web', command: [docker, 'run', '--rm', '--name', 'web', 'image'], stop: {timeout: '300ms'}},
    {appID: 'shop'},
    {appID: 'late', appPort: port, lazy: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [shop] = await Promise.all([rig.driven('shop'), run.waitForLine('== APP - web == up')])
  await run.waitForLine('Writing log files', {nth: 2})
  upgrade()
  const other = createServer((_, response) => response.end()).listen(port, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  void shop.fetch('/v1.0/invoke/late/method/x').catch(() => undefined)
  await rig.driven('late')
  run.signal('SIGINT')
  t.same(await run.exited, {code: 0, signal: null})
  t.notOk(existsSync(join(rig.folder, 'held-web')))
})

t.test('a run that was upgraded as it started ends well, without its live view', {skip: noTerminal}, async t => {
  const {rig, chunks} = await upgradable(t)
  const live = readdirSync(chunks).filter(name => /^live-\w+\.js$/.test(name))
  t.equal(live.length, 1)
  for (const name of live) rmSync(join(chunks, name))
  await rig.template([{appID: 'stock'}])
  const run = onTerminal(rig, ['run', '-f', '.'])
  await run.waitForLine(/a task has failed, since files of Pillion are gone, as after an upgrade/)
  await rig.driven('stock')
  t.match(await rig.run(['stop', '-f', '.']), {code: 0})
  t.same(await run.exited, {code: 0, signal: null})
  t.equal(run.stdout.text.split('Cannot find module').length, 2, 'once')
})
