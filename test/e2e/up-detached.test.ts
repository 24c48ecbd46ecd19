import {mkdir, readdir, readFile, rm, watch} from 'node:fs/promises'
import {createServer} from 'node:http'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** A program that listens on its port after a moment. */
const LISTENS = `setTimeout(() => require('node:http').createServer((_, response) => response.end('hello')).listen(process.env.PORT), 200)`

async function rigWithApp(t: Test, code = LISTENS): Promise<Rig> {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true, command: ['node', '-e', code]}])
  t.teardown(async () => rig.run(['down']))
  return rig
}

t.test('up -d leaves the run in the background once its apps are ready, and down ends it', async t => {
  const rig = await rigWithApp(t)
  const {code, stdout, stderr} = await rig.run(['up', '-d'])
  t.same({code, stderr}, {code: 0, stderr: ''})
  t.match(
    stdout,
    /^ {2}a {2}ready {2}http:\/\/localhost:\d+\n1 app ready in [\d.]+ s · pillion logs -f follows · pillion down stops\n$/
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
  first.signal('SIGINT')
  t.match(await first.exited, {code: 0})
  t.match(first.stderr.lines.join('\n'), /attached to [^]*detached: .* continues, and pillion down ends it$/)
  t.match(await rig.run(['ps']), {stdout: /a +ready/})
  const second = rig.pillion(['attach'])
  await second.waitForLine('== APP - a == v 1', {nth: 2})
  await rig.run(['down'])
  t.match(await second.exited, {code: 0})
  t.match(second.stderr.lines.join('\n'), /the run has ended$/)
})

t.test('up -d --timeout is over also while the setup of a worktree runs, which goes on', async t => {
  const rig = await openRig(t)
  const app = {appID: 'a', appDirPath: '.', command: ['node', '-e', 'setInterval(() => {}, 1000)']}
  const wait = ['sh', '-c', 'touch begun; while ! [ -e go ]; do sleep 0.05; done']
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, setup: wait, apps: [app]})})
  const pr = {folder: 'pr'}
  t.teardown(async () => rig.run(['down'], pr))
  const said = await rig.run(['up', '-d', '--timeout', '100ms'], pr)
  t.match(said, {code: 124, stdout: '', stderr: /the run is not there after 100 ms: [^]*up\.log\n$/})
  await rig.write({'pr/go': ''})
  t.match(await rig.run(['wait', '--for', 'ready'], pr), {code: 0})
})

t.test('of two up -d at once each says what became of its own start', async t => {
  const rig = await rigWithApp(t)
  const both = await Promise.all([rig.run(['up', '-d']), rig.run(['up', '-d'])])
  t.match(
    both.toSorted((a, b) => Number(a.code) - Number(b.code)),
    [
      {code: 0, stdout: /1 app ready/, stderr: /^$/},
      {code: 1, stdout: '', stderr: /already/}
    ]
  )
  t.same(await readdir(join(rig.folder, '.dapr/logs')), ['up.log'])
})

t.test('each up -d shows the warnings of its own run', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true},
    {appID: 'b', command: ['sleep', '1000']}
  ])
  const first = rig.pillion(['up', '-d', '--only', 'a'])
  const app = await rig.driven('a')
  t.match(await rig.run(['up', '-d', '--name', 'second', '--only', 'b']), {
    code: 0,
    stderr: /This one is called second/
  })
  await app.listen()
  t.match(await first.exited, {code: 0})
  t.equal(first.stderr.text, '')
  await rig.run(['down'])
})

t.test('the log of an up -d that was killed goes with the next one, and that of one that runs stays', async t => {
  const rig = await rigWithApp(t)
  const own = `up.log.${process.pid}`
  await rig.write({[`.dapr/logs/${own}`]: '', '.dapr/logs/up.log.999999999': '', '.dapr/logs/up.log.old': ''})
  t.match(await rig.run(['up', '-d']), {code: 0})
  const logs = await readdir(join(rig.folder, '.dapr/logs'))
  t.same(logs.filter(name => name.startsWith('up')).toSorted(), ['up.log', own, 'up.log.old'])
})

for (const template of ['whole', 'broken'])
  t.test(`up -d whose log is removed while it starts, of a template that is ${template}`, async t => {
    const rig = await rigWithApp(t)
    const logs = join(rig.folder, '.dapr/logs')
    await mkdir(logs, {recursive: true})
    const text = template === 'whole' ? await readFile(join(rig.folder, 'dapr.yaml'), 'utf8') : 'apps: 1'
    const seen = watch(logs)[Symbol.asyncIterator]()
    const up = rig.pillion(['up', '-d', '-f', '-'])
    const {value} = await seen.next()
    await rm(join(logs, value?.filename ?? ''))
    await seen.return?.()
    up.stdin.end(text)
    const {code} = await up.exited
    t.equal(code, template === 'whole' ? 0 : 1)
    t.notMatch(up.stderr.text, /ENOENT/)
  })

t.test('a run that does not respond holds up neither up -d nor up --run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: ['sleep', '1000']}])
  const asked: string[] = []
  const silent = createServer(({url = ''}, response) => {
    if (url === '/api/v1/run') asked.push(url)
    else response.writeHead(404).end()
  })
  t.teardown(() => silent.closeAllConnections())
  const home = join(rig.runtimeDir, 'f'.repeat(8))
  await mkdir(home, {mode: 0o700})
  await new Promise<void>(resolve => silent.listen(join(home, 'socket'), resolve))
  t.match(await rig.run(['up', '-d']), {code: 0})
  t.match(await rig.run(['up', '--name', 'ci', '--run', 'true']), {code: 0})
  t.same(asked, [])
  await new Promise(resolve => silent.close(resolve)) // its socket goes, too
  t.match(await rig.run(['down']), {code: 0})
})

t.test('up -d of a run that ends well, however soon', async t => {
  const rig = await openRig(t)
  for (const seconds of ['0', '0.02', '0.04', '0.06', '0.08', '0.1', '0.12']) {
    await rig.template([{appID: 'a', command: ['sleep', seconds]}])
    t.match(await rig.run(['up', '-d']), {code: 0}, seconds)
  }
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

t.test('a run that ends while up -d waits: exit code 1', async t => {
  const rig = await rigWithApp(t, 'process.exitCode = 3')
  t.match(await rig.run(['up', '-d']), {code: 1, stderr: /"a" exited with code 3/})
  t.same(await rig.leftovers(), [])
})

t.test('not ready in time: exit code 124, and the run goes on', async t => {
  const rig = await rigWithApp(t, 'console.log("still compiling"); setInterval(() => {}, 1000)')
  t.match(await rig.run(['up', '-d', '--timeout', '2s']), {code: 124, stderr: /ready: [^]*a: /})
  t.match(await rig.run(['ps']), {stdout: /a +starting/})
})

t.test('Ctrl-C while up -d waits ends the run', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true}])
  const up = rig.pillion(['up', '-d'])
  await rig.driven('a')
  up.signal('SIGINT')
  t.match(await up.exited, {code: 1})
  t.same(await rig.leftovers(), [])
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
