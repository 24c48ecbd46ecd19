import {existsSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {openRig, type Rig, type TemplateApp} from '../rig/rig.ts'
import {noScreen, Screen, type ScreenOptions} from '../rig/screen.ts'

const skip = noScreen

const live = (rig: Rig, options?: ScreenOptions): Screen => new Screen(rig, [...rig.program, 'run', '-f', '.'], options)

/** Keys that ask for a word: a second one would be its beginning. */
const ASKING: readonly string[] = ['l', 'r']

/** Presses a key until what it does is shown: keys that come close together are taken for pasted text. */
async function press(screen: Screen, key: string, shown: RegExp): Promise<void> {
  const isShown = screen.shows(shown).then(() => true)
  screen.type(key)
  if (ASKING.includes(key)) return void (await isShown)
  while (!(await Promise.race([isShown, pause(250, false)]))) screen.type(key)
}

/** The terminal is as it was; looked at until it is. */
async function isRestored(screen: Screen): Promise<boolean> {
  while (!(await screen.isAsBefore())) await pause(20)
  return true
}

t.test('a line for each app becomes its state and address, in place of Dapr’s start lines', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'db', autoPort: true},
    {appID: 'api', autoPort: true, dependsOn: ['db']},
    {appID: 'worker'}
  ])
  const screen = live(rig)
  const [db] = await Promise.all([rig.driven('db'), rig.driven('worker')])
  await screen.line(/^1 of 3 ready$/)
  t.match(screen.lines.slice(-4, -1).join('|'), /^ {2}db +starting\| {2}api +waits for db\| {2}worker +ready$/)
  await db.listen()
  const api = await rig.driven('api')
  await screen.line(/^2 of 3 ready$/)
  await db.print('above\n')
  await screen.line(/^== APP - db == above$/)
  await api.listen()
  await screen.line(/^3 apps ready in \d+\.\d s · Ctrl-C stops · h help$/)
  const shown = screen.lines.join('\n')
  t.match(shown, new RegExp(`^ {2}db +ready +http://localhost:${db.env['APP_PORT'] ?? ''}\n {2}api +ready +http`, 'm'))
  t.equal(shown.match(/^ {2}(db|api|worker) /gm)?.length, 3, 'one line for each app')
  t.notMatch(shown, /waits for|Started Dapr|Writing log files/)
  screen.type('\x03')
  await screen.line(/^3 apps stopped in \d+\.\d s$/)
  await screen.ended()
  t.ok(await screen.isAsBefore())
  t.match(screen.lines.join('|'), /\|stopping 3 apps …\|3 apps stopped in [^|]*\|*$/, 'two lines')
  t.notMatch(screen.text, /termination signal|Exited/)
})

t.test('an app that an edit adds after the start has the lines that tell its ports', {skip}, async t => {
  const rig = await openRig(t)
  const first: TemplateApp = {appID: 'first', command: ['sleep', '300']}
  await rig.template([first])
  const screen = new Screen(rig, [...rig.program, 'up', '--watch'])
  await screen.line(/^1 app ready in \d/)
  t.notMatch(screen.lines.join('\n'), /Started Dapr/)
  await rig.template([first, {...first, appID: 'second'}])
  await screen.line(/Started Dapr with app id "second"\. HTTP Port: \d+/)
  t.notMatch(screen.lines.join('\n'), /Started Dapr with app id "first"/)
  screen.type('\x03')
  await screen.ended()
})

t.test('a one-shot app that has finished and is watched is no obstacle to being ready', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'job', command: ['true'], watch: true},
    {appID: 'worker', command: ['sleep', '300']}
  ])
  const screen = live(rig)
  await screen.line(/^2 apps ready in \d/)
  await screen.line(/^ {2}job +exited 0$/)
  screen.type('\x03')
  await screen.ended()
})

t.test('keys: help, times, processes, the lines of some apps, restart, clear', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api', autoPort: true}, {appID: 'worker'}])
  const screen = live(rig)
  const [api, worker] = await Promise.all([rig.driven('api'), rig.driven('worker')])
  await api.listen()
  await screen.line(/^2 apps ready in/)
  await press(screen, 'h', /r {2}restart apps[^]*q {2}stop, like Ctrl-C/)
  await press(screen, 'p', /ID +STATE +URL[^]*api +\S*ready\S* +http:\/\/localhost:\d+ +\d+m?s /)
  await press(screen, 'c', /\x1b\[H\x1b\[2J/) // oxlint-disable-line no-control-regex
  await press(screen, 'l', /show the lines of which apps/)
  screen.type('work')
  await screen.shows(/\(Enter: all\) work/)
  await press(screen, '\n', /only lines of worker are shown/)
  await api.print('hidden\n')
  await worker.print('shown\n')
  await screen.line(/^== APP - worker == shown$/)
  t.notMatch(screen.text, 'hidden')
  await press(screen, 'l', /only lines of worker are shown[^]*show the lines of which apps/)
  await press(screen, '\n', /all lines are shown/)
  await api.print('seen again\n')
  await screen.line(/^== APP - api == seen again$/)
  await press(screen, 'r', /restart which apps/)
  screen.type('nobody')
  await screen.shows(/\(Enter: none\) nobody/)
  await press(screen, '\n', /no app "nobody" in this run/)
  await press(screen, 'r', /no app "nobody"[^]*restart which apps/)
  screen.type('1')
  await screen.shows(/\(Enter: none\) 1/)
  await press(screen, '\n', /\(Enter: none\) 1\r\x1b\[K/) // oxlint-disable-line no-control-regex
  await (await rig.driven('api')).listen()
  await screen.line(/^ℹ️ {2}api: reloaded in \d+ ms/)
  await screen.line(/app restarted successfully: api/)
  screen.type('t')
  for (let i = 0; !/^\d\d:\d\d:\d\d\.\d{3} == APP - worker == \d+$/m.test(screen.lines.join('\n')); i++) {
    await worker.print(`${i}\n`)
    await pause(20)
  }
  await press(screen, 'q', /^stopping 2 apps …/m)
  await screen.line(/^2 apps stopped in/)
})

t.test('pasted text triggers nothing, in one piece or byte by byte', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  const screen = live(rig)
  const api = await rig.driven('api')
  await screen.line(/^1 app ready in/)
  screen.type('quit\rrm -rf /\nq\nhelp')
  screen.typeEach('q\nr1\nq')
  await api.print('after\n')
  await screen.line(/== APP - api == after/)
  await press(screen, 'h', /restart apps/)
  t.notMatch(screen.text, /stopping|restart which/)
  screen.type('\x03')
  await screen.ended()
})

t.test('c clears the screen also while apps start, and what is waited for is shown again', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'db', autoPort: true}])
  const screen = live(rig)
  const db = await rig.driven('db')
  await screen.line(/^0 of 1 ready$/)
  await press(screen, 'c', /\x1b\[H\x1b\[2J[^]*0 of 1 ready/) // oxlint-disable-line no-control-regex
  await db.listen()
  await screen.line(/^1 app ready in/)
  screen.type('\x03')
  await screen.ended()
})

for (const [name, end] of [
  ['kill -9', (screen: Screen) => screen.kill('SIGKILL')],
  ['a Ctrl-backslash', (screen: Screen) => screen.type('\x1c')],
  ['TERM', (screen: Screen) => screen.kill('SIGTERM')],
  ['q', (screen: Screen) => screen.type('q')]
] as const)
  t.test(`after ${name} the terminal shows again what is typed`, {skip}, async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'api'}])
    const screen = live(rig)
    await rig.driven('api')
    await screen.line(/^1 app ready in/)
    t.notOk(await screen.isAsBefore(), 'keys come at once')
    end(screen)
    await screen.ended()
    t.ok(await isRestored(screen))
    await screen.close()
    t.same(await rig.leftovers(10_000), [])
  })

/** A run that was started in a shell, with its only app. */
async function openShell(t: Test) {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  const screen = new Screen(rig, ['bash', '--norc', '--noediting', '-i'], {env: {PS1: '', PS2: ''}})
  const typed = [...rig.program, 'run', '-f', '.'].map(word => `'${word}'`).join(' ')
  screen.type(`${typed}\n`)
  const api = await rig.driven('api')
  await screen.line(/^1 app ready in/)
  return {rig, screen, api}
}

t.test('Ctrl-Z gives the terminal to the shell, fg takes it; in the background nothing freezes', {skip}, async t => {
  const {screen, api} = await openShell(t)
  screen.type('\x1a')
  await screen.line(/Stopped/)
  screen.type('stty -a | grep -wo -e -echo -e echo | sed s/^/state:/\n')
  t.match(await screen.line(/state:-?echo$/), /state:echo$/)
  screen.type('bg; echo in the "background"\n')
  await screen.line(/in the background$/)
  await api.print('still here\n')
  await screen.line(/== APP - api == still here/)
  screen.type('fg\n')
  await press(screen, 'h', /restart apps/)
  screen.type('\x03')
  await screen.line(/^1 app stopped in/)
})

t.test('suspended and resumed from outside, and then brought back by fg, it has its keys again', {skip}, async t => {
  const {rig, screen, api} = await openShell(t)
  const [{cliPid} = {cliPid: 0}] = JSON.parse((await rig.run(['list', '-o', 'json'])).stdout) as {cliPid: number}[]
  process.kill(cliPid, 'SIGSTOP')
  await screen.line(/Stopped/)
  process.kill(cliPid, 'SIGCONT')
  await api.print('still here\n')
  await screen.line(/== APP - api == still here/)
  screen.type('echo in the "shell"\n')
  await screen.line(/in the shell$/)
  await api.print('and not frozen\n')
  await screen.line(/== APP - api == and not frozen/)
  screen.type('fg\n')
  await press(screen, 'h', /restart apps/)
  t.notOk(await screen.isAsBefore(), 'keys are not shown')
  screen.type('\x03')
  await screen.line(/^1 app stopped in/)
  screen.type('echo at the "end"\n')
  await screen.line(/at the end$/)
  t.ok(await screen.isAsBefore(), 'the shell has its terminal again')
})

t.test('the reason for a slow end is shown; a second Ctrl-C kills, and the last line says whom', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'db', stop: {timeout: '60m'}}, {appID: 'api'}])
  const screen = live(rig)
  const [db] = await Promise.all([rig.driven('db'), rig.driven('api')])
  await screen.line(/^2 apps ready in/)
  await db.catchSignal('SIGTERM')
  screen.type('\x03')
  await screen.shows(new RegExp(`waiting for db \\(pid ${db.pid}\\) · Ctrl-C again kills`))
  screen.type('\x03')
  await screen.line(/^2 apps stopped in \d+\.\d s · killed: db$/)
  await screen.ended()
  t.notMatch(screen.lines.join('\n'), 'waiting for db', 'and it is gone')
})

for (const [who, isKey] of [
  ['the key q', true],
  ['another terminal', false]
] as const)
  t.test(`Ctrl-C kills where the terminal says so, though ${who} has asked for the end`, {skip}, async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'db', stop: {timeout: '60m'}}])
    const screen = live(rig)
    const db = await rig.driven('db')
    await screen.line(/^1 app ready in/)
    await db.catchSignal('SIGTERM')
    if (isKey) await press(screen, 'q', /stopping 1 app/)
    const down = isKey ? undefined : rig.pillion(['down'])
    await screen.shows(/Ctrl-C again kills/)
    screen.type('\x03')
    await screen.line(/^1 app stopped in \d+\.\d s · killed: db$/)
    await down?.exited
  })

t.test('a crash does not wrap', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api', autoPort: true}, {appID: 'caller'}])
  const screen = live(rig)
  const [api, caller] = await Promise.all([rig.driven('api'), rig.driven('caller')])
  await api.listen()
  void caller.fetch(`/v1.0/invoke/api/method/${'long/'.repeat(20)}`).catch(() => undefined)
  await api.nextRequest()
  const why = `Error: ${'no such order in the list of all orders '.repeat(5)}${'x'.repeat(100)}`
  await api.print(`${why}\n`, 'stderr')
  await api.exit(1)
  await screen.line(/^ {4}x+$/)
  const at = screen.lines.findIndex(line => line.startsWith('⚠  "api" exited with code 1'))
  const told = screen.lines.slice(at).filter(line => /^(⚠ | {4})/.test(line))
  t.ok(told.length >= 5, told.join('|'))
  t.same(
    told.filter(line => line.length > 80),
    []
  )
})

t.test('apps that end by themselves: one line says how', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'job'}, {appID: 'other'}])
  const screen = live(rig)
  const [job, other] = await Promise.all([rig.driven('job'), rig.driven('other')])
  await screen.line(/^2 apps ready in/)
  await job.exit(3)
  await other.exit(0)
  await screen.line(/^2 apps ended after \d+\.\d s · job exited 3$/)
  await screen.ended()
  t.ok(await screen.isAsBefore())
})

t.test('with 30 apps nothing of ours is wider than the terminal: 80 columns, 20, and resized', {skip}, async t => {
  const rig = await openRig(t)
  const ids = Array.from({length: 30}, (_, i) => `service-${i}`)
  await rig.template(
    ids.map(appID => ({
      appID,
      autoPort: true,
      appDirPath: '.',
      ...(appID !== 'service-0' && {dependsOn: ['service-0']})
    }))
  )
  for (const columns of [80, 20]) {
    const screen = live(rig, {columns})
    const first = await rig.driven('service-0')
    await screen.shows(/0 of 30 ready/)
    screen.resize(columns - 1, 24)
    screen.resize(columns, 24)
    await first.listen()
    await Promise.all(ids.slice(1).map(async id => (await rig.driven(id)).listen()))
    await screen.line(/^30 apps ready/)
    await press(screen, 'h', /restart a/)
    await press(screen, 'p', /ID +STA/)
    await press(screen, 'r', / {2}9 {2}[^]*\(Enter: none\)/)
    const shown = screen.text.split(/\r\n|\r\x1b\[K/).map(line => line.replaceAll(/\x1b\[[\d;]*[mHJK]/g, '')) // oxlint-disable-line no-control-regex
    const daprs = /^(ℹ️|⚠) {2}(Validating|Started|Writing)/
    t.same(
      shown.filter(line => line.length > columns && !daprs.test(line)),
      []
    )
    screen.type('\x03')
    await screen.line(/^30 apps stopped/)
    await screen.ended()
  }
})

t.test('an app is ready while stty still runs: its line has the keys, broken between words', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api', autoPort: true}])
  const stty = '#!/bin/sh\necho >asked\nuntil [ -e go ]; do sleep 0.02; done\nPATH=$REAL_PATH exec stty "$@"\n'
  writeFileSync(join(rig.folder, 'stty'), stty, {mode: 0o755})
  const path = process.env['PATH'] ?? ''
  const screen = live(rig, {columns: 40, env: {PATH: `${rig.folder}:${path}`, REAL_PATH: path}})
  const api = await rig.driven('api')
  while (!existsSync(join(rig.folder, 'asked'))) await pause(20)
  await api.listen()
  await rig.until(['ps'], 'api  ready')
  await rig.write({go: ''})
  await screen.line(/^1 app ready in \d+\.\d s · Ctrl-C stops · h$/)
  await screen.line(/^ {4}help$/)
  t.same(
    screen.lines.filter(line => line.length > 40),
    []
  )
  screen.type('\x03')
  await screen.ended()
})

t.test('where stdin or stdout is no terminal, and with --log-as-json, nothing of it is shown', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  const quoted = [...rig.program, 'run', '-f', '.'].map(word => `'${word}'`).join(' ')
  for (const command of [`${quoted} </dev/null`, `${quoted} <&-`, `${quoted} | cat`, `${quoted} --log-as-json`]) {
    const screen = new Screen(rig, ['sh', '-c', command])
    const api = await rig.driven('api')
    await screen.shows(/Validating config[^]*Started Dapr[^]*Writing log files/)
    t.ok(await screen.isAsBefore(), command)
    await api.exit(0)
    await screen.ended()
    t.notMatch(screen.text, /ready in|apps? ended|\x1b\[K/, command) // oxlint-disable-line no-control-regex
  }
})

t.test('a terminal that does not tell its size is taken for one of 80 columns', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  const screen = live(rig, {columns: 0, rows: 0})
  const shop = await rig.driven('shop')
  await screen.line(/^0 of 1 ready$/)
  await shop.listen()
  await screen.line(/^1 app ready in /)
  const ps = new Screen(rig, [...rig.program, 'ps'], {columns: 0, rows: 0})
  await ps.line(/^shop +ready +http:/)
})
