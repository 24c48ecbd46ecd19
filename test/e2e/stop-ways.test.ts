import {readFile, symlink} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {appsOf} from '../rig/control-socket.ts'
import {inDisguise} from '../rig/disguise.ts'
import {openRig} from '../rig/rig.ts'

t.test('stop -f finds a run that was started by a link to its folder', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}])
  const link = join(rig.home, 'link')
  await symlink(rig.folder, link)
  const run = rig.pillion(['run', '-f', link])
  await run.waitForLine('Writing log files')
  t.match(await rig.run(['stop', '-f', '.']), {stdout: '✅  Dapr and app processes stopped successfully\n', stderr: ''})
  t.same(await run.exited, {code: 0, signal: null})
})

t.test('restart starts an instance that was stopped, too', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', replicas: 2}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files', {nth: 3})
  const all = [await rig.driven('a'), await rig.driven('a')]
  t.match(await rig.run(['stop', 'a.2']), {code: 0})
  t.match(await rig.run(['restart', 'a']), {code: 0})
  const fresh = [await rig.driven('a'), await rig.driven('a')]
  t.equal(new Set([...all, ...fresh].map(({pid}) => pid)).size, 4)
})

t.test('a deaf app is killed after its grace, by a second Ctrl-C at once', async t => {
  for (const [timeout, isTwice] of [
    ['200ms', false],
    ['60s', true]
  ] as const) {
    const rig = await openRig(t)
    await rig.template([{appID: 'a', stop: {timeout}}])
    const run = rig.pillion(['run', '-f', '.'])
    const a = await rig.driven('a')
    await a.catchSignal('SIGTERM')
    await a.spawn({ignoresTerm: true})
    await run.waitForLine('Writing log files')
    run.signal('SIGINT')
    t.equal(await a.nextSignal(), 'SIGTERM')
    if (isTwice) run.signal('SIGINT')
    t.same(await run.exited, {code: 0, signal: null})
    t.same(await rig.leftovers(), [])
  }
})

const skip = inDisguise('macOS hides that such a daemon of its own programs is ours, once its parent has gone')

t.test('a daemon left by an app that ended with 0 lives until the run ends', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  const pid = await a.spawn({leavesGroup: true})
  await a.exit(0)
  await run.waitForLine('Exited App successfully')
  t.doesNotThrow(() => process.kill(pid, 0))
  await b.exit(0)
  t.same(await run.exited, {code: 0, signal: null})
  t.same(await rig.leftovers(), [])
})

t.test('a daemon that others use outlives a restart of its app, and ends with the run, also with kill -9', async t => {
  for (const end of ['SIGTERM', 'SIGKILL'] as const) {
    const rig = await openRig(t)
    const daemon = '../nx/src/daemon/server.sh'
    // what holds the pipes of its app belongs to it
    const start = `[ -e daemon.pid ] || setsid sh ${daemon} >/dev/null 2>&1 &\n`
    const wait = 'while ! [ -s daemon.pid ]; do sleep 0.05; done; echo up; exec sleep 300'
    await rig.template([{appID: 'a', command: ['sh', '-c', start + wait]}])
    await rig.write({'nx/src/daemon/server.sh': 'echo $$ > daemon.pid; sleep 300; :\n'})
    const run = rig.pillion(['run', '-f', '.'])
    await run.waitForLine('== APP - a == up')
    const pid = Number(await readFile(join(rig.folder, 'a/daemon.pid'), 'utf8'))
    t.match(await rig.run(['restart', 'a']), {code: 0})
    await run.waitForLine('== APP - a == up', {nth: 2})
    t.doesNotThrow(() => process.kill(pid, 0))
    run.signal(end)
    await run.exited
    t.same(await rig.leftovers(), [])
  }
})

t.test('an app that is started while the last one finishes its calls keeps the run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true, stop: {timeout: '60s'}}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await a.listen()
  await run.waitForLine('Writing log files', {nth: 2})
  await rig.run(['stop', 'b'])
  const answer = fetch(`http://127.0.0.1:${a.env['DAPR_HTTP_PORT'] ?? ''}/v1.0/invoke/a/method/slow`)
  const request = await a.nextRequest()
  const stopping = rig.run(['stop', 'a'])
  while ((await appsOf(rig)).some(({state}) => state !== 'stopped')) await pause(5)
  t.match(await rig.run(['start', 'b']), {code: 0})
  // the app ends as soon as its answer has gone, perhaps before it says so
  void request.reply().catch(() => undefined)
  t.match(await answer, {status: 200})
  t.match(await stopping, {code: 0})
  t.notOk(run.hasExited)
  t.match(await rig.run(['list', '-o', 'json']), {stdout: /"appId": ?"b"/})
})

t.test('stop ID -f ends that app alone: the file says of which run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', replicas: 2}])
  await rig.write({'other/dapr.yaml': JSON.stringify({version: 1, apps: [{appID: 'a', command: ['true']}]})})
  const run = rig.pillion(['run', '-f', '.'])
  const apps = [await rig.driven('a'), await rig.driven('a')]
  await run.waitForLine('Writing log files', {nth: 2})
  t.match(await rig.run(['stop', 'a.2', '-f', 'dapr.yaml']), {code: 0, stderr: ''})
  await Promise.race(apps.map(async app => app.closed))
  t.match(await rig.run(['stop', 'a', '-f', 'other/dapr.yaml']), {stderr: /failed to stop app id a: /})
  t.notOk(run.hasExited, 'neither the run, nor an app of another template')
})

t.test('a stdout that is closed under us ends the run with 0', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: ['sh', '-c', 'while :; do echo tick; sleep 0.05; done']}])
  const pipeline = rig.start([
    'sh',
    '-c',
    '{ "$@"; echo "ended with $?" >&2; } | head -n 5',
    'sh',
    ...rig.program,
    'run',
    '-f',
    '.'
  ])
  await pipeline.exited
  t.match(pipeline.stderr.text, /ended with 0\n$/)
  t.same(await rig.leftovers(), [])
})
