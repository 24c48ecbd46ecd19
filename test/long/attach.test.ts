import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {displayOf} from '../rig/display.ts'
import {IN_NODE, openRig} from '../rig/rig.ts'
import {noScreen, Screen} from '../rig/screen.ts'
import {attached, DETACH, runOf, SHELL} from './attach-house.ts'

const skip = noScreen

t.test('a debugger: its prompt is shown, what is typed reaches it, and all is logged as lines', {skip}, async t => {
  const rig = await openRig(t)
  await rig.write({'pdb/x.py': 'price = 20\ntotal = price + 1\nprint("Grüße", total)\n'})
  const run = await runOf(rig, [{appID: 'pdb', tty: true, command: ['python3', '-m', 'pdb', 'x.py']}])
  await run.waitForLine('== APP - pdb == -> price = 20')
  const screen = attached(rig, ['pdb'])
  await screen.line(/attached to pdb: Ctrl-P Ctrl-Q detaches/)
  await screen.line(/^-> price = 20$/)
  await screen.line(/^\(Pdb\)$/)
  for (const [typed, shown] of [
    ['n\r', /^-> total = price \+ 1$/],
    ['n\r', /^-> print/],
    ['p total\r', /^21$/]
  ] as const) {
    screen.type(typed)
    await screen.line(shown)
  }
  t.notOk(await screen.isAsBefore(), 'each key is for the app')
  screen.type(DETACH)
  await screen.line(/^.*detached from pdb, which keeps running$/)
  await screen.line(/^code=0$/)
  await screen.ended()
  t.ok(await screen.isAsBefore())
  await run.waitForLine('== APP - pdb == (Pdb) p total')
  await run.waitForLine('== APP - pdb == 21')
  t.notMatch(run.stdout.text, '\r')
  const again = attached(rig, ['pdb'])
  await again.line(/^21$/)
  again.type('c\r')
  await again.line(/^Grüße 21$/)
  again.type('q\r')
  await again.line(/^code=0$/)
  t.match(again.text, /pdb exited with code 0/, 'also of the only app of a run, which is gone by then')
})

t.test('isTTY, the window’s size and changes, Ctrl-C, Ctrl-Z, and vi-like keys reach the app', {skip}, async t => {
  const rig = await openRig(t)
  const run = await runOf(rig)
  const screen = attached(rig, ['shell'], {columns: 100, rows: 30})
  await screen.shows(/ready> /)
  screen.type('stty size; test -t 0 && test -t 1 && test -t 2 && echo all-are\r')
  await screen.line(/^30 100$/)
  await screen.line(/^all-are$/)
  for (const [columns, rows] of [
    [60, 20],
    [200, 50]
  ] as const) {
    screen.resize(columns, rows)
    const seen = screen.line(new RegExp(`^${rows} ${columns}$`)).then(() => true)
    do screen.type('stty size\r')
    while (!(await Promise.race([seen, pause(300, false)])))
  }
  screen.type(`sh -c 'echo be""gun; exec sleep 300'\r`)
  await screen.line(/begun$/)
  screen.type('\x1a')
  await screen.shows(/Stopped/)
  screen.type('fg\r')
  await screen.shows(/Stopped[^]*fg\r\n[^]*sleep 300'\r\n/)
  screen.type('\x03')
  screen.type('echo "co""de" $?\r')
  await screen.line(/code 130$/)
  run.signal('SIGTERM')
  await screen.line(/^code=/)
  await screen.ended()
  t.ok(await screen.isAsBefore())
})

t.test('a restart: who is attached goes on with the next process; the second screen is left', {skip}, async t => {
  const rig = await openRig(t)
  const run = await runOf(rig)
  const screen = attached(rig, ['shell'])
  await screen.shows(/ready> /)
  screen.type(String.raw`printf '\033[?1049h\033[2J picture'; echo $$`)
  screen.type('\r')
  await screen.sees(text => displayOf(text).isSecond || undefined, 'second screen')
  const late = attached(rig, ['shell'])
  await late.sees(text => displayOf(text).isSecond || undefined, 'a picture is shown as one')
  await rig.run(['restart', 'shell'])
  await screen.line(/^\[a new process of shell\]$/)
  t.notOk(displayOf(screen.text).isSecond)
  screen.type('echo se""cond\r')
  await Promise.all([screen.line(/^second$/), late.line(/^second$/)])
  late.type('echo th""ird\r')
  await Promise.all([screen.line(/^third$/), late.line(/^third$/)])
  run.signal('SIGKILL')
  for (const each of [screen, late]) {
    await each.line(/^code=1$/)
    await each.ended()
    t.ok(await each.isAsBefore())
  }
})

t.test('the second screen is left also where the switch to it came in two pieces', {skip}, async t => {
  const rig = await openRig(t)
  const run = await runOf(rig)
  const screen = attached(rig, ['shell'])
  await screen.shows(/ready> /)
  screen.type(String.raw`printf '\033[?10'; sleep 0.3; printf '49hpicture'` + '\r')
  await screen.sees(text => displayOf(text).isSecond || undefined, 'second screen')
  await screen.shows(/picture/)
  run.signal('SIGKILL')
  await screen.line(/^code=1$/)
  await screen.ended()
  t.notOk(displayOf(screen.text).isSecond)
})

t.test('the app ends: attach does so, with its exit code; a program that is not there says so', {skip}, async t => {
  const rig = await openRig(t)
  await runOf(rig, [
    SHELL,
    {appID: 'plain', command: ['sleep', '300']},
    {...SHELL, appID: 'absent', command: ['no-such-program']}
  ])
  const screen = attached(rig, ['shell'])
  await screen.shows(/ready> /)
  screen.type('exit 7\r')
  await screen.line(/shell exited/)
  await screen.line(/^code=7$/)
  await screen.ended()
  t.ok(await screen.isAsBefore())
  const {code, stderr} = await rig.run(['attach', 'shell'])
  t.match({code, stderr}, {code: 1, stderr: /no terminal can attach to "shell": its process has ended/})
  t.match(await rig.until(['logs', 'absent'], 'not found'), /no-such-program/)
})

t.test('the only app of a run ends: attach exits as it does, also where the run is gone by then', {skip}, async t => {
  const rig = await openRig(t)
  const run = await runOf(rig)
  const screen = attached(rig, ['shell'])
  await screen.shows(/ready> /)
  screen.type('exit 7\r')
  await screen.line(/shell exited with code 7$/)
  await screen.line(/^code=7$/)
  t.match(await run.exited, {code: 1})
})

t.test('what types by a pipe says so when the run ends', {skip}, async t => {
  const rig = await openRig(t)
  const run = await runOf(rig)
  const typing = rig.pillion(['attach', 'shell'])
  typing.stdin.write('echo ty""ped\n')
  await run.waitForLine('== APP - shell == typed')
  await run.end('SIGKILL')
  typing.stdin.write('echo late\n')
  t.match(await typing.exited, {code: 1})
  t.match(typing.stderr.text, 'the run is gone')
})

t.test('what comes by a pipe is typed; who cannot be attached to is told why', {skip}, async t => {
  const rig = await openRig(t)
  const run = await runOf(rig, [
    SHELL,
    {appID: 'plain', command: ['sleep', '300'], appDirPath: '.'},
    {appID: 'none', command: []}
  ])
  const typing = rig.pillion(['attach', 'shell'])
  typing.stdin.end('echo by a "pi""pe"\n')
  t.match(await typing.exited, {code: 0})
  await run.waitForLine('== APP - shell == by a pipe')
  for (const [args, code, why] of [
    [['plain'], 1, /no terminal can attach to "plain": it has no terminal: the template gives it one by tty: true/],
    [['none'], 1, /it has no command/],
    [['shel'], 1, /did you mean|shell/i],
    [['--detach-keys', 'ctrl-]'], 255, /--detach-keys needs the id of an app/],
    [['shell', 'plain'], 255, /attach takes the id of one app/],
    [['shell', '--detach-keys', 'ctrl-1'], 255, /expected keys with commas between them/]
  ] as const) {
    const refused = await rig.run(['attach', ...args])
    t.equal(refused.code, code, args.join(' '))
    t.match(refused.stdout + refused.stderr, why)
  }
})

t.test('where there is no terminal to be had, validate says so, and the app is not started', {skip}, async t => {
  const rig = await openRig(t, {program: IN_NODE})
  const env = {NODE_OPTIONS: '--no-experimental-ffi'}
  await rig.template([SHELL])
  const {code, stderr} = await rig.run(['validate'], {env})
  t.equal(code, 1)
  t.match(
    stderr,
    /app "shell" gets no terminal: Node [\d.]+ cannot call the system[^]*dapr\.yaml:\d+:\d+\n.*"tty": true/
  )
  const run = await rig.run(['run', '-f', '.'], {env})
  t.not(run.code, 0)
  t.match(run.stdout + run.stderr, /it has no terminal \(tty: true\): Node [\d.]+ cannot call the system for it/)
})

t.test('other keys detach if they are asked for; Ctrl-P alone is for the app', {skip}, async t => {
  const rig = await openRig(t)
  await rig.write({
    'keys/keys.mjs': `process.stdin.setRawMode(true).on('data', data => console.log('got', JSON.stringify(data.toString())))
      console.log('reads', process.stdout.isTTY)`
  })
  const run = await runOf(rig, [{appID: 'keys', tty: true, command: [process.execPath, 'keys.mjs']}])
  const screen = attached(rig, ['keys'])
  await screen.line(/^reads true$/)
  screen.type('\x10')
  await screen.line(/^got "\\u0010"$/)
  screen.type('\x10x')
  await screen.line(/^got "\\u0010x"$/)
  screen.type(`typed in one piece with them${DETACH}`)
  await screen.line(/^code=0$/)
  await run.waitForLine('== APP - keys == got "typed in one piece with them"')
  const other = attached(rig, ['keys', '--detach-keys', 'ctrl-]'])
  await other.line(/Ctrl-\] detaches/)
  other.type(DETACH)
  await other.line(/^got "\\u0010\\u0011"$/)
  other.type('\x1d')
  await other.line(/^code=0$/)
  await other.ended()
  t.ok(await other.isAsBefore())
})

t.test('what it prints to is gone while nobody reads it: it ends, and the terminal is as before', {skip}, async t => {
  const rig = await openRig(t)
  const run = await runOf(rig)
  const reader = join(rig.folder, 'reader')
  const command = '{ "$@"; echo "code=$?" >&2; } | sh -c \'echo $$ >"$READER"; exec sleep 300\''
  const screen = new Screen(rig, ['bash', '-c', command, 'bash', ...rig.program, 'attach', 'shell'], {env: {READER: reader}})
  await screen.line(/attached to shell/)
  screen.type('head -c 1000000 /dev/zero | tr "\\0" x; echo; echo al""l\r')
  await run.waitForLine('== APP - shell == all')
  process.kill(Number(readFileSync(reader, 'utf8')))
  await screen.line(/^code=0$/)
  await screen.ended()
  t.ok(await screen.isAsBefore())
}) // prettier-ignore

t.test('nothing is left of a shell and its jobs when the run ends, or is killed', {skip}, async t => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const rig = await openRig(t)
    const run = await runOf(rig)
    const typing = rig.pillion(['attach', 'shell'])
    typing.stdin.end('sleep 300 & nohup sleep 300 >/dev/null 2>&1 & jobs -p | tr "\\n" " " | sed s/^/pids:/; echo\n')
    const [, pids = ''] = /pids:([\d ]+)/.exec(await run.waitForLine(/pids:\d+ \d+/)) ?? []
    run.signal(signal)
    await run.exited
    for (const pid of pids.trim().split(' ')) while (isAlive(Number(pid))) await pause(20)
    t.pass(signal)
  }
})

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
