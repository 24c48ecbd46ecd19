import {createServer, type Server} from 'node:http'
import {once} from 'node:events'
import {parseEnv} from 'node:util'
import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

/** What a debugger would start: a server on a port, that answers with its name. */
async function debugged(t: Test, port: number): Promise<Server> {
  const server = createServer((_, response) => response.end('from the debugger')).listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return server
}

const environmentIn = (shell: string): NodeJS.Dict<string> => parseEnv(shell.replaceAll(/^export /gm, ''))

t.test('debug ends the process, keeps sidecar and port, and calls wait for what listens there', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true, env: {GREETING: "it's\nme"}, ready: {timeout: '300ms'}, watch: true},
    {appID: 'b'},
    {appID: 'late', autoPort: true, ready: {timeout: '300ms'}}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all(['a', 'b', 'late'].map(async id => rig.driven(id)))
  if (a === undefined || b === undefined) throw new Error('they are there')
  await a.listen()
  await run.waitForLine('Writing log files', {nth: 3})
  const result = await rig.run(['debug', 'a'])
  const {stdout, stderr} = result
  t.equal(result.code, 0)
  await a.closed
  const port = Number(a.env['APP_PORT'])
  t.equal(
    stderr,
    `ℹ️  a is stopped for debugging; calls wait until it listens on port ${port}. To run it here again: pillion start a\n`
  )
  t.match(stdout, new RegExp(`^# a, in ${rig.folder}/a: .*driven.mjs\n(export \\w+=.*\n)+`))
  const given = environmentIn(stdout)
  for (const name of ['APP_ID', 'APP_PORT', 'PORT', 'DAPR_HTTP_PORT', 'DAPR_GRPC_PORT'])
    t.equal(given[name], a.env[name], name)
  t.notOk('PILLION_RUN' in given, 'what carries the mark is ended with the run')
  t.notOk('HOME' in given, 'as in the shell')
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {state: string}[]
  t.same(
    rows.map(({state}) => state),
    ['debugging', 'running', 'starting']
  )
  const call = b.fetch('/v1.0/invoke/a/method/x')
  await rig.write({'a/saved.txt': 'by its editor'})
  t.match(await b.fetch('/v1.0/invoke/late/method/x'), {status: 500}, 'its callers wait as long as others')
  await debugged(t, port)
  t.match(await call, {status: 200, body: 'from the debugger'}, 'it waited longer than ready.timeout')
  t.notMatch(run.stdout.text, 'reloaded')
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('start while the debugger’s process still has the port: it is named, with its template’s place', async t => {
  const rig = await openRig(t)
  const port = await freePort()
  const code = `require('http').createServer((_, response) => response.end()).listen(process.env.PORT)`
  await rig.template([{appID: 'a', port, command: ['node', '-e', code]}])
  const run = rig.pillion(['run', '-f', '.'])
  await rig.run(['wait', '--for', 'ready:a'])
  const given = environmentIn((await rig.run(['debug', 'a'])).stdout)
  await debugged(t, Number(given['PORT']))
  await rig.run(['start', 'a'])
  await run.waitForLine(`port ${given['PORT']} of "a" is already in use by`, {stream: 'stderr'})
  await run.waitForLine('"a" exited with code 1', {stream: 'stderr'})
  t.same((await run.end('SIGINT')).signal, null)
  t.notMatch(run.stderr.text, 'has to listen elsewhere', 'it read PORT')
})

t.test('an app in the debugger has not ended, and is handed over once; start takes it back', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await run.waitForLine('Writing log files', {nth: 2})
  const {stdout} = await rig.run(['debug', 'a'])
  t.match(await rig.run(['debug', 'a']), {code: 0, stdout, stderr: /a is already being debugged; calls wait/})
  t.match(await rig.run(['restart', 'a']), {
    code: 1,
    stderr: '❌  failed to restart app id a: it is being debugged; to run it here again: pillion start a\n'
  })
  await b.exit(0)
  await run.waitForLine('Exited App successfully')
  const starting = rig.run(['start', 'a'])
  const again = await rig.driven('a')
  t.match(await starting, {code: 0, stdout: '✅  app started successfully: a\n'})
  for (const name of ['DAPR_HTTP_PORT', 'APP_PORT']) t.equal(again.env[name], a.env[name], name)
  t.notOk(run.hasExited)
  await again.exit(3)
  t.same(await run.exited, {code: 1, signal: null}, 'the last result counts')
})

t.test('debug of an app that has ended, was stopped, waits, has no command, no port, or is nowhere', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'done', autoPort: true},
    {appID: 'stopped'},
    {appID: 'waits', autoPort: true, dependsOn: {done: 'completed'}},
    {appID: 'door', command: []},
    {appID: 'tester'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [done, , tester] = await Promise.all(['done', 'stopped', 'tester'].map(async id => rig.driven(id)))
  await run.waitForLine('Writing log files', {nth: 4})
  await done?.exit(3)
  await run.waitForLine('"waits" was not started', {stream: 'stderr'})
  await rig.run(['stop', 'stopped'])
  t.match(await rig.run(['debug', 'done']), {code: 0, stdout: /^# done/})
  t.match(await rig.run(['debug', 'stopped']), {
    code: 0,
    stderr: 'ℹ️  stopped is stopped for debugging. To run it here again: pillion start stopped\n'
  })
  t.match(await rig.run(['debug', 'waits']), {code: 0, stdout: /^# waits/})
  t.match(await rig.run(['debug', 'door']), {
    code: 1,
    stdout: '',
    stderr:
      '❌  failed to debug app id door: it has no command: start it yourself. To print its environment: pillion env door\n'
  })
  t.match(await rig.run(['env', 'door']), {code: 0, stdout: /^export APP_ID=door$/m})
  t.match(await rig.run(['debug', 'dore']), {
    code: 1,
    stderr: /^❌  couldn't find app id dore: did you mean "done"\?\nRunning: .*done/
  })
  t.match(await rig.run(['debug']), {code: 255, stderr: /^Error: debug needs the id of one app\n/})
  t.match(await rig.run(['debug', 'done', '--format', 'xml']), {code: 255, stderr: /expected shell, dotenv, vscode\n/})
  const call = tester?.fetch('/v1.0/invoke/done/method/x')
  await debugged(t, Number(done?.env['APP_PORT']))
  t.match(await call, {status: 200, body: 'from the debugger'})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('run --except leaves apps to the debugger from the start', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}, {appID: 'b', dependsOn: ['a']}, {appID: 'c'}])
  t.match(await rig.run(['run', '-f', '.', '--except', 'aa']), {
    code: 1,
    stderr: '❌  --except names "aa", which is not an app of this template\nDid you mean "a"? [no-such-app]\n'
  })
  const run = rig.pillion(['up', '--except', 'a'])
  const c = await rig.driven('c')
  t.equal(
    await run.waitForLine('"a" is not started', {stream: 'stderr'}),
    '⚠  "a" is not started (--except): "pillion env a" prints its environment, "pillion start a" starts it'
  )
  await run.waitForLine('Started Dapr with app id "a"')
  t.match((await rig.run(['ps'])).stdout, /^a +stopped .*\nb +waits for a /m)
  t.match(await rig.run(['why', 'a']), {
    stdout: '"a" is not started (--except): start it yourself, or by "pillion start a"\n'
  })
  const given = environmentIn((await rig.run(['env', 'a', '--format', 'dotenv'])).stdout)
  const call = c.fetch('/v1.0/invoke/a/method/x')
  await debugged(t, Number(given['APP_PORT']))
  t.match(await call, {status: 200, body: 'from the debugger'})
  await rig.driven('b')
  t.match((await rig.run(['ps'])).stdout, /^a +ready /m)
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('what --except left out is started by start and by restart, and calls to it name the command', async t => {
  const rig = await openRig(t)
  const ready = {timeout: '1s'}
  await rig.template([{appID: 'a', autoPort: true, ready}, {appID: 'b', autoPort: true, ready}, {appID: 'c'}])
  const run = rig.pillion(['up', '--except', 'a,b'])
  const c = await rig.driven('c')
  await run.waitForLine('Writing log files', {nth: 3})
  t.match(await c.fetch('/v1.0/invoke/a/method/x'), {
    status: 500,
    body: /waited 1 s; \\"a\\" is not started \(--except\): start it yourself, or by \\"pillion start a\\"/
  })
  const [starting, restarting] = [rig.run(['start', 'a']), rig.run(['restart', 'b'])]
  await Promise.all([rig.driven('a'), rig.driven('b')])
  t.match(await starting, {code: 0, stdout: '✅  app started successfully: a\n'})
  t.match(await restarting, {code: 0, stdout: '✅  app restarted successfully: b\n'})
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})

t.test('health checks do not count while an app is in the debugger', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true, enableAppHealthCheck: true, appHealthProbeInterval: 1, appHealthThreshold: 1},
    {appID: 'b'}
  ])
  rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await rig.run(['debug', 'a'])
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    response.writeHead(request.url === '/healthz' ? 500 : 200).end('x')
  }).listen(Number(a.env['APP_PORT']), '127.0.0.1')
  t.teardown(() => server.close())
  t.match(await b.fetch('/v1.0/invoke/a/method/x'), {status: 200})
  t.same(
    paths.filter(path => !path.startsWith('/dapr/')),
    ['/x']
  )
})

t.test('env prints what differs from the shell, or everything', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', env: {WORDS: `it's "so" $HOME`, LINES: 'one\ntwo', 'not.a.name': 'x'}},
    {appID: 'b', autoPort: true, command: ['sh', '-c', 'SERVER_PORT=$PORT exec sleep 600']}
  ])
  rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  const {stdout} = await rig.run(['debug', 'b'])
  t.match(stdout, "b: sh -c 'SERVER_PORT=$PORT exec sleep 600'\n")
  const inEditor = environmentIn(stdout)
  t.match(inEditor, {PORT: /^\d+$/, SERVER_PORT: inEditor['PORT']}, 'an editor starts it without the shell')
  const shell = await rig.run(['env', 'a'])
  const evaluated = rig.start(['sh', '-c', `${shell.stdout}\nprintf '%s|' "$WORDS" "$LINES" "$DAPR_HTTP_PORT"`])
  await evaluated.exited
  t.equal(evaluated.stdout.text, `it's "so" $HOME|one\ntwo|${a.env['DAPR_HTTP_PORT'] ?? ''}|`)
  t.notMatch(shell.stdout, /HOME=|PATH=/)
  const all = environmentIn((await rig.run(['env', 'a', '--all'])).stdout)
  t.equal(all['PATH'], a.env['PATH'])
  const entry = JSON.parse((await rig.run(['env', 'a', '--format', 'vscode'])).stdout) as Record<string, string>
  t.equal(entry['LINES'], 'one\ntwo')
  await rig.run(['stop', 'a'])
})

t.test('a single app is debugged, and one of several instances; several apps are left out at once', async t => {
  const rig = await openRig(t)
  const single = rig.pillion(['run', '-a', 'alone', '--', ...rig.drivenCommand])
  const alone = await rig.driven('alone')
  const follower = rig.pillion(['logs', 'alone', '-f'])
  await alone.print('one\n')
  await follower.waitForLine('one')
  t.match(await rig.run(['debug', 'alone', '--format', 'vscode']), {
    code: 0,
    stdout: /^\{\n {2}"type": "node",\n {2}"name": "alone"/
  })
  await alone.closed
  const starting = rig.run(['start', 'alone'])
  const again = await rig.driven('alone')
  t.match(await starting, {code: 0})
  await again.print('two\n')
  await follower.waitForLine('two')
  t.match(await rig.run(['logs', 'alone']), {stdout: 'one\ntwo\n'})
  await again.exit(0)
  t.same(await single.exited, {code: 0, signal: null})
  t.match(await follower.exited, {code: 0})
  t.equal(follower.stdout.text, 'one\ntwo\n')
  await rig.template([{appID: 'a', autoPort: true, replicas: 2}, {appID: 'b'}, {appID: 'c'}])
  const run = rig.pillion(['up', '--except', 'b', 'c'])
  await Promise.all([rig.driven('a'), rig.driven('a')])
  await run.waitForLine('"c" is not started', {stream: 'stderr'})
  t.match(await rig.run(['debug', 'a.2']), {code: 0, stdout: /^export APP_PORT=\d+$/m})
  const rows = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as readonly {state: string}[]
  t.same(
    rows.slice(1).map(({state}) => state),
    ['debugging', 'stopped', 'stopped']
  )
  t.same(await run.end('SIGINT'), {code: 0, signal: null})
})
