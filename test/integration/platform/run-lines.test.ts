import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {runLines} from '../../../src/platform/run-lines.ts'
import {startOf} from '../../../src/platform/process-table.ts'

const MODULE = join(import.meta.dirname, '../../../src/platform/run-lines.ts')

t.test('a second signal ends a command that has ignored the first one', async t => {
  const command = ['sh', '-c', 'trap "" INT; echo $$; sleep 60']
  const script = `import(${JSON.stringify(MODULE)}).then(({runLines}) => runLines(${JSON.stringify(command)}, {folder: '/', onLine: console.log}))`
  const program = spawn(process.execPath, ['-e', script], {stdio: ['ignore', 'pipe', 'inherit']})
  const [line] = (await once(program.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  t.teardown(() => startOf(pid) !== 0 && process.kill(-pid, 'SIGKILL'))
  program.kill('SIGINT')
  const end = once(program, 'exit')
  const again = setInterval(() => program.kill('SIGINT'), 100)
  t.same(await end, [null, 'SIGINT'])
  clearInterval(again)
  t.equal(startOf(pid), 0)
})

t.test('a command ends with a program that is killed', async t => {
  const script = `import(${JSON.stringify(MODULE)}).then(({runLines}) => runLines(['sh', '-c', 'echo $$; sleep 60; :'], {folder: '/', onLine: console.log}))`
  const program = spawn(process.execPath, ['-e', script], {stdio: ['ignore', 'pipe', 'inherit']})
  const [line] = (await once(program.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  t.teardown(() => startOf(pid) !== 0 && process.kill(-pid, 'SIGKILL'))
  program.kill('SIGKILL')
  while (startOf(pid) !== 0) await new Promise(setImmediate)
})

t.test('a signal that comes while the command is being started ends it, too', async t => {
  const file = join(t.testdir(), 'pid')
  const command = [
    'sh',
    '-c',
    `trap "" INT; echo $$ > ${file}; while kill -INT $PPID; do sleep 0.05; done; exec sleep 60`
  ]
  const script = `import(${JSON.stringify(MODULE)}).then(({runLines}) => runLines(${JSON.stringify(command)}, {folder: '/'}))`
  const program = spawn(process.execPath, ['-e', script], {stdio: ['ignore', 'ignore', 'inherit']})
  t.same(await once(program, 'exit'), [null, 'SIGINT'])
  const pid = Number(readFileSync(file, 'utf8'))
  t.teardown(() => startOf(pid) !== 0 && process.kill(-pid, 'SIGKILL'))
  t.equal(startOf(pid), 0)
})

t.test('a signal that comes as the command is over ends us, too', async t => {
  // the last that is done before the signals are left to others: the system gives the signal then
  const script = `require('node:net').Socket.prototype.unref = () => process.kill(process.pid, 'SIGHUP')
    import(${JSON.stringify(MODULE)})
      .then(({runLines}) => runLines(['true'], {folder: '/'}))
      .then(() => setImmediate(() => setImmediate(() => process.exit(0))))`
  const program = spawn(process.execPath, ['-e', script], {stdio: ['ignore', 'ignore', 'inherit']})
  t.same(await once(program, 'exit'), [null, 'SIGHUP'])
})

t.test('a command that leaves something running, which holds its output, is over when it ends', async t => {
  const {why, last} = await runLines(['sh', '-c', 'sleep 60 & echo $!; exit 3'], {folder: '/'})
  const pid = Number(last)
  t.equal(why, 'exited with 3')
  t.not(startOf(pid), 0, 'what it has left behind runs')
  process.kill(pid)
})

t.test('what a command has started in the background, which ignores a signal, ends with us, too', async t => {
  const command = ['sh', '-c', 'sleep 60 & echo $$ $!; exec sleep 60']
  const script = `import(${JSON.stringify(MODULE)}).then(({runLines}) => runLines(${JSON.stringify(command)}, {folder: '/', onLine: console.log}))`
  const program = spawn(process.execPath, ['-e', script], {stdio: ['ignore', 'pipe', 'inherit']})
  const [line] = (await once(program.stdout, 'data')) as [Buffer]
  const [leader = 0, left = 0] = line.toString().split(' ').map(Number)
  t.teardown(() => startOf(left) !== 0 && process.kill(left, 'SIGKILL'))
  program.kill('SIGINT')
  const end = once(program, 'exit')
  while (startOf(leader) !== 0) await new Promise(setImmediate)
  const again = setInterval(() => program.kill('SIGINT'), 1000)
  t.same(await end, [null, 'SIGINT'])
  clearInterval(again)
  t.equal(startOf(left), 0)
})

t.test('any number of commands at once is no leak', async t => {
  const warnings: string[] = []
  const note = ({message}: Error): void => void warnings.push(message)
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  await Promise.all(Array.from({length: 12}, async () => runLines(['true'], {folder: '/'})))
  t.same(warnings, [])
})
