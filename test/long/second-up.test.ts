import {execFileSync} from 'node:child_process'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'
import {noScreen, Screen} from '../rig/screen.ts'

const LISTENS = `require('node:http').createServer((_, response) => response.end('hello')).listen(process.env.PORT, () => console.log('listens'))`

async function shop(t: Test, code = LISTENS): Promise<Rig> {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', autoPort: true, command: ['node', '-e', code]}])
  t.teardown(async () => rig.run(['down']))
  return rig
}

t.test('a second up on a pipe reports the run and exits with 0; --name starts one', async t => {
  const rig = await shop(t)
  const first = rig.pillion(['up'])
  await first.waitForLine('== APP - a == listens')
  await rig.run(['wait', '--for', 'ready'])
  for (const args of [['up'], ['up', '-f', 'dapr.yaml'], ['up', '--timestamps']])
    t.strictSame(await rig.run(args), {
      code: 0,
      stdout: `ℹ️  dapr.yaml is already running (pid ${first.pid}): 1 of 1 app ready\npillion ps shows it · pillion logs shows lines · pillion down stops\n`,
      stderr: ''
    })
  t.match(await rig.run(['up', '-d']), {code: 0, stderr: '', stdout: /^ {2}a {2}ready .*\n1 app ready in /})
  const json = await rig.run(['up', '-d', '-o', 'json'])
  t.match(JSON.parse(json.stdout), {
    name: 'work',
    pid: first.pid,
    outcome: 'ready',
    isNew: false,
    differences: [],
    apps: [{id: 'a', isReady: true}]
  })
  t.match(JSON.parse((await rig.run(['ps', '-o', 'json'])).stdout), {length: 1}, 'there is one run')
  const second = rig.pillion(['up', '--name', 'two'])
  await second.waitForLine('== APP - a == listens')
  t.match(await rig.run(['up', '--name', 'two']), {
    code: 0,
    stdout: `dapr.yaml --name two is already running (pid ${second.pid})`
  })
  t.match(await rig.run(['down', '--name', 'two']), {code: 0})
  await second.exited
  t.match(await rig.run(['down']), {code: 0})
  await first.exited
  t.match(await rig.run(['up', '-o', 'json']), {code: 255, stderr: /--output needs --detach/})
  t.match(JSON.parse((await rig.run(['up', '-d', '-o', 'json'])).stdout), {outcome: 'ready', isNew: true})
})

t.test('a second up with other flags, or another template, exits with 1 and says what differs', async t => {
  const rig = await shop(t)
  t.match(await rig.run(['up', '-d', '--env', 'X=1']), {code: 0})
  const table: readonly (readonly [readonly string[], string])[] = [
    [['--env=X=1', '--watch'], 'it runs without --watch'],
    [[], 'it runs with --env=X=1'],
    [['--env', 'X=1', '--only', 'a'], 'it runs without --only=a']
  ]
  for (const [args, text] of table)
    for (const form of [[], ['-d']]) {
      const {code, stdout, stderr} = await rig.run(['up', ...form, ...args])
      t.same({code, stdout}, {code: 1, stdout: ''}, text)
      t.match(stderr, `, and this up differs: ${text}\npillion down ends it, `)
    }
  const same = ['up', '-d', '--env', 'X=1']
  t.match(await rig.run(same), {code: 0})
  await rig.template([
    {appID: 'a', autoPort: true, command: ['node', '-e', `${LISTENS} // edited`]},
    {appID: 'b', command: ['sleep', '100']}
  ])
  t.match(await rig.run(same), {code: 1, stderr: 'differs: the template adds b; the template changes a\n'})
  const {stdout} = await rig.run([...same, '-o', 'json'])
  t.match(JSON.parse(stdout), {outcome: 'differs', differences: ['the template adds b', 'the template changes a']})
  await rig.write({'dapr.yaml': 'version: 1\napps:\n  - appID: a\n'})
  t.match(await rig.run(same), {code: 1, stderr: /differs: the template has a mistake: .*required field/})
  t.match(await rig.run(['ps']), {stdout: /a +ready/}, 'it still runs')
})

t.test('a run that follows its template differs by its flags alone', async t => {
  const rig = await shop(t)
  const first = rig.pillion(['up', '--watch'])
  await first.waitForLine('== APP - a == listens')
  await rig.template([{appID: 'a', autoPort: true, command: ['node', '-e', `${LISTENS} // edited`]}])
  await first.waitForLine('== APP - a == listens', {nth: 2})
  t.match(await rig.run(['up', '--watch']), {code: 0, stdout: /is already running/})
})

t.test('a second up while the first one ends waits for its end, then starts', async t => {
  const rig = await shop(
    t,
    `${LISTENS}; process.on('SIGTERM', () => { console.log('ends'); setTimeout(() => {}, 1e6) })
    setInterval(() => require('node:fs').existsSync('go') && process.exit(), 20)`
  )
  const first = rig.pillion(['up'])
  await first.waitForLine('== APP - a == listens')
  const down = rig.pillion(['down'])
  await first.waitForLine('== APP - a == ends')
  const second = rig.pillion(['up'])
  const third = rig.pillion(['up', '-d'])
  for (const each of [second, third])
    await each.waitForLine(`dapr.yaml is stopping (pid ${first.pid}): this run starts once it has ended`, {
      stream: 'stderr'
    })
  await rig.write({'a/go': ''})
  await Promise.all([first.exited, down.exited])
  await rig.run(['wait', '--for', 'exit:a'])
  // one of the two starts, and the other one finds it
  await third.exited
  t.match(third.stdout.text + third.stderr.text, /ready|has ended/)
})

t.test('of several up -d at once one starts the run, and all report it', async t => {
  const rig = await shop(t)
  const all = await Promise.all([1, 2, 3].map(async () => rig.run(['up', '-d', '-o', 'json'])))
  t.same(
    all.map(({code}) => code),
    [0, 0, 0],
    all.map(({stderr}) => stderr).join('')
  )
  const found = all.map(({stdout}) => JSON.parse(stdout) as {pid: number; isNew: boolean})
  t.equal(new Set(found.map(({pid}) => pid)).size, 1)
  t.equal(found.filter(({isNew}) => isNew).length, 1)
})

t.test('a worktree whose setup runs: up reports it, up -d waits beyond its timeout, ps and wait know it', async t => {
  const rig = await openRig(t)
  const setup = ['sh', '-c', 'echo begun; while ! [ -e go ]; do sleep 0.05; done']
  const apps = [{appID: 'a', appDirPath: '.', autoPort: true, command: ['node', '-e', LISTENS]}]
  await rig.write({'main/dapr.yaml': JSON.stringify({version: 1, setup, apps})})
  const git = (...args: readonly string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
      cwd: join(rig.folder, 'main'),
      stdio: 'pipe'
    })
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'all')
  git('worktree', 'add', '-q', '-b', 'pr', '../pr')
  const folder = 'pr'
  t.teardown(async () => rig.run(['down'], {folder}))
  // longer than the timeout, which counts from the end of the setup on
  const first = rig.pillion(['up', '-d', '--timeout', '5s'], {folder})
  const said = await first.waitForLine('its setup runs', {stream: 'stderr'})
  t.match(said, /its setup runs, output in .*\/up\.log\.\d+$/)
  const pid = /\d+$/.exec(said)?.[0] ?? ''
  const starting = `dapr.yaml is starting (pid ${pid}): its setup runs`
  t.match(await rig.run(['up'], {folder}), {
    code: 0,
    stdout: `ℹ️  dapr.yaml is already starting (pid ${pid}): its setup runs\n`
  })
  t.match(await rig.run(['up', '--watch'], {folder}), {code: 1, stderr: /differs: it runs without --watch/})
  t.match(await rig.run(['ps'], {folder}), {stderr: starting})
  t.match(await rig.run(['logs', '-f'], {folder}), {stderr: starting})
  t.match(await rig.run(['why'], {folder}), {code: 1, stderr: starting})
  const second = rig.pillion(['up', '-d', '--timeout', '5s'], {folder})
  await second.waitForLine(`already starting (pid ${pid}): its setup runs`, {stream: 'stderr'})
  t.match(await rig.run(['wait', '--for', 'ready', '--timeout', '6s'], {folder}), {code: 124, stderr: starting})
  await rig.write({'pr/go': ''})
  for (const each of [first, second]) {
    t.match(await each.exited, {code: 0}, each.stderr.text)
    t.match(each.stdout.text, /1 app ready/)
  }
})

const asks = async (screen: Screen, nth: number): Promise<void> => {
  screen.type('\x03')
  await screen.sees(text => text.split('d detaches, s stops the run').length > nth || undefined, 'the question')
}

t.test('on a terminal a second up attaches; Ctrl-C asks: go on, detach, or stop the run', {skip: noScreen}, async t => {
  const rig = await shop(t)
  const first = rig.pillion(['up'])
  await first.waitForLine('== APP - a == listens')
  const open = async (...args: readonly string[]): Promise<Screen> => {
    const screen = new Screen(rig, [...rig.program, 'up', ...args], {columns: 200})
    await screen.shows(/attached to .*dapr\.yaml \(pid \d+\): Ctrl-C detaches, or stops the run/)
    await screen.shows(/listens/)
    return screen
  }
  const screen = await open('--watch')
  t.match(screen.text, /it runs without --watch/)
  await asks(screen, 1)
  screen.type('x')
  await rig.run(['restart', 'a'])
  await screen.sees(text => text.split('listens').length > 2 || undefined, 'the line of the next process')
  await asks(screen, 2)
  screen.type('d')
  await screen.shows(/detached: /)
  await screen.ended()
  t.ok(await screen.isAsBefore())
  t.notOk(first.hasExited)
  const twice = await open()
  await asks(twice, 1)
  twice.type('\x03')
  await twice.shows(/detached: /)
  await twice.ended()
  t.notOk(first.hasExited)
  const last = await open()
  await asks(last, 1)
  last.type('s')
  await last.shows(/the run has ended/)
  await last.ended()
  t.ok(await last.isAsBefore())
  t.match(await first.exited, {code: 0})
})
