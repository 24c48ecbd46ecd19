import {existsSync, readFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {displayOf} from '../rig/display.ts'
import {openRig} from '../rig/rig.ts'
import {noScreen, Screen} from '../rig/screen.ts'
import {attached, DETACH, runOf, SHELL} from './attach-house.ts'

const skip = noScreen

/** Tells which version it is, and what it reads. */
const READER = `import {version} from './version.mjs'
const {createServer} = process.getBuiltinModule('node:http')
process.stdin.on('data', data => console.log(version, 'got', data.toString().trim(), process.stdout.columns))
const port = process.env.APP_PORT
if (port) createServer((_, answer) => answer.end(version)).listen(port, '127.0.0.1', () => console.log(version, 'serves'))
else console.log(version, 'serves')
`
const versionOf = (name: string): string => `export const version = '${name}'\n`

for (const reload of ['replace', 'overlap'] as const)
  t.test(`a save: who is attached goes on with the next process (${reload})`, {skip}, async t => {
    const rig = await openRig(t)
    await rig.write({'reader/app.mjs': READER, 'reader/version.mjs': versionOf('first')})
    const app = {
      appID: 'reader',
      tty: true,
      command: [process.execPath, 'app.mjs'],
      watch: ['*.mjs'],
      autoPort: true,
      reload
    }
    const run = await runOf(rig, [app])
    const screen = attached(rig, ['reader'], {columns: 101})
    await screen.line(/^first serves$/)
    screen.type('one\r')
    await screen.line(/^first got one 101$/)
    await rig.write({'reader/version.mjs': versionOf('second')})
    await screen.line(/^\[a new process of reader\]$/)
    await screen.line(/^second serves$/)
    await run.waitForLine(/^ℹ️ {2}reader: reloaded in /) // until then the first one is meant
    screen.type('two\r')
    await screen.line(/^second got two 101$/)
    t.notMatch(run.stdout.text + run.stderr.text, /exited|failed|crash/i)
    screen.type(DETACH)
    await screen.line(/^code=0$/)
    await screen.ended()
    t.ok(await screen.isAsBefore())
  })

t.test('overlap: a next process that fails is shown; what is typed is for the one that goes on', {skip}, async t => {
  const rig = await openRig(t)
  await rig.write({'reader/app.mjs': READER, 'reader/version.mjs': versionOf('first')})
  const app = {appID: 'reader', tty: true, command: [process.execPath, 'app.mjs'], watch: ['*.mjs'], autoPort: true}
  const run = await runOf(rig, [{...app, reload: 'overlap'}])
  const screen = attached(rig, ['reader'])
  await screen.line(/^first serves$/)
  await rig.write({'reader/version.mjs': `${versionOf('second')}throw new Error('bad save')\n`})
  await screen.line(/^Error: bad save$/)
  await run.stderr.line(/the old process continues/)
  screen.type('still\r')
  await screen.line(/^first got still 80$/)
})

t.test('a program that ends, and is not restarted: attach exits as it does', {skip}, async t => {
  const rig = await openRig(t)
  await rig.write({'ask/ask.sh': 'read -p "Name? " name; echo "Hello $name"; exit 3\n'})
  const run = await runOf(rig, [
    {appID: 'ask', tty: true, command: ['bash', 'ask.sh']},
    {appID: 'stays', command: ['sleep', '300'], appDirPath: '.'}
  ])
  const screen = attached(rig, ['ask'])
  await screen.shows(/Name\? /)
  screen.type('Ada\r')
  await screen.line(/^Hello Ada$/)
  await screen.line(/^code=3$/)
  await run.waitForLine('== APP - ask == Name? Ada')
})

t.test('of two copies each has its terminal: the first is meant, unless another is named', {skip}, async t => {
  const rig = await openRig(t)
  await runOf(rig, [{...SHELL, replicas: 2}])
  const names = [['shell'], ['shell.1'], ['shell.2']]
  const screens = names.map(args => attached(rig, args))
  const [first, named, second] = screens as [Screen, Screen, Screen]
  for (const screen of screens) await screen.shows(/ready> /)
  named.type('echo to-the-fi""rst\r')
  await Promise.all([first.line(/^to-the-first$/), named.line(/^to-the-first$/)])
  second.type('echo to-the-se""cond\r')
  await second.line(/^to-the-second$/)
  t.notMatch(second.text, 'to-the-first')
  t.notMatch(first.text, 'to-the-second')
})

t.test('attach that is killed: the run goes on, and another can attach', {skip}, async t => {
  const rig = await openRig(t)
  await runOf(rig)
  const typing = rig.pillion(['attach', 'shell'])
  typing.stdin.write('echo be""gun; exec 3>&1; sleep 1000\n')
  await rig.until(['logs', 'shell'], 'begun')
  await typing.end('SIGKILL')
  const screen = attached(rig, ['shell'])
  await screen.line(/^begun$/)
  await screen.close()
  const other = attached(rig, ['shell'])
  await other.line(/^begun$/)
  other.type('\x03')
  await other.shows(/\^C[^]*ready> /)
  other.type('echo go""es on\r')
  await other.line(/^goes on$/)
})

t.test('a terminal that hangs up detaches, also where SIGHUP is ignored: that is no failure', {skip}, async t => {
  const rig = await openRig(t)
  await runOf(rig)
  const left = join(rig.folder, 'left')
  const ignoring = `trap '' HUP; "$@" 2>/dev/null; echo "code=$?" > '${left}'`
  const screen = new Screen(rig, ['sh', '-c', ignoring, 'sh', ...rig.program, 'attach', 'shell'])
  await screen.shows(/ready> /)
  await screen.close()
  while (!existsSync(left) || readFileSync(left, 'utf8') === '') await pause(20)
  t.equal(readFileSync(left, 'utf8'), 'code=0\n')
})

t.test('1 MB for an app that does not read: the run answers others, and nothing is lost', {skip}, async t => {
  const rig = await openRig(t)
  await rig.write({
    'late/late.mjs': `import {existsSync} from 'node:fs'
      process.stdin.setRawMode(true)
      console.log('waits')
      const looks = setInterval(() => {
        if (!existsSync('begin')) return
        clearInterval(looks)
        let count = 0
        process.stdin.on('data', data => {
          count += data.length
          if (count >= 1e6) console.log('has', count)
        })
      }, 50)`
  })
  await runOf(rig, [{appID: 'late', tty: true, command: [process.execPath, 'late.mjs']}, SHELL])
  await rig.until(['logs', 'late'], 'waits')
  const typing = rig.pillion(['attach', 'late'])
  typing.stdin.end('x'.repeat(1_000_000))
  t.match(await rig.until(['ps'], 'late'), 'late')
  const other = rig.pillion(['attach', 'shell'])
  other.stdin.end('echo answered""too\n')
  t.match(await other.exited, {code: 0})
  await rig.until(['logs', 'shell'], 'answeredtoo')
  await writeFile(join(rig.folder, 'late/begin'), '')
  t.match(await typing.exited, {code: 0})
  await rig.until(['logs', 'late'], 'has 1000000')
})

t.test('the debugger of Node', {skip}, async t => {
  const rig = await openRig(t)
  await rig.write({'sum/sum.js': 'const price = 20\nconst total = price + 1\nconsole.log("total", total)\n'})
  await runOf(rig, [{appID: 'sum', tty: true, command: [process.execPath, 'inspect', '--port=0', 'sum.js']}])
  const screen = attached(rig, ['sum'])
  await screen.shows(/debug> /)
  screen.type('next\r')
  await screen.shows(/> 2 const total/)
  screen.type('exec price * 100\r')
  await screen.shows(/2000/)
  screen.type('cont\r')
  await screen.shows(/total 21/)
  screen.type('.exit\r')
  await screen.line(/^code=0$/)
  await screen.ended()
  t.ok(await screen.isAsBefore())
  t.notOk(displayOf(screen.text).isSecond)
})
