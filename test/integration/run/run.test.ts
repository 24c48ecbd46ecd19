import {once} from 'node:events'
import {existsSync, readdirSync, readlinkSync, rmSync} from 'node:fs'
import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {createServer} from 'node:net'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {Run} from '../../../src/run/run.ts'
import type {RunEvent} from '../../../src/model/events.ts'
import {loadTemplate} from '../../../src/files/config/load.ts'
import {freePort} from '../../rig/free-port.ts'
import {untrackChildren} from '../../rig/untracked.ts'

untrackChildren()

interface Scene {
  readonly run: Run
  readonly folder: string
  /** The types of what it told, in their order. */
  readonly told: RunEvent['type'][]
}

/** What this process has open; `anon_inode` and the like are Node's own. */
const openFiles = (): readonly string[] =>
  readdirSync('/proc/self/fd').flatMap(name => {
    try {
      return [readlinkSync(`/proc/self/fd/${name}`)].filter(path => !path.startsWith('anon_inode'))
    } catch {
      return [] // the folder itself
    }
  })

/** A run of these apps in a folder of their own, not started yet. */
const runOf = async (t: Test, apps: readonly object[]): Promise<Scene> => {
  const folder = await mkdtemp('/tmp/run-') // short, because paths of sockets are
  t.teardown(async () => rm(folder, {recursive: true}))
  await mkdir(join(folder, 'state'), {mode: 0o700})
  await writeFile(
    join(folder, 'dapr.yaml'),
    JSON.stringify({version: 1, apps: apps.map(app => ({appDirPath: '.', ...app}))})
  )
  const env = {PATH: process.env['PATH'] ?? '', PILLION_RUNTIME_DIR: join(folder, 'state'), PILLION_NAMES: '0'}
  const around = {cwd: folder, home: folder, env, readStdin: () => ''}
  const told: RunEvent['type'][] = []
  const {plan} = await loadTemplate('.', around, {watch: false})
  // a signal that does nothing: what is spawned shows, however soon it is to end
  const deaf = plan.apps.map(app => ({...app, stop: {...app.stop, signal: 'SIGWINCH' as const}}))
  const run = new Run({
    plan: {...plan, apps: deaf},
    env,
    form: {kind: 'template', prefixOf: () => undefined},
    output: {write: () => undefined, midLine: false},
    isTerminal: false,
    emit: ({type}) => told.push(type)
  })
  return {run, folder, told}
}

t.test('no process is started once the end is asked for, not even one that the start is about to spawn', async t => {
  const {run, folder, told} = await runOf(t, [
    {appID: 'migrate', command: ['touch', 'migrated']},
    {appID: 'shop', command: ['touch', 'sold'], dependsOn: {migrate: 'completed'}}
  ])
  const started = run.start()
  run.stop()
  await started
  t.equal(await run.ended, true, 'an end that was asked for is no failure')
  t.notOk(existsSync(join(folder, 'migrated')))
  t.notOk(existsSync(join(folder, 'sold')))
  t.equal(told[0], 'stopping')
  t.notOk(told.includes('app-started'))
  t.same(await readdir(join(folder, 'state')), [], 'nothing of the run is left')
})

t.test('wiring that fails half way leaves nothing open: no port, no log, no pipe', async t => {
  const port = await freePort()
  const app = {appDirPath: '.', command: ['sleep', '1000'], appLogDestination: 'fileAndConsole'}
  const {run, folder} = await runOf(t, [
    {appID: 'a', daprHTTPPort: port, ...app},
    {appID: 'b', ...app}
  ])
  const open = openFiles()
  const started = run.start()
  rmSync(join(folder, 'state'), {recursive: true}) // where its socket is to be
  await t.rejects(started, {message: /cannot be made: ENOENT/})
  t.same(
    openFiles().filter(path => !open.includes(path)),
    []
  )
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
})
