import {execFileSync} from 'node:child_process'
import {existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {managerOf} from '../rig/manager.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Writes the template of two services that share a folder: the second runs in a copy. */
const shared = async (rig: Rig, folder: string, second: string): Promise<void> => {
  const app = {version: '1.0.0', appDirPath: 'project', command: rig.drivenCommand}
  const apps = [
    {...app, appID: `${second}_first`},
    {...app, appID: second}
  ]
  await rig.write({
    [`${folder}/dapr.yaml`]: JSON.stringify({version: 1, managerPort: 0, apps}),
    [`${folder}/project/service.py`]: 'print(1)'
  })
}

/** Deploys a service that waits; gives its answer's status. */
const deploy = async (rig: Rig, manager: string, name: string): Promise<number> => {
  await rig.write({'waiting/app.sh': 'exec sleep 60\n', 'waiting/.s2i/environment': 'APP_SCRIPT = app.sh\n'})
  const archive = execFileSync('tar', ['-czf', '-', '-C', join(rig.folder, 'waiting'), '.'])
  const form = new FormData()
  for (const [key, value] of Object.entries({name, version: '1.0.0', port: '8000', run_args: '{}'}))
    form.set(key, value)
  form.set('file', new Blob([new Uint8Array(archive)]), 'service.tar.gz')
  const {status} = await fetch(`${manager}/services/~tar`, {method: 'POST', body: form})
  return status
}

interface Killed {
  readonly rig: Rig
  /** Folders of runs. */
  readonly cache: string
  /** Of the run that was killed, and in it the folder of the second service. */
  readonly left: string
  readonly copy: string
}

/** A run with a working copy and a deployed service, that was killed, and whose watchdog has ended its apps. */
async function killed(t: Test): Promise<Killed> {
  const rig = await openRig(t)
  await shared(rig, '.', 'two')
  const run = rig.pillion(['run', '-f', '.'])
  const two = await rig.driven('two')
  t.equal(await deploy(rig, await managerOf(run), 'hello'), 202)
  const copy = two.hello.folder
  const left = join(copy, '..')
  t.ok(existsSync(join(left, 'hello_1.0.0/app.sh')))
  await run.end('SIGKILL')
  t.same(await rig.leftovers(10_000), [])
  t.ok(existsSync(join(copy, 'service.py')), 'nobody could tidy up')
  return {rig, cache: join(rig.home, '.cache/pillion'), left, copy}
}

/** A run of another template, until it is stopped. */
const another = async (rig: Rig): Promise<{readonly run: Program; readonly copy: string}> => {
  await shared(rig, 'other', 'four')
  const run = rig.pillion(['run', '-f', 'other'])
  const four = await rig.driven('four')
  await run.waitForLine('Daeploy services at')
  return {run, copy: four.hello.folder}
}

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await pause(20)
}

t.test('the next run removes the working copies and deployments of one that was killed', async t => {
  const {rig, cache, left} = await killed(t)
  const {run, copy} = await another(rig)
  await until(() => !existsSync(left))
  t.same(readdirSync(cache), [copy.split('/').at(-2)], 'its own are left')
  await run.end()
  t.equal(run.stderr.text, '', 'that is not worth a word')
  t.same(readdirSync(cache), [])
})

t.test('`stop -f` does so too; those of a run that lives stay', async t => {
  const rig = await openRig(t)
  const {run, copy} = await another(rig)
  await shared(rig, '.', 'two')
  const dead = rig.pillion(['run', '-f', '.'])
  const {hello} = await rig.driven('two')
  await dead.end('SIGKILL')
  t.same(await rig.run(['stop', '-f', '.']), {
    code: 0,
    stdout: '',
    stderr: `❌  Failed to stop Dapr and app processes: couldn't find apps with run file "${join(rig.folder, 'dapr.yaml')}"\n`
  })
  t.notOk(existsSync(join(hello.folder, '..')))
  t.ok(existsSync(join(copy, 'service.py')))
  t.notOk(run.hasExited)
})

t.test('a copy in which somebody changed a file is kept, and named once', async t => {
  const {rig, cache, left, copy} = await killed(t)
  writeFileSync(join(copy, 'service.py'), 'print(2)')
  const {run} = await another(rig)
  await run.waitForLine(`files were changed in ${copy}, a workspace of a run that was killed: it is kept`, {
    stream: 'stderr'
  })
  await until(() => !existsSync(join(left, 'hello_1.0.0')))
  t.equal(readFileSync(join(copy, 'service.py'), 'utf8'), 'print(2)')
  await run.end()
  t.same(await rig.run(['stop', '-f', 'other']), {
    code: 0,
    stdout: '',
    stderr: `❌  Failed to stop Dapr and app processes: couldn't find apps with run file "${join(rig.folder, 'other/dapr.yaml')}"\n`
  })
  t.same(readdirSync(cache), [left.split('/').at(-1)])
  t.same(readdirSync(left), ['two_1.0.0'])
})

t.test('a run goes on where it cannot look for what others have left', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  mkdirSync(join(rig.home, '.cache'))
  symlinkSync('pillion', join(rig.home, '.cache/pillion')) // a link to itself
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await run.waitForLine(/cannot clean up after killed runs: ELOOP/, {stream: 'stderr'})
  t.match(await a.fetch('/v1.0/healthz/outbound'), {status: 204})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})
