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
