import {readFileSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {widthOf} from '../../src/clients/cli/width.ts'
import {displayed, displayOf} from '../rig/display.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {noScreen, Screen, type ScreenOptions} from '../rig/screen.ts'

const skip = noScreen

const uiOf = (rig: Rig, options?: ScreenOptions): Screen => new Screen(rig, [...rig.program, 'ui'], options)

/** Presses a key twice before the run can answer. */
async function twice(screen: Screen, key: string, pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  for (const _ of [1, 2]) {
    screen.type(key)
    await pause(200) // keys that come close together are taken for pasted text
  }
  process.kill(pid, 'SIGCONT')
}

/** Presses a key, and once more if it was lost: keys that come close together are taken for pasted text. */
async function press(screen: Screen, key: string, shown: RegExp): Promise<readonly string[]> {
  const display = displayed(screen, shown)
  const isShown = display.then(() => true)
  screen.type(key)
  while (!(await Promise.race([isShown, pause(8000, false)]))) screen.type(key)
  return display
}

t.test('a table of apps; keys select one and show its log, restart, stop, start and debug it', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api', autoPort: true}, {appID: 'worker'}])
  rig.pillion(['run', '-f', '.'])
  const [api, worker] = await Promise.all([rig.driven('api'), rig.driven('worker')])
  const screen = uiOf(rig)
  await displayed(screen, /^> api +(starting|not ready)/)
  await api.listen()
  const [title = '', head = '', first = ''] = await displayed(
    screen,
    /^> api +ready +http:\S+ +\d+s +0 +\d+ MB +[\d.]+%/
  )
  t.match(title, / · 2 of 2 ready$/)
  t.match(head, /^ {2}ID +STATE +URL +AGE +RESTARTS +MEMORY +CPU$/)
  t.match(first, new RegExp(`:${api.env['APP_PORT'] ?? ''} `))
  await api.print('of the api\n')
  await displayed(screen, /^of the api$/)
  await press(screen, 'j', /^> worker +ready/)
  await worker.print('of the \x1b[31mworker\x1b[0m \x1b]0;title\x07\n')
  await displayed(screen, /^of the worker/)
  t.notMatch(screen.text, '\x1b]0;', 'what would set the title is no command')
  await press(screen, 'l', /^worker$/)
  await press(screen, '\x1b', /^> worker +ready/)
  await press(screen, 'x', /^worker stopped$/)
  await displayed(screen, /^> worker +stopped/)
  await press(screen, 's', /^(starting worker|worker (is )?started)/)
  await rig.driven('worker')
  await displayed(screen, /^worker (is )?started/)
  await press(screen, '\x1b[A', /^> api /)
  await press(screen, 'r', /^restarting api/) // until it listens
  const second = await rig.driven('api')
  await second.listen()
  await displayed(screen, /^api restarted$/)
  await displayed(screen, /^> api +ready /)
  await press(screen, 't', /^no calls of api yet$/)
  await fetch(`http://127.0.0.1:${second.env['DAPR_HTTP_PORT'] ?? ''}/v1.0/invoke/nobody/method/x`)
  const trace = await press(screen, 't', /FROM → TO/)
  t.match(trace.join('\n'), /api → nobody +GET/)
  await press(screen, '\x1b', /^> api /)
  const debug = await press(screen, 'd', /^Start api in a debugger/)
  t.match(debug.join('\n'), /^export APP_PORT=/m)
  await press(screen, '\x1b', /^> api +in debugger/)
  await press(screen, '?', /^ {2}r +restart it$/)
  await press(screen, 'q', /^> api/)
  screen.type('q')
  await screen.ended()
  t.ok(await screen.isAsBefore())
  t.match(displayOf(screen.text), {isSecond: false, isCursorShown: true})
})

t.test('keys act on a version of a service, and on one of several instances', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template(
    [
      {appID: 'hello', version: '1.0.0'},
      {appID: 'pair', instances: 2}
    ],
    {},
    {managerPort: 0}
  )
  rig.pillion(['run', '-f', '.'])
  const hello = await rig.driven('hello')
  await hello.listen()
  const pair = await rig.driven('pair')
  const screen = uiOf(rig)
  await displayed(screen, /^> hello/)
  await fetch(`http://127.0.0.1:${pair.env['DAPR_HTTP_PORT'] ?? ''}/v1.0/invoke/nobody/method/x`)
  await press(screen, 'x', /^hello stopped$/)
  await press(screen, 'j', /^> pair/)
  const trace = await press(screen, 't', /FROM → TO/)
  t.match(trace.join('\n'), /pair → nobody +GET/)
})

t.test('pasted text starts and stops nothing', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  rig.pillion(['run', '-f', '.'])
  const api = await rig.driven('api')
  const screen = uiOf(rig)
  await displayed(screen, /^> api +ready/)
  screen.type('xrsd')
  screen.typeEach('xrsdq')
  await api.print('still here\n')
  await displayed(screen, /^still here$/)
  await press(screen, '?', /restart it/)
  t.notMatch(screen.text, /stopping|restarting|Start api in/)
})

t.test('/ shows the apps with a word in name or state; Esc shows all again', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}, {appID: 'payments'}, {appID: 'ended', command: ['false']}])
  rig.pillion(['run', '-f', '.'])
  await Promise.all([rig.driven('shop'), rig.driven('payments')])
  const screen = uiOf(rig)
  await displayed(screen, / · 2 of 3 ready · 1 down$/)
  await press(screen, '/', /^\/$/)
  for (const letter of 'PAY') screen.type(letter)
  const filtered = await displayed(screen, /^\/ PAY$/)
  t.same(filtered.filter(line => /^[> ] (shop|payments|ended)/.test(line)).length, 1)
  await press(screen, '\r', /only “PAY”/)
  await press(screen, '\x1b', / 1 down$/)
  await press(screen, '/', /^\/$/)
  screen.type('exited')
  await displayed(screen, /^> ✕ ended +exited 1/)
  await press(screen, '\x1b', /^ {4}shop +ready/)
})

t.test('no line is wider than the terminal: 60 to 200 columns, resized, in a few lines', {skip}, async t => {
  const rig = await openRig(t)
  const ids = Array.from({length: 30}, (_, i) => `service-with-quite-a-long-name-${i}`)
  await rig.template([...ids.map(appID => ({appID, command: ['sleep', '300'], appDirPath: '.'})), {appID: 'last'}])
  rig.pillion(['run', '-f', '.'])
  const last = await rig.driven('last')
  const screen = uiOf(rig, {columns: 100})
  await displayed(screen, /31 of 31 ready/)
  await press(screen, 'G', /^> last +ready/)
  await last.print(`${'a wide line '.repeat(40)}\t${'漢字'.repeat(100)}\n`)
  await displayed(screen, /^a wide line/)
  let before = screen.text.length
  for (const [columns, rows] of [
    [60, 24],
    [200, 60],
    [80, 6],
    [61, 3],
    [20, 10],
    [120, 1]
  ] as const) {
    screen.resize(columns, rows)
    const lines = await screen.sees(text => {
      const {lines} = displayOf(text.slice(before))
      return lines.length === rows && !/^\s*$/.test(lines.join('')) ? lines : undefined
    }, `${rows} lines`)
    t.same(
      lines.filter(line => widthOf(line) > columns - 1),
      [],
      `${columns} columns`
    )
    if (rows >= 6)
      t.ok(
        lines.some(line => line.startsWith('> last')),
        `${columns}×${rows} shows what is selected`
      )
    if (columns === 60) t.match(lines[1], /STATE +AGE +RESTARTS +MEMORY/)
    before = screen.text.length
  }
})

t.test('a run that is killed is told, and the next one is shown; so is a run that begins after us', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  const screen = uiOf(rig)
  await displayed(screen, /nothing runs here: waiting for "pillion up"/)
  await press(screen, 'a', /^nothing runs$/)
  const first = rig.pillion(['run', '-f', '.'])
  await rig.driven('api')
  await displayed(screen, /^> api +ready/)
  await press(screen, 'a', /^it has no terminal/)
  first.signal('SIGKILL')
  await displayed(screen, /the run is gone without a word/)
  await press(screen, 'r', /^nothing runs$/)
  const second = rig.pillion(['run', '-f', '.'])
  await rig.driven('api')
  await displayed(screen, / · 1 of 1 ready$/)
  second.signal('SIGTERM')
  await displayed(screen, /the run has ended: waiting for the next one/)
  screen.type('\x03')
  await screen.ended()
  t.ok(await screen.isAsBefore())
})

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const)
  t.test(`after ${signal} the terminal is as before`, {skip}, async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'api'}])
    const screen = uiOf(rig)
    await displayed(screen, /nothing runs here/)
    t.notOk(await screen.isAsBefore(), 'keys come at once')
    screen.kill(signal)
    await screen.ended()
    t.ok(await screen.isAsBefore())
    t.match(displayOf(screen.text), {isSecond: false, isCursorShown: true})
  })

t.test('Ctrl-Z gives the shell its screen, fg draws the table again', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  rig.pillion(['run', '-f', '.'])
  await rig.driven('api')
  const screen = new Screen(rig, ['bash', '--norc', '--noediting', '-i'], {env: {PS1: '', PS2: ''}})
  screen.type(`${[...rig.program, 'ui'].map(word => `'${word}'`).join(' ')}\n`)
  await displayed(screen, /^> api +ready/)
  screen.type('\x1a')
  await screen.shows(/Stopped/)
  t.match(displayOf(screen.text), {isSecond: false, isCursorShown: true})
  screen.type('stty -a | grep -wo -e -echo -e echo | sed s/^/state:/\n')
  await screen.shows(/state:echo/)
  screen.type('fg\n')
  await displayed(screen, /^> api +ready/)
  await press(screen, '?', /restart it/)
  screen.type('\x03')
  await screen.sees(text => !displayOf(text).isSecond || undefined, 'first screen')
  screen.type('echo the "end"\n')
  await screen.shows(/the end/)
  t.match(displayOf(screen.text), {isSecond: false, isCursorShown: true})
})

t.test('killed or frozen (kill -9, -STOP) it harms neither the run nor its terminal for the next', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  rig.pillion(['run', '-f', '.'])
  const api = await rig.driven('api')
  const screen = new Screen(rig, ['bash', '--norc', '--noediting', '-i'], {env: {PS1: '', PS2: ''}})
  const shell = await screen.pid
  const uiPid = (): number => Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8'))
  const command = `${[...rig.program, 'ui'].map(word => `'${word}'`).join(' ')}\n`
  screen.type(command)
  await displayed(screen, /^> api +ready/)
  process.kill(uiPid(), 'SIGKILL')
  await screen.shows(/Killed/)
  t.ok(await screen.isAsBefore(), 'the shell puts the modes back')
  await api.print('still here\n')
  screen.type(command)
  await displayed(screen, /^still here$/)
  process.kill(uiPid(), 'SIGSTOP')
  await screen.shows(/Stopped/)
  screen.type('fg\n')
  await press(screen, '?', /restart it/)
  screen.type('\x03')
  await screen.sees(text => !displayOf(text).isSecond || undefined, 'first screen')
  screen.type('echo the "end"\n')
  await screen.shows(/the end/)
  t.ok(await screen.isAsBefore())
  t.match(displayOf(screen.text), {isSecond: false, isCursorShown: true})
})

t.test('where stdin or stdout is no terminal, it says what to use instead', {skip}, async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'api'}])
  const {code, stdout, stderr} = await rig.run(['ui'])
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /ui needs a terminal[^]*"pillion ps" prints the table/)
  const quoted = [...rig.program, 'ui'].map(word => `'${word}'`).join(' ')
  const screen = new Screen(rig, ['sh', '-c', `${quoted} | cat; TERM=dumb ${quoted}`])
  await screen.shows(/ui needs a terminal[^]*ui needs a terminal/)
  await screen.ended()
  t.notOk(displayOf(screen.text).isSecond)
})

t.test('a attaches to the terminal of an app, and the table comes back; who has none says so', {skip}, async t => {
  const rig = await openRig(t)
  const command = ['bash', '--norc', '--noediting', '-i']
  await rig.template([
    {appID: 'shell', command, tty: true, env: {PS1: 'ready> '}, stop: {signal: 'SIGHUP'}, appDirPath: '.'},
    {appID: 'plain', command: ['sleep', '300'], appDirPath: '.'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const screen = uiOf(rig)
  await displayed(screen, /^> shell +ready/)
  for (const word of ['one', 'two']) {
    if (word === 'two') await twice(screen, 'a', run.pid)
    else screen.type('a')
    await screen.sees(text => !displayOf(text).isSecond || undefined, 'the first screen')
    await screen.line(/attached to shell: Ctrl-P Ctrl-Q goes back/)
    screen.type(`echo q"${word}"\r`)
    await screen.line(new RegExp(`^q${word}$`))
    screen.type('\x10\x11')
    await displayed(screen, /^> shell +ready/)
  }
  screen.type('a')
  await screen.sees(text => !displayOf(text).isSecond || undefined, 'the first screen')
  screen.resize(61, 20)
  const seen = screen.line(/^20 61$/).then(() => true)
  do screen.type('stty size\r')
  while (!(await Promise.race([seen, pause(300, false)])))
  screen.type('\x10\x11')
  const lines = await displayed(screen, /^> shell +ready/)
  t.equal(lines.length, 20, 'the table has the size that the terminal has now')
  t.same(
    lines.filter(line => widthOf(line) > 60),
    []
  )
  screen.resize(80, 24)
  await press(screen, 'j', /^> plain +ready/)
  await press(screen, 'a', /^it has no terminal: the template gives it one by tty: true$/)
  await press(screen, 'k', /^> shell +ready/)
  screen.type('a')
  await screen.sees(text => !displayOf(text).isSecond || undefined, 'the first screen')
  screen.type('exit\r')
  await displayed(screen, /^shell has ended$/)
  await press(screen, '?', /^ {2}a +attach to its terminal/)
  await press(screen, 'q', /^> shell/)
  await press(screen, 's', /^> shell +ready/)
  screen.type('a')
  await screen.sees(text => !displayOf(text).isSecond || undefined, 'the first screen')
  run.signal('SIGKILL')
  await displayed(screen, /the run is gone without a word/)
  screen.type('q')
  await screen.ended()
  t.ok(await screen.isAsBefore())
  t.match(displayOf(screen.text), {isSecond: false, isCursorShown: true})
})
