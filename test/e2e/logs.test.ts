import {readFileSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Driven} from '../rig/command.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import type {Program} from '../rig/program.ts'

const startTemplate = async (rig: Rig): Promise<{run: Program; stock: Driven}> => {
  await rig.template([{appID: 'stock'}])
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await run.waitForLine('Writing log files')
  return {run, stock}
}

t.test('logs shows what a running app has written, or its last lines', async t => {
  const rig = await openRig(t)
  const {run, stock} = await startTemplate(rig)
  await stock.print('one\ntwo\nthree\n')
  await run.waitForLine('three')
  const all = '== APP - stock == one\n== APP - stock == two\n== APP - stock == three\n'
  t.same(await rig.run(['logs', '--app-id', 'stock']), {code: 0, stdout: all, stderr: ''})
  t.match(await rig.run(['logs', '-a', 'stock', '--tail', '1']), {stdout: '== APP - stock == three\n'})
  t.match(await rig.run(['logs', '-a', 'stock', '--tail', '0']), {stdout: ''})
  t.match(await rig.run(['logs', '-a', 'stock', '--run-file', '.']), {stdout: all})
})

t.test('three follow at once, each line once and in order, to the end of the run', async t => {
  const rig = await openRig(t)
  const {run, stock} = await startTemplate(rig)
  await stock.print('before\n')
  await run.waitForLine('before')
  const followers = [
    rig.pillion(['logs', '-a', 'stock', '-f']),
    rig.pillion(['logs', '-a', 'stock', '--follow']),
    rig.pillion(['logs', '-a', 'stock', '-f', '--tail', '1'])
  ]
  for (const follower of followers) await follower.waitForLine('before')
  for (let i = 0; i < 50; i++) await stock.print(`line ${i}\n`, i % 2 === 0 ? 'stdout' : 'stderr')
  await stock.print('the last, open')
  await stock.exit(0)
  await run.exited
  for (const follower of followers) {
    t.match(await follower.exited, {code: 0})
    const lines = follower.stdout.lines.filter(line => line.startsWith('== APP'))
    t.equal(lines.length, 52)
    t.equal(new Set(lines).size, 52)
    for (const parity of [0, 1]) {
      const ofStream = lines
        .map(line => Number(/line (\d+)/.exec(line)?.[1] ?? -1))
        .filter(n => n >= 0 && n % 2 === parity)
      t.same(
        ofStream,
        ofStream.toSorted((a, b) => a - b)
      )
    }
    t.equal(follower.stdout.lines.at(-1), 'Exited App successfully')
  }
})

t.test('the id of several instances means all of them: their new lines, and the last ones of all', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock', replicas: 2}])
  const run = rig.pillion(['run', '-f', '.'])
  const lives = [await rig.driven('stock'), await rig.driven('stock')]
  for (const [index, life] of lives.entries()) {
    await life.print(`before ${index}\n`)
    await run.waitForLine(`before ${index}`)
  }
  const follower = rig.pillion(['logs', 'stock', '-f'])
  for (const [index] of lives.entries()) await follower.waitForLine(`before ${index}`)
  for (const [index, life] of lives.entries()) {
    await life.print(`after ${index}\n`)
    await follower.waitForLine(`after ${index}`)
  }
  t.match((await rig.run(['logs', 'stock', '--tail', '1'])).stdout, /^== APP - stock\S* == after 1\n$/)
})

t.test('after the end of a run its files are read, the newest first', async t => {
  const rig = await openRig(t)
  for (const word of ['first', 'second']) {
    const {run, stock} = await startTemplate(rig)
    await stock.print(`${word}\n`)
    await stock.exit(0)
    await run.exited
  }
  const log = await rig.run(['logs', '--app-id', 'stock'])
  t.match(log, {code: 0, stderr: ''})
  t.match(log.stdout, /^== APP - stock == second\nExited App successfully\n/)
  t.match(await rig.run(['logs', 'stock', '--name', 'mine']), {
    code: 0,
    stdout: log.stdout,
    stderr: '⚠  no run is called "mine"; what follows is in the newest log files, of whatever run\n'
  })
  const folder = join(rig.folder, 'stock/.dapr/logs')
  const newest = readdirSync(folder)
    .filter(name => name.startsWith('stock_app'))
    .toSorted()
    .at(-1)
  t.equal(log.stdout, readFileSync(join(folder, newest ?? ''), 'utf8'))
  const elsewhere = {folder: 'stock'}
  t.match(await rig.run(['logs', '-a', 'stock', '--run-file', '../dapr.yaml', '--tail', '1', '-f'], elsewhere), {
    code: 0,
    stdout: 'Exited App successfully\n'
  })
  t.match(await rig.run(['logs', '-a', 'stock', '--tail', '1'], elsewhere), {stdout: 'Exited App successfully\n'})
  t.same(await rig.run(['logs', '-a', 'stock'], {folder: '../home'}), {
    code: 1,
    stdout: '',
    stderr: '❌  no run has an app "stock"; single runs leave no log files, and this folder has no template\n'
  })
})

t.test('what is kept of a single run is in memory, and gone with it', async t => {
  const rig = await openRig(t)
  const run = rig.pillion(['run', '-a', 'a', '--', ...rig.drivenCommand])
  const a = await rig.driven('a')
  await a.print('\x1b[31mred\x1b[0m\nplain\r\n')
  await a.print('on stderr\n', 'stderr')
  await run.waitForLine('plain')
  await run.waitForLine('on stderr', {stream: 'stderr'})
  t.same(await rig.run(['logs', '-a', 'a']), {code: 0, stdout: 'red\nplain\r\non stderr\n', stderr: ''})
  const follower = rig.pillion(['logs', '-a', 'a', '-f', '--tail', '1'])
  await follower.waitForLine('on stderr')
  await a.print('later\n')
  await follower.waitForLine('later')
  run.signal('SIGTERM')
  await run.exited
  t.match(await follower.exited, {code: 0})
  t.equal(follower.stdout.text, 'on stderr\nlater\n')
  const after = await rig.run(['logs', '-a', 'a'])
  t.match(after, {code: 1, stdout: ''})
  t.equal(after.stderr.split('\n').length, 2, 'one line')
})

t.test('an app whose log goes to the console alone is kept in memory', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', appLogDestination: 'console'}])
  const run = rig.pillion(['run', '-f', '.'])
  const a = await rig.driven('a')
  await a.print('seen\n')
  await run.waitForLine('seen')
  t.match(await rig.run(['logs', '-a', 'a']), {code: 0, stdout: '== APP - a == seen\n'})
})
