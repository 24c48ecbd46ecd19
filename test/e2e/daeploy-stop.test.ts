import t, {type Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {ask, managerOf} from '../rig/manager.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

interface Scene {
  readonly rig: Rig
  readonly run: Program
  readonly manager: string
  readonly markers: Readonly<Record<string, Driven>>
}

/** Three versions of a service, each answering with its own; more apps where they are given. */
async function scene(t: Test, more: readonly string[]): Promise<Scene> {
  const rig = await openRig(t)
  const versions = ['1.0.0', '2.0.0', '3.0.0']
  const apps = [
    ...versions.map(version => ({appID: 'hello', version, appDirPath: version})),
    ...more.map(appID => ({appID, appDirPath: appID}))
  ].map(app => ({...app, command: rig.drivenCommand}))
  for (const {appDirPath} of apps) await rig.write({[`${appDirPath}/service.py`]: ''})
  await rig.write({'dapr.yaml': JSON.stringify({version: 1, managerPort: 0, apps})})
  const run = rig.pillion(['run', '-f', '.'])
  const markers: Record<string, Driven> = {}
  for (const version of versions) {
    const marker = await rig.driven('hello')
    markers[marker.env['daeploy.version'] ?? version] = marker
    await marker.catchSignal('SIGTERM')
    await marker.answer({body: marker.env['daeploy.version'] ?? ''})
    await marker.listen()
  }
  for (const id of more) await rig.driven(id)
  return {rig, run, manager: await managerOf(run), markers}
}

const marker = ({markers}: Scene, version: string): Driven => {
  const found = markers[version]
  if (found === undefined) throw new Error(`no ${version}`)
  return found
}

t.test('stop --app-id ends shadows first: while they end the main version answers', async t => {
  const all = await scene(t, ['other'])
  const {rig, run, manager} = all
  const [one, two, three] = ['1.0.0', '2.0.0', '3.0.0'].map(version => marker(all, version))
  if (one === undefined || two === undefined || three === undefined) throw new Error('three versions live')
  t.match(await rig.run(['assign', 'hello', '2.0.0']), {code: 0})
  const mainAsked = two.nextSignal().then(() => true)
  const stopping = rig.run(['stop', '--app-id', 'hello'])
  t.same(await Promise.all([one.nextSignal(), three.nextSignal()]), ['SIGTERM', 'SIGTERM'], 'at once')
  t.equal((await ask(`${manager}/services/hello/x`)).body, '2.0.0')
  await one.exit(0)
  t.equal((await ask(`${manager}/services/hello/x`)).body, '2.0.0', 'one of two is left')
  t.equal(await Promise.race([mainAsked, Promise.resolve(false)]), false, 'not asked yet')
  await three.exit(0)
  t.ok(await mainAsked)
  t.match(await ask(`${manager}/services/hello/x`), {status: 404}, 'whoever comes now is refused')
  await two.exit(0)
  t.same(await stopping, {code: 0, stdout: '✅  app stopped successfully: hello\n', stderr: ''})
  t.match(await ask(`${manager}/services/hello/x`), {status: 404})
  t.notOk(run.hasExited, 'the others go on')
})

t.test('/v1.0/shutdown at the sidecar of a version ends that version alone', async t => {
  const all = await scene(t, [])
  const [main, shadow] = [marker(all, '1.0.0'), marker(all, '2.0.0')]
  const mainAsked = main.nextSignal().then(() => true)
  const port = shadow.env['DAPR_HTTP_PORT'] ?? ''
  t.equal((await fetch(`http://127.0.0.1:${port}/v1.0/shutdown`, {method: 'POST'})).status, 204)
  t.equal(await shadow.nextSignal(), 'SIGTERM')
  await shadow.exit(0)
  const states = async (): Promise<readonly string[]> => {
    const {stdout} = await all.rig.run(['ps', '-o', 'json'])
    const apps = JSON.parse(stdout) as readonly {version: string; availability: string}[]
    return apps.map(({version, availability}) => `${version} ${availability}`)
  }
  t.same(await states(), ['1.0.0 ready', '2.0.0 stopped', '3.0.0 ready'])
  t.match(await ask(`${all.manager}/services/hello/x`), {body: '1.0.0'})
  t.equal(await Promise.race([mainAsked, Promise.resolve(false)]), false, 'not asked')
})

t.test('the last service of a run, too; then the run ends', async t => {
  const all = await scene(t, [])
  const {rig, run} = all
  const stopping = rig.run(['stop', '--app-id', 'hello'])
  const main = marker(all, '1.0.0')
  const mainAsked = main.nextSignal().then(() => true)
  for (const version of ['2.0.0', '3.0.0']) {
    const shadow = marker(all, version)
    t.equal(await shadow.nextSignal(), 'SIGTERM')
    t.equal(await Promise.race([mainAsked, Promise.resolve(false)]), false, 'not asked yet')
    await shadow.exit(0)
  }
  t.ok(await mainAsked)
  await main.exit(0)
  t.match(await stopping, {code: 0})
  t.match(await run.exited, {code: 0})
  t.same(await rig.leftovers(), [])
})
