import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {rigWithApp} from '../rig/detached.ts'

t.test('up -d leaves the run in the background once its apps are ready, and down ends it', async t => {
  const rig = await rigWithApp(t)
  const {code, stdout, stderr} = await rig.run(['up', '-d'])
  t.same({code, stderr}, {code: 0, stderr: ''})
  t.match(
    stdout,
    /^ {2}a {2}ready {2}http:\/\/localhost:\d+\n1 app ready in [\d.]+ s · pillion logs shows lines · pillion down stops\n$/
  )
  t.match(await rig.run(['invoke', '--app-id', 'a', '--method', 'x', '--verb', 'GET']), {code: 0, stdout: /hello/})
  t.match(await rig.run(['down']), {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('attach shows the run, with its reloads; Ctrl-C leaves it running, and its end ends attach', async t => {
  const rig = await openRig(t)
  const code = 'console.log("v", process.env.MARK); setInterval(() => {}, 1000)'
  await rig.template([{appID: 'a', env: {MARK: '1'}, command: ['node', '-e', code]}])
  t.teardown(async () => rig.run(['down']))
  t.match(await rig.run(['attach']), {code: 1})
  await rig.run(['up', '-d'])
  const first = rig.pillion(['attach'])
  await first.waitForLine('== APP - a == v 1')
  await rig.run(['restart', 'a'])
  await first.waitForLine('== APP - a == v 1', {nth: 2})
  await first.waitForLine('a: reloaded in')
  t.match(await first.end('SIGINT'), {code: 0})
  t.match(
    first.stderr.lines.join('\n'),
    /attached to [^]*detached: .* continues, and pillion down --name work ends it$/
  )
  t.match(await rig.run(['ps']), {stdout: /a +ready/})
  const second = rig.pillion(['attach'])
  await second.waitForLine('== APP - a == v 1', {nth: 2})
  await rig.run(['down'])
  t.match(await second.exited, {code: 0})
  t.match(second.stderr.lines.join('\n'), /the run has ended$/)
})

t.test('what up -d says to type is about its own run: of one with a name, of another template there', async t => {
  const rig = await rigWithApp(t)
  await rig.run(['up', '-d'])
  await rig.write({'other.yaml': await readFile(join(rig.folder, 'dapr.yaml'), 'utf8')})
  for (const [name, args] of [
    ['two', ['--name', 'two']],
    ['work-2', ['-f', 'other.yaml']]
  ] as const) {
    const {stdout} = await rig.run(['up', '-d', ...args])
    t.match(stdout, `pillion logs --name ${name} shows lines · pillion down --name ${name} stops\n`)
    t.match(await rig.run(['down', '--name', name]), {code: 0})
    t.match((await rig.run(['ps', '-o', 'json'])).stdout, /"runName":"work"/, 'the first run stays')
  }
  await rig.write({'my other.yaml': await readFile(join(rig.folder, 'dapr.yaml'), 'utf8')})
  await rig.run(['up', '-d', '-f', 'my other.yaml'])
  t.match(await rig.run(['up', '-f', 'my other.yaml']), {
    code: 0,
    stdout:
      "\npillion ps --run-file 'my other.yaml' shows it · pillion logs --run-file 'my other.yaml' shows lines · pillion down --run-file 'my other.yaml' stops"
  })
  t.match(await rig.run(['down', '-f', 'my other.yaml']), {code: 0})
})

t.test('of a run that has ended, of another template than the folder’s, it says how to see the lines', async t => {
  const rig = await openRig(t)
  const of = 'version: 1\napps:\n  - {appID: a, appDirPath: ., command: [sh, -c, "echo last words; exit 3"]}\n'
  await rig.write({'dapr.yaml': of.replace('last', 'other'), 'end.yaml': of.replace('appID: a', 'appID: b')})
  let args: string | undefined
  // a run that is asked for its apps before it has ended shows them
  while (args === undefined) {
    const {stderr} = await rig.run(['up', '-d', '-f', 'end.yaml'])
    args = /the run has ended: pillion (logs .*) shows what its apps wrote/.exec(stderr)?.[1]
    await rig.run(['down', '-f', 'end.yaml'])
  }
  t.equal(args, 'logs --run-file end.yaml')
  t.match((await rig.run(args.split(' '))).stdout, 'last words')
})

t.test('a template with a mistake: up -d says what up says, and nothing runs', async t => {
  const rig = await openRig(t)
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appID: a\n'})
  const said = await rig.run(['up', '-d'])
  t.match(said, {code: 1, stdout: '', stderr: /required field 'appDirPath' not found[^]*dapr\.yaml:3:5\n/})
  t.same(await rig.leftovers(), [])
})

t.test('an app that cannot become ready: exit code 1 with its reason, and the run goes on until down', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true, command: ['node', '-e', 'console.error("no licence"); process.exitCode = 3']},
    {appID: 'b', command: ['sleep', '1000']}
  ])
  t.teardown(async () => rig.run(['down']))
  const said = await rig.run(['up', '--detach'])
  t.match(said, {code: 1, stdout: /a {2}exited 3\n {2}b {2}ready\n/, stderr: /a: [^\n]*no licence/})
  t.match(await readFile(join(rig.folder, '.dapr/logs/up.log'), 'utf8'), /"a" exited with code 3/)
  t.match(await rig.run(['ps']), {stdout: /b +ready/})
  t.match(await rig.run(['down']), {code: 0})
  t.same(await rig.leftovers(), [])
})

t.test('up -d does not wait for what --except leaves out, whose sidecar takes calls', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true},
    {appID: 'b', command: ['sleep', '600']}
  ])
  const {code, stdout, stderr} = await rig.run(['up', '-d', '--except', 'a'])
  t.match({code, stdout}, {code: 0, stdout: /^ {2}b {2}ready\n1 app ready /})
  t.match(stderr, /^⚠ {2}"a" is not started \(--except\).*\n$/)
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0, stdout: '✅  ready: b\n'})
  t.match(await rig.run(['wait', '--for', 'ready:a']), {code: 1})
  t.match(await rig.run(['publish', '-i', 'a', '-p', 'pubsub', '-t', 'x', '-d', '1']), {code: 0, stderr: ''})
  t.match(await rig.run(['completion', 'ids', 'publish']), {code: 0, stdout: 'a\nb\n'})
  t.match(await rig.run(['down']), {code: 0})
})

t.test('a run that ends while up -d waits: exit code 1', async t => {
  const rig = await rigWithApp(t, 'process.exitCode = 3')
  t.match(await rig.run(['up', '-d']), {code: 1, stderr: /"a" exited with code 3/})
  t.same(await rig.leftovers(), [])
})

t.test('not ready in time: exit code 124, and the run goes on', async t => {
  const rig = await rigWithApp(t, 'console.log("still compiling"); setInterval(() => {}, 1000)')
  // the start of the run itself may take as long on a busy machine
  const stderr = /ready: [^]*a: |the run is not there after 2 s/
  t.match(await rig.run(['up', '-d', '--timeout', '2s']), {code: 124, stderr})
  while (!/a +starting/.test((await rig.run(['ps'])).stdout)) await pause(50)
  t.pass('it goes on')
})

t.test('Ctrl-C while up -d waits ends the run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}])
  const up = rig.pillion(['up', '-d'])
  await rig.driven('a')
  t.match(await up.end('SIGINT'), {code: 1})
  t.same(await rig.leftovers(), [])
})

t.test('Ctrl-C at the moment in which all is ready fails up -d, which waits for the end', async t => {
  const rig = await rigWithApp(
    t,
    `const listen = () => require('node:fs').existsSync('go') ? require('node:http').createServer().listen(process.env.PORT) : setTimeout(listen, 10)
    listen()
    process.on('SIGTERM', () => setTimeout(process.exit, 500))`
  )
  const up = rig.pillion(['up', '-d'])
  await rig.until(['list', '-o', 'json'], '"appId": "a"')
  up.signal('SIGSTOP')
  await rig.write({'a/go': ''})
  t.match(await rig.run(['wait', '--for', 'ready']), {code: 0})
  up.signal('SIGINT')
  up.signal('SIGCONT')
  t.match(await up.exited, {code: 1})
  t.same({out: up.stdout.text, left: await rig.leftovers(0)}, {out: '', left: []})
  t.match(up.stderr.text, 'the run has ended: pillion logs shows what its apps wrote')
})

t.test('a template that is piped in, and flags of up, are passed on', async t => {
  const rig = await rigWithApp(t)
  const template = await readFile(join(rig.folder, 'dapr.yaml'), 'utf8')
  const up = rig.pillion(['up', '-d', '-f', '-', '--name', 'second'])
  up.stdin.end(template)
  t.match(await up.exited, {code: 0})
  t.match(up.stdout.text, /1 app ready/)
  t.match(await rig.run(['down', '--name', 'second']), {code: 0})
  t.match(await rig.run(['up', '-d', '--junit', 'x.xml']), {
    code: 255,
    stderr: /--junit and --detach exclude each other/
  })
})
