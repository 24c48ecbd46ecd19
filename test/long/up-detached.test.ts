import {existsSync} from 'node:fs'
import {mkdir, readdir, readFile, rm, watch} from 'node:fs/promises'
import {createServer} from 'node:http'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'
import {rigWithApp} from '../rig/detached.ts'

t.test('up -d --timeout is over also while the setup of a worktree runs, which goes on', async t => {
  const rig = await openRig(t)
  const app = {appID: 'a', appDirPath: '.', command: ['node', '-e', 'setInterval(() => {}, 1000)']}
  const wait = ['sh', '-c', 'touch begun; while ! [ -e go ]; do sleep 0.05; done']
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, setup: wait, apps: [app]})})
  const pr = {folder: 'pr'}
  t.teardown(async () => rig.run(['down'], pr))
  const said = await rig.run(['up', '-d', '--timeout', '100ms'], pr)
  t.match(said, {code: 124, stdout: '', stderr: /the run is not there after 100 ms: [^]*up\.log\n$/})
  while (!existsSync(join(rig.folder, 'pr/begun'))) await pause(20)
  await rig.write({'pr/go': ''})
  t.match(await rig.run(['wait', '--for', 'ready'], pr), {code: 0})
})

t.test('of two up -d at once one starts the run, and both report it', async t => {
  const rig = await rigWithApp(t)
  const both = await Promise.all([rig.run(['up', '-d']), rig.run(['up', '-d'])])
  t.match(
    both.toSorted((a, b) => a.stderr.length - b.stderr.length),
    [
      {code: 0, stdout: /1 app ready/, stderr: /^$/},
      // one that begins later sees the start of the other
      {code: 0, stdout: /a {2}ready/, stderr: /^(?:⌛ {2}dapr.yaml is already starting \(pid \d+\)\n)?$/}
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
  t.notMatch(first.stderr.text, 'called second')
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

t.test('an up -d that was killed leaves the log of its run to it', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'a', autoPort: true},
    {appID: 'b', command: ['sleep', '1000']}
  ])
  t.teardown(async () => rig.run(['down']))
  const first = rig.pillion(['up', '-d'])
  const app = await rig.driven('a')
  await first.end('SIGKILL')
  t.match(await rig.run(['up', '-d', '--name', 'second', '--only', 'b']), {code: 0})
  await app.exit(3)
  await rig.until(['ps', '-o', 'json'], '"exited"')
  await rig.run(['down', '--name', 'work'])
  const logs = join(rig.folder, '.dapr/logs')
  const names = (await readdir(logs)).filter(name => name.startsWith('up.log'))
  const texts = await Promise.all(names.map(async name => readFile(join(logs, name), 'utf8')))
  t.match(texts.join(''), /"a" exited with code 3/)
})

t.test('Ctrl-C ends up -d with its run, also if --timeout is over before that has ended', async t => {
  const rig = await openRig(t)
  const app = {appID: 'a', appDirPath: '.', command: ['sleep', '1000']}
  const setup = ['sh', '-c', 'touch begun; exec sleep 1000']
  await writeWorktrees(rig, {'dapr.yaml': JSON.stringify({version: 1, setup, apps: [app]})})
  const up = rig.pillion(['up', '-d', '--timeout', '10s'], {folder: 'pr'})
  while (!(await readdir(join(rig.folder, 'pr'))).includes('begun')) await pause(20)
  const [log = ''] = await readdir(join(rig.folder, 'pr/.dapr/logs'))
  const pid = Number(log.replace('up.log.', ''))
  process.kill(pid, 'SIGSTOP')
  up.signal('SIGINT')
  await pause(10_000)
  process.kill(pid, 'SIGCONT')
  t.match(await up.exited, {code: 1})
  t.notMatch(up.stderr.text, 'continues in the background')
  t.same(await rig.leftovers(), [])
})

for (const template of ['whole', 'broken'])
  t.test(`up -d whose log is removed while it starts, of a template that is ${template}`, async t => {
    const rig = await rigWithApp(t)
    const logs = join(rig.folder, '.dapr/logs')
    await mkdir(logs, {recursive: true})
    const text = template === 'whole' ? await readFile(join(rig.folder, 'dapr.yaml'), 'utf8') : 'apps: 1'
    const seen = watch(logs)[Symbol.asyncIterator]()
    const up = rig.pillion(['up', '-d', '-f', '-'])
    const names = new Set<string | null | undefined>()
    // made, then called by the pid of the run
    while (names.size < 2) names.add((await seen.next()).value?.filename)
    await rm(join(logs, [...names].at(-1) ?? ''))
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
