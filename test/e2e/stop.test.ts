import {rm} from 'node:fs/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {environmentOf} from '../rig/traces.ts'

t.test('stop -f ends the run from another terminal, and is back when it is gone', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files', {nth: 2})
  const {code, stdout, stderr} = await rig.run(['stop', '-f', '.'])
  // what has ended and was not reaped by us yet has no environment either
  t.same(environmentOf(run.pid), [''], 'the process is gone when stop returns')
  t.same({code, stdout, stderr}, {code: 0, stdout: '✅  Dapr and app processes stopped successfully\n', stderr: ''})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})

t.test('nothing to stop is said and is no failure', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  t.same(await rig.run(['stop', '-f', '.']), {
    code: 0,
    stdout: '',
    stderr: `❌  Failed to stop Dapr and app processes: couldn't find apps with run file "${rig.folder}/dapr.yaml"\n`
  })
  t.same(await rig.run(['stop', '-f', 'none.yaml']), {
    code: 1,
    stdout: '',
    stderr:
      '❌  Failed to get run file path: error getting file info for none.yaml: stat none.yaml: no such file or directory\n' +
      'Name a file that ends in .yaml or .yml, or a folder with a pillion.yaml or dapr.yaml. [template-unreadable]\n'
  })
  t.same(await rig.run(['stop', '--app-id', 'zzz']), {
    code: 0,
    stdout: '',
    stderr:
      "❌  failed to stop app id zzz: couldn't find app id zzz\n" +
      'Nothing is running: "pillion up -d" starts the template of a folder. [no-run]\n'
  })
  const info = 'ℹ️  There is nothing to stop: '
  t.same(await rig.run(['down']), {code: 0, stdout: `${info}dapr.yaml is not running\n`, stderr: ''})
  await rig.write({'a/x': ''})
  t.match(await rig.run(['down'], {folder: 'a'}), {code: 0, stdout: `${info}../dapr.yaml is not running\n`})
})

t.test('a run whose template is gone, as after a change of the branch, is ended as before', async t => {
  const rig = await openRig(t)
  for (const command of [['down'], ['down', '-f', 'dapr.yaml'], ['stop', '-f', '.'], ['stop', '-f', 'dapr.yaml']]) {
    await rig.template([{appID: 'a'}])
    const run = rig.pillion(['run', '-f', '.'])
    await run.waitForLine('Writing log files')
    await rm(`${rig.folder}/dapr.yaml`)
    t.match(
      await rig.run(command),
      {
        code: 0,
        stdout: command[0] === 'down' ? '✅  1 app stopped\n' : '✅  Dapr and app processes stopped successfully\n'
      },
      command.join(' ')
    )
    t.same(await run.exited, {code: 0, signal: null})
  }
  t.match(await rig.run(['down']), {code: 0, stdout: 'ℹ️  There is nothing to stop: nothing is running\n'})
  t.match(await rig.run(['stop', '-f', 'dapr.yaml']), {code: 1, stderr: 'no such file or directory\n'})
})

const sleepers = (appID: string): string =>
  JSON.stringify({version: 1, apps: [{appID, appDirPath: '.', command: ['sleep', '100']}]})

t.test('of a folder, down ends the run of dapr.yaml or of the nearest template, also where these are gone', async t => {
  const rig = await openRig(t)
  const names = ['dapr.yaml', 'a.yaml', 'z.yaml', 'inside/dapr.yaml'] // which is found first is chance
  await rig.write({...Object.fromEntries(names.map((name, at) => [name, sleepers(`app${at}`)])), 'inside/api/x': ''})
  const runs = names.map(name => rig.pillion(['up', '-f', name]))
  await Promise.all(runs.map(async run => run.waitForLine('Writing log files')))
  const ids = async (): Promise<string> =>
    (JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {readonly appId: string}[])
      .map(({appId}) => appId)
      .toSorted()
      .join()
  for (const name of names.slice(1)) await rm(`${rig.folder}/${name}`)
  t.match(await rig.run(['down'], {folder: 'inside/api'}), {code: 0, stdout: '✅  1 app stopped\n'})
  t.equal(await ids(), 'app0,app1,app2')
  await rm(`${rig.folder}/dapr.yaml`)
  t.match(await rig.run(['down']), {code: 0, stdout: '✅  1 app stopped\n'})
  t.equal(await ids(), 'app1,app2')
  t.match(await rig.run(['down']), {code: 1, stderr: `pillion stop -f ${rig.folder}/a.yaml`})
  t.match(await rig.run(['stop', 'app1', '-f', 'a.yaml']), {code: 0, stdout: 'app stopped successfully: app1'})
  t.match(await rig.run(['stop', '-f', 'z.yaml']), {code: 0, stdout: 'stopped successfully'})
  for (const run of runs) t.same(await run.exited, {code: 0, signal: null})
})

t.test('TERM and HUP end a run as Ctrl-C does', async t => {
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    const rig = await openRig(t)
    await rig.template([{appID: 'a'}])
    const run = rig.pillion(['run', '-f', '.'])
    await rig.driven('a')
    await run.waitForLine('Writing log files')
    run.signal(signal)
    t.same(await run.exited, {code: 0, signal: null}, signal)
    t.same(await rig.leftovers(), [])
  }
})

t.test('an app gets its signal and time to say good-bye; its sidecar stays open meanwhile', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.catchSignal('SIGTERM')
  await run.waitForLine('Writing log files')
  run.signal('SIGINT')
  t.equal(await a.nextSignal(), 'SIGTERM')
  t.match(await a.fetch('/v1.0/healthz/outbound'), {status: 204})
  await a.print('good-bye\n')
  await a.exit(0)
  t.same(await run.exited, {code: 0, signal: null})
  t.ok(run.stdout.lines.includes('== APP - a == good-bye'))
})

t.test('what has left its group is found by the mark, ended and named', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', stop: {timeout: '300ms'}}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  const pid = await a.spawn({leavesGroup: true, ignoresTerm: true})
  await run.waitForLine('Writing log files')
  t.same(await run.end(), {code: 0, signal: null})
  t.match(run.stderr.text, `ended process ${pid}`)
  t.same(await rig.leftovers(), [])
})

t.test('/v1.0/shutdown ends an app and its sidecar, the last one ends the run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await run.waitForLine('Writing log files', {nth: 2})
  const {http} = await run.ports('a')
  t.match(await b.fetch(`http://127.0.0.1:${http}/v1.0/shutdown`, {method: 'POST'}), {status: 204})
  await a.closed
  t.match((await rig.run(['list', '-o', 'json'])).stdout, /"appId": "b"/)
  const own = await run.ports('b')
  const response = await fetch(`http://127.0.0.1:${own.http}/v1.0/shutdown`, {method: 'POST'})
  t.equal(response.status, 204)
  t.same(await run.exited, {code: 0, signal: null})
})

t.test('stop --app-id ends one app and its sidecar, and the run with the last', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await run.waitForLine('Writing log files', {nth: 2})
  t.same(await rig.run(['stop', '--app-id', 'a']), {code: 0, stdout: '✅  app stopped successfully: a\n', stderr: ''})
  await a.closed
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {appId: string}[]
  t.same(
    rows.map(({appId}) => appId),
    ['b']
  )
  const ends = 'ℹ️  "b" was the last app of the run, which ends\n'
  t.same(await rig.run(['stop', 'b']), {code: 0, stdout: '✅  app stopped successfully: b\n', stderr: ends})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})

t.test('what depends on an app has ended before the app is asked to', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'db', stop: {timeout: '60m'}},
    {appID: 'shop', dependsOn: {db: 'started'}, stop: {timeout: '60m'}},
    {appID: 'mail', stop: {timeout: '60m'}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [db, shop, mail] = await Promise.all([rig.driven('db'), rig.driven('shop'), rig.driven('mail')])
  await run.waitForLine('Writing log files', {nth: 3})
  for (const app of [db, shop, mail]) await app.catchSignal('SIGTERM')
  run.signal('SIGTERM')
  const dbAsked = db.nextSignal()
  t.equal(await shop.nextSignal(), 'SIGTERM')
  t.equal(await mail.nextSignal(), 'SIGTERM', 'nobody depends on it: it was asked at once')
  await mail.exit(0)
  t.match(await db.fetch('/v1.0/healthz/outbound'), {status: 204})
  t.equal(await Promise.race([dbAsked, Promise.resolve('nobody')]), 'nobody', 'shop has not ended yet')
  await shop.exit(0)
  t.equal(await dbAsked, 'SIGTERM')
  await db.exit(0)
  t.match(await run.exited, {code: 0})
})
