import t from 'tap'
import {echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import {freePort, freePorts} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'

t.test('with the scope group, what has left the group lives on after the run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', stop: {scope: 'group', timeout: '500ms'}}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  const inside = await a.spawn()
  const outside = await a.spawn({leavesGroup: true})
  await run.waitForLine('Writing log files')
  t.match(await run.end(), {code: 0})
  const left = await rig.leftovers(0)
  t.equal(left.length, 1)
  t.match(left[0], `${outside} sleep`)
  t.notMatch(left[0], inside.toString())
  process.kill(outside)
})

t.test('the scope group is that of each process, also where an edit or a stop has closed its app since', async t => {
  const rig = await openRig(t)
  const stop = {timeout: '500ms'}
  await rig.template([{appID: 'a', stop}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.', '--watch'])
  await Promise.all([rig.driven('a'), rig.driven('b')])
  await rig.template([{appID: 'a', stop: {...stop, scope: 'group'}}, {appID: 'b'}])
  const outside = await (await rig.driven('a')).spawn({leavesGroup: true})
  await rig.run(['stop', 'a'])
  await rig.run(['start', 'a'])
  await rig.driven('a')
  t.match(await run.end(), {code: 0})
  const left = await rig.leftovers(0)
  t.match(left, [`${outside} sleep`])
  process.kill(outside)
})

for (const appProtocol of ['http', 'grpc'])
  t.test(`ready by a port but not the appPort (${appProtocol}): calls end with that reason`, async t => {
    const rig = await openRig(t)
    const [tcp, appPort] = await freePorts(2)
    const command = [
      process.execPath,
      '-e',
      `require('node:net').createServer(() => console.log('probed')).listen(${String(tcp)}, '127.0.0.1')`
    ]
    await rig.template([{appID: 'a', appPort, appProtocol, command, ready: {tcp}}])
    const run = rig.pillion(['run', '-f', '.'])
    const {http, grpc} = await run.ports('a')
    const why = new RegExp(`dial tcp 127\\.0\\.0\\.1:${String(appPort)}: connect: connection refused`)
    const response = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/a/method/x`)
    t.match(await response.text(), why)
    t.match(await echoClient(t, grpc).call({'dapr-app-id': 'a'}), {code: 14, message: why})
    await run.end()
    t.ok(run.stdout.text.split('probed').length < 10, 'it is not probed again and again')
  })

t.test('ready: none: an app with a port is ready when it runs', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true, ready: 'none'},
    {appID: 'after', dependsOn: ['a']}
  ])
  rig.pillion(['run', '-f', '.'])
  await Promise.all([rig.driven('a'), rig.driven('after')])
  t.pass('it never listened')
})

t.test('an app that is not ready in time brings one warning that says what was tried, and is awaited on', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true, ready: {http: '/up', timeout: '300ms'}},
    {appID: 'b', ready: {log: 'up!', timeout: 0.3}},
    {appID: 'after', dependsOn: ['a']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [a] = await Promise.all([rig.driven('a'), rig.driven('b')])
  const port = a.env['PORT'] ?? ''
  await run.waitForLine(`⚠  "a" is not ready after 0.3 s: GET http://127.0.0.1:${port}/up or http://[::1]:${port}/up`, {
    stream: 'stderr'
  })
  await run.waitForLine('⚠  "b" is not ready after 0.3 s: a line that matches /up!/', {stream: 'stderr'})
  await a.answer({})
  await a.listen()
  await rig.driven('after')
  t.equal(run.stderr.lines.length, 2)
})

t.test('restart: always starts an app again that ended with 0, until the run is stopped', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', restart: 'always'}])
  const run = rig.pillion(['run', '-f', '.'])
  const first = await rig.driven('a')
  await first.exit(0)
  const second = await rig.driven('a')
  t.not(second.pid, first.pid)
  await run.waitForLine('Writing log files')
  t.match(await run.end('SIGINT'), {code: 0})
})

t.test('restart: no leaves an app down', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a'}, {appID: 'b'}])
  const run = rig.pillion(['run', '-f', '.'])
  const [a, b] = await Promise.all([rig.driven('a'), rig.driven('b')])
  await a.exit(1)
  await run.waitForLine('The App process exited with error code: exit status 1')
  await b.exit(0)
  t.match(await run.exited, {code: 1})
  t.equal(run.stdout.text.match(/exited with error code/g)?.length, 1)
})

t.test('the pauses between short lives double, and after the fifth one callers are told at once', async t => {
  const rig = await openRig(t)
  await rig.template([
    {
      appID: 'stock',
      appPort: await freePort(),
      restart: 'always',
      command: ['sh', '-c', 'date +%s%N; echo no disk >&2; exit 4']
    },
    {appID: 'shop'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  const held = shop.fetch('/v1.0/invoke/stock/method/x')
  await run.waitForLine('exit status 4', {nth: 5})
  const {status, body} = await held
  t.equal(status, 500)
  t.match((JSON.parse(body) as {message: string}).message, /\("stock" keeps exiting: \d times in .*: no disk\)$/)
  t.match(await shop.fetch('/v1.0/invoke/stock/method/y'), {status: 500}, 'while it waits for its next start')
  const births = run.stdout.lines
    .flatMap(line => /== APP - stock == (\d{16,})/.exec(line)?.[1] ?? [])
    .slice(0, 5)
    .map(Number)
  const pauses = births.slice(1).map((birth, index) => (birth - (births[index] ?? 0)) / 1e6)
  t.equal(pauses.length, 4)
  for (const [index, least] of [100, 200, 400, 800].entries())
    // a timer may be a little early, by the clock of another process
    t.ok((pauses[index] ?? 0) > least * 0.95, `${pauses[index]?.toFixed() ?? ''} ms, at least ${least}`)
})
