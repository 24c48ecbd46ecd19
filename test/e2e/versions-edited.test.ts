import t from 'tap'
import type {Answer, Driven} from '../rig/command.ts'
import {freePort} from '../rig/free-port.ts'
import {ask, managerOf} from '../rig/manager.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {ask as askRun, controlSocket} from '../rig/control-socket.ts'

const versionOf = ({env}: Driven): string => env['daeploy.version'] ?? ''

/** A service with a main version and a shadow; `edit` opens versions again, with this level of their logs. */
async function openVersions(rig: Rig) {
  const write = async (levels: Readonly<Record<string, string>>): Promise<void> =>
    rig.template(
      [
        ...Object.entries(levels).map(([version, logLevel]) => ({
          appID: 'svc',
          version,
          logLevel,
          appDirPath: version
        })),
        {appID: 'other'}
      ],
      {},
      {managerPort: 0}
    )
  await write({'1.0.0': 'info', '2.0.0': 'info'})
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  const apps = new Map<string, Driven>()
  const next = async (): Promise<void> => {
    const app = await rig.driven('svc')
    await Promise.all([app.listen(), app.answer({body: versionOf(app)}), app.catchSignal('SIGTERM')])
    apps.set(versionOf(app), app)
  }
  await next()
  await next()
  const manager = await managerOf(run)
  const main = async (): Promise<unknown> => {
    const listed = JSON.parse((await ask(`${manager}/services/`)).body) as {version: string; main: boolean}[]
    return listed.map(({version, main: isMain}) => `${version}${isMain ? ' main' : ''}`)
  }
  const at = (version: string): Driven => {
    const app = apps.get(version)
    if (app === undefined) throw new Error(`no ${version}`)
    return app
  }
  return {run, manager, write, next, at, main}
}

/** Waits until a call to the service is held. */
async function held(rig: Rig, paths: readonly string[]): Promise<void> {
  for (const path of paths)
    for (;;) {
      const {calls} = (await askRun(controlSocket(rig), `/api/v1/calls?q=path:${path}`)).json as {calls: object[]}
      if (calls.length > 0) break
    }
}

t.test('calls to a service wait while an edit opens it again: neither refused nor answered by its shadow', async t => {
  const rig = await openRig(t)
  const {manager, write, next, at, main} = await openVersions(rig)
  const shadow = at('2.0.0')
  const before = at('1.0.0')
  await write({'1.0.0': 'debug', '2.0.0': 'info'})
  await before.nextSignal()
  const calls: readonly Promise<Answer>[] = [
    ask(`${manager}/services/svc/name`),
    ask(`${manager}/services/svc_1.0.0/version`),
    shadow.fetch('/v1.0/invoke/svc/method/invoke')
  ]
  t.match(await ask(`${manager}/services/svc_2.0.0/other`), {status: 200, body: '2.0.0'})
  t.same(await main(), ['1.0.0 main', '2.0.0'], 'it is the main version all the time')
  t.match(await rig.run(['ls']), {stdout: /\* {7}svc {5}1\.0\.0/})
  await held(rig, ['/name', '/version', '/invoke'])
  await before.exit(0)
  await next()
  t.match(
    await Promise.all(calls),
    calls.map(() => ({status: 200, body: '1.0.0'}))
  )
})

t.test('an assigned version stays the main one over an edit, and over stop and start', async t => {
  const rig = await openRig(t)
  const {manager, write, next, at, main} = await openVersions(rig)
  t.match(await rig.run(['assign', 'svc', '2.0.0']), {code: 0})
  await write({'1.0.0': 'info', '2.0.0': 'debug'})
  await at('2.0.0').nextSignal()
  t.match(await rig.run(['assign', 'svc', '2.0.0']), {code: 0}, 'also while it is opened again')
  await at('2.0.0').exit(0)
  await next()
  t.same(await main(), ['1.0.0', '2.0.0 main'])
  t.match(await ask(`${manager}/services/svc/`), {body: '2.0.0'})

  const stopped = rig.run(['stop', 'svc'])
  for (const version of ['1.0.0', '2.0.0']) {
    await at(version).nextSignal()
    await at(version).exit(0)
  }
  t.match(await stopped, {code: 0})
  const started = rig.run(['start', 'svc'])
  await next()
  await next()
  t.match(await started, {code: 0})
  t.match(await ask(`${manager}/services/svc/`), {body: '2.0.0'})
  t.same(await main(), ['1.0.0', '2.0.0 main'])

  await write({'1.0.0': 'info'})
  await at('2.0.0').nextSignal()
  t.match(await ask(`${manager}/services/svc/`), {body: '1.0.0'}, 'what the template has no more answers no more')
  await at('2.0.0').exit(0)
})

t.test("where an edit brings the first Daeploy service, the sidecars of all apps get the manager's routes", async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const a = {appID: 'a', daprHTTPPort: port}
  await rig.template([a])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await rig.driven('a')
  await run.waitForLine('Writing log files')
  const version = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/~version`)).status
  t.equal(await version(), 404)
  await rig.template([a, {appID: 'b', version: '1.0.0'}])
  await rig.driven('b')
  t.equal(await version(), 200)
})

t.test('the first service may come with an edit: the manager listens from then on, and until the run ends', async t => {
  const rig = await openRig(t)
  const other = {appID: 'other'}
  await rig.template([other])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await rig.driven('other')
  await rig.template([other, {appID: 'svc', fixedPort: 8000}, {appID: 'svc2', fixedPort: 8000}])
  const app = await rig.driven('svc')
  await Promise.all([app.listen(), app.answer({body: 'svc'})])
  const manager = await managerOf(run)
  t.match(await ask(`${manager}/services/svc/name`), {status: 200, body: 'svc'})
  run.signal('SIGINT')
  await run.gone()
  await t.rejects(ask(`${manager}/services/`))
  t.equal(run.stdout.text.match(/Daeploy services at/g)?.length, 1)
})

t.test("the manager does not take a port that an edit has given to an app, though it has Daeploy's number", async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'web'}])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await rig.driven('web')
  const web = {appID: 'web', appPort: 5080}
  await rig.template([web])
  await rig.driven('web')
  await rig.template([web, {appID: 'svc', fixedPort: 8000}])
  t.not(new URL(await managerOf(run)).port, '5080')
})
