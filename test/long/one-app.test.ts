import {once} from 'node:events'
import {createServer} from 'node:net'
import {isDeepStrictEqual} from 'node:util'
import t from 'tap'
import {freePort} from '../rig/free-port.ts'
import type {Driven} from '../rig/command.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const STOPPED = (id: string): string =>
  `couldn't find service: ${id} [stopped by "pillion stop"; "pillion start ${id}" brings it back]`

const messageIn = (body: string): string => (JSON.parse(body) as {message: string}).message

/** The ids that `list` shows. */
async function listed(rig: Rig): Promise<readonly string[]> {
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {appId: string}[]
  return rows.map(({appId}) => appId)
}

const done = (text: string): object => ({code: 0, stdout: `✅  ${text}\n`, stderr: ''})

/** The process that an app has now. */
async function current(rig: Rig, id: string): Promise<Driven> {
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {appId: string; appPid: number}[]
  const pid = rows.find(({appId}) => appId === id)?.appPid
  let driven = await rig.driven(id)
  while (driven.pid !== pid) driven = await rig.driven(id)
  return driven
}

/** The end of a run by Ctrl-C. */
async function ends(run: Program): Promise<number | null> {
  return (await run.end('SIGINT')).code
}

t.test('logs of an app that was stopped and started show what it wrote before, too', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [first] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await first.print('one\n12 stdout x no head\n')
  await run.waitForLine('no head')
  t.match(await rig.run(['stop', 'a']), {code: 0})
  t.match(await rig.run(['start', 'a']), {code: 0})
  const second = await rig.driven('a')
  await second.print('two\n')
  await run.waitForLine('== two')
  const lines = ['== APP - a == one', '== APP - a == 12 stdout x no head', '== APP - a == two']
  const shown = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await rig.run(['logs', 'a', ...args])).stdout.split('\n').filter(line => line.startsWith('== '))
  let told = await shown()
  while (told.length < lines.length) told = await shown() // the file is written a little later
  t.same(told, lines)
  t.same(await shown('--tail', '1'), lines.slice(2))
  const following = rig.pillion(['logs', 'a', '-f'])
  await following.waitForLine('== two')
  await second.print('three\n')
  await following.waitForLine('== APP - a == three')
})

t.test('stop keeps an app in the run, and start brings it back with its ports and its sidecar', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [first, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await first.answer({body: 'first'})
  await first.listen()
  await run.waitForLine('Writing log files', {nth: 2})
  t.match(await b.fetch('/v1.0/invoke/a/method/x'), {status: 200, body: 'first'})
  t.same(await rig.run(['stop', 'a']), done('app stopped successfully: a'))
  await first.closed
  t.same(await listed(rig), ['b'], 'list shows those that run')
  const refused = await b.fetch('/v1.0/invoke/a/method/x')
  t.match([refused.status, messageIn(refused.body)], [500, new RegExp(escaped(STOPPED('a')))])
  await t.rejects(fetch(`http://127.0.0.1:${first.env['DAPR_HTTP_PORT'] ?? ''}/v1.0/healthz`), 'its port is free')
  t.same(await rig.run(['stop', 'a']), done('app is already stopped: a'))
  const start = async (): Promise<Driven> => {
    const starting = rig.run(['start', 'a'])
    const started = await rig.driven('a')
    t.same(await starting, done('app started successfully: a'))
    return started
  }
  let [before, second] = [first, await start()]
  // now and then a run of another test has one of them
  for (let tries = 0; tries < 10 && !isDeepStrictEqual(portsOf(second), portsOf(before)); tries++) {
    await rig.run(['stop', 'a'])
    ;[before, second] = [second, await start()]
  }
  t.same(portsOf(second), portsOf(before))
  await second.answer({body: 'second'})
  await second.listen()
  t.match(await b.fetch('/v1.0/invoke/a/method/x'), {status: 200, body: 'second'})
  t.same(await listed(rig), ['a', 'b'], 'in the order of the template')
  t.same(await rig.run(['start', 'a']), done('app is already running: a'))
  t.equal(await ends(run), 0)
  t.same(await rig.leftovers(), [])
})

const portsOf = ({env}: Driven): readonly unknown[] =>
  ['DAPR_HTTP_PORT', 'DAPR_GRPC_PORT', 'DAPR_METRICS_PORT', 'APP_PORT'].map(name => env[name])

const escaped = (text: string): string => text.replaceAll(/[.()[\]]/g, String.raw`\$&`)

t.test('restart starts an app that was stopped, and what an app wrote before is still shown', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [first] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await first.print('before\n')
  await run.waitForLine('before')
  await rig.run(['stop', 'a'])
  t.match((await rig.run(['logs', 'a'])).stdout, /before/, 'also while it is stopped')
  t.same(await rig.run(['restart', 'a']), done('app restarted successfully: a'))
  const second = await rig.driven('a')
  await second.print('after\n')
  await run.waitForLine('after')
  t.match((await rig.run(['logs'])).stdout, /before[^]*after/)
})

t.test('several ids: all are tried, each failure has its line, and a near miss is named', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}, {appID: 'stock'}, {appID: 'rest'}])
  const run = rig.pillion(['run', '-f', '.'])
  await Promise.all(['shop', 'stock', 'rest'].map(async id => rig.driven(id)))
  await run.waitForLine('Writing log files', {nth: 3})
  const stopped = await rig.run(['stop', 'shop', 'stok', '--app-id', 'stock'])
  t.equal(stopped.code, 0)
  t.same(stopped.stdout.split('\n').toSorted(), [
    '',
    '✅  app stopped successfully: shop',
    '✅  app stopped successfully: stock'
  ])
  t.equal(
    stopped.stderr,
    `❌  failed to stop app id stok: couldn't find app id stok: did you mean "stock"?\nRunning: shop, stock, rest [no-such-app]\n`
  )
  for (const verb of ['start', 'restart']) {
    const result = await rig.run([verb, 'shop', 'nowhere', '--app-id', 'stock'])
    await Promise.all(['shop', 'stock'].map(async id => rig.driven(id)))
    t.equal(result.code, 1, verb)
    t.same(result.stdout.split('\n').toSorted(), [
      '',
      `✅  app ${verb}ed successfully: shop`,
      `✅  app ${verb}ed successfully: stock`
    ])
    t.equal(
      result.stderr,
      `❌  failed to ${verb} app id nowhere: couldn't find app id nowhere\nRunning: shop, stock, rest [no-such-app]\n`
    )
    t.match(await rig.run([verb]), {code: 255, stderr: new RegExp(`^Error: ${verb} needs the id of an app\nRun `)})
  }
})

t.test('start starts what an app depends on first, and stops nobody', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'db', autoPort: true},
    {appID: 'job'},
    {appID: 'api', dependsOn: {db: 'ready', job: 'completed'}},
    {appID: 'page', dependsOn: ['db']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [db, job] = await Promise.all([rig.driven('db'), rig.driven('job')])
  await db.listen()
  const page = await rig.driven('page')
  await job.exit(0)
  await rig.driven('api')
  await run.waitForLine('Writing log files', {nth: 4})
  await rig.run(['stop', 'api', 'db'])
  const starting = rig.run(['start', 'api'])
  const again = await rig.driven('db')
  await again.listen()
  await rig.driven('api')
  t.same(await starting, done('app started successfully: api'))
  t.equal(await ends(run), 0)
  await page.closed
  t.equal(
    run.stdout.lines.filter(line => line.includes('app id "job"')).length,
    1,
    'a one-shot app that succeeded is not run again'
  )
})

t.test('a one-shot app that failed and then succeeds releases what depends on it; the last result counts', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'job'},
    {appID: 'api', autoPort: true, dependsOn: {job: 'completed'}},
    {appID: 'page', dependsOn: ['api']},
    {appID: 'other'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [job, other] = await Promise.all([rig.driven('job'), rig.driven('other')])
  await job.exit(3)
  await run.waitForLine('"page" was not started', {stream: 'stderr'})
  t.same(await rig.run(['restart', 'job']), done('app restarted successfully: job'))
  const second = await rig.driven('job')
  const call = other.fetch('/v1.0/invoke/api/method/x')
  await second.exit(0)
  const api = await rig.driven('api')
  await api.answer({body: 'there'})
  await api.listen()
  t.match(await call, {status: 200, body: 'there'}, 'a call is held from the restart on')
  const page = await rig.driven('page')
  await Promise.all([api, page, other].map(async app => app.exit(0)))
  t.same(await run.exited, {code: 0, signal: null})
})

t.test('an app that was given up is started with what it lacks', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'job'}, {appID: 'api', dependsOn: {job: 'completed'}}, {appID: 'other'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [job] = await Promise.all([rig.driven('job'), rig.driven('other')])
  await job.exit(3)
  await run.waitForLine('"api" was not started', {stream: 'stderr'})
  const failing = rig.run(['start', 'api'])
  await (await rig.driven('job')).exit(4)
  t.match(await failing, {
    code: 1,
    stderr: /^❌ {2}failed to start app id api: "api" was not started: .* "job" exited with code 4\n$/
  })
  const starting = rig.run(['start', 'api'])
  await (await rig.driven('job')).exit(0)
  await rig.driven('api')
  t.same(await starting, done('app started successfully: api'))
  t.equal(await ends(run), 0)
})

t.test('with the last app that has not ended the run ends; a stopped one counts as ended', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}, {appID: 'c'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [, b] = await Promise.all(['a', 'b', 'c'].map(async id => rig.driven(id)))
  await run.waitForLine('Writing log files', {nth: 3})
  await rig.run(['stop', 'a'])
  await b?.exit(0)
  await run.waitForLine('Exited App successfully')
  t.notOk(run.hasExited)
  const ends = 'ℹ️  "c" was the last app of the run, which ends\n'
  t.same(await rig.run(['stop', 'c']), {...done('app stopped successfully: c'), stderr: ends})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})

t.test('stop twice at once is one stop, and stop of all apps at once is the end of the run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await a.catchSignal('SIGTERM')
  await run.waitForLine('Writing log files', {nth: 2})
  const stops = [rig.run(['stop', 'a']), rig.run(['stop', 'a'])]
  t.equal(await a.nextSignal(), 'SIGTERM')
  await a.exit(0)
  for (const stop of stops)
    t.match(await stop, {code: 0, stdout: /^✅ {2}app (stopped successfully|is already stopped): a\n$/})
  await rig.run(['start', 'a'])
  await rig.driven('a')
  t.match(await rig.run(['stop', 'a', 'b']), {code: 0, stderr: ''})
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})

t.test('start while the run ends, and restart during a reload', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', stop: {timeout: '60s'}}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await a.catchSignal('SIGTERM')
  await run.waitForLine('Writing log files', {nth: 2})
  const one = rig.run(['restart', 'a'])
  t.equal(await a.nextSignal(), 'SIGTERM')
  const two = rig.run(['restart', 'a'])
  await a.exit(0)
  for (const each of [one, two]) t.same(await each, done('app restarted successfully: a'))
  const again = await current(rig, 'a') // the second asking came before its process or after it
  await again.catchSignal('SIGTERM')
  run.signal('SIGINT')
  t.equal(await again.nextSignal(), 'SIGTERM')
  await b.closed
  for (const verb of ['start', 'restart', 'debug'])
    t.match(
      await rig.run([verb, 'b']),
      {code: 1, stderr: `❌  failed to ${verb} app id b: the run is stopping\n`},
      verb
    )
  await again.exit(0)
  t.same(await run.exited, {code: 0, signal: null})
})

t.test('a port that the template fixes and that is taken by now is an error; the app stays stopped', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  await rig.template([{appID: 'a', daprHTTPPort: port}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  await Promise.all([rig.driven('a'), rig.driven('b')])
  await rig.run(['stop', 'a'])
  const holder = createServer().listen(port, '127.0.0.1')
  await once(holder, 'listening')
  t.match(await rig.run(['start', 'a']), {
    code: 1,
    stderr: new RegExp(`invalid configuration for HTTPPort. Port ${port} is not available`)
  })
  holder.close()
  await once(holder, 'close')
  const starting = rig.run(['start', 'a'])
  await rig.driven('a')
  t.same(await starting, done('app started successfully: a'))
  t.equal(await ends(run), 0)
})
