import {readdirSync, utimesSync} from 'node:fs'
import {setTimeout as pause} from 'node:timers/promises'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

/** Lines are told apart by the second. Settles when more than that has passed; gives the time between. */
const later = async (): Promise<string> => {
  await pause(1100)
  const time = new Date().toISOString()
  await pause(10)
  return time
}

for (const appLogDestination of ['fileAndConsole', 'console'] as const)
  t.test(`logs since a time shows what came since, then what comes (${appLogDestination})`, async t => {
    const rig = await openRig(t)
    await rig.template([{appID: 'stock', appLogDestination}])
    const run = rig.pillion(['run', '-f', '.'])
    const stock = await rig.driven('stock')
    await stock.print('one\ntwo\n')
    await run.waitForLine('two')
    const time = await later()
    await stock.print('three\n')
    await stock.print('four\n')
    await run.waitForLine('four')
    const logs = async (...words: readonly string[]) => rig.run(['logs', '-a', 'stock', ...words])
    const all = '== APP - stock == one\n== APP - stock == two\n== APP - stock == three\n== APP - stock == four\n'
    const latter = '== APP - stock == three\n== APP - stock == four\n'
    t.same(await logs('--since', time), {code: 0, stdout: latter, stderr: ''})
    t.same(await logs('--since', time, '--tail', '1'), {code: 0, stdout: '== APP - stock == four\n', stderr: ''})
    t.match(await logs('--since', time, '--tail', '3'), {stdout: latter})
    t.match(await logs('--since', time, '--tail', 'all'), {stdout: latter})
    t.match(await logs('--tail', 'all'), {stdout: all})
    t.match(await logs('--since', '1h'), {stdout: all})
    t.same(await logs('--since', new Date(Date.now() + 60_000).toISOString()), {code: 0, stdout: '', stderr: ''})
    const follower = rig.pillion(['logs', '-a', 'stock', '-f', '--since', time])
    await follower.waitForLine('four')
    await stock.print('five\n')
    await stock.exit(0)
    await run.exited
    t.match(await follower.exited, {code: 0})
    t.match(follower.stdout.text, `${latter}== APP - stock == five\n`)
    t.notMatch(follower.stdout.text, 'two')
  })

t.test('the file of a run that has ended keeps no times: it is told, or it is old as a whole', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'stock'}])
  const before = new Date(Date.now() - 10_000).toISOString()
  const run = rig.pillion(['run', '-f', '.'])
  const stock = await rig.driven('stock')
  await stock.print('one\n')
  await run.waitForLine('one')
  const between = await later()
  await stock.exit(0)
  await run.exited
  const logs = async (since: string) => rig.run(['logs', '-a', 'stock', '--since', since])
  const whole = await rig.run(['logs', '-a', 'stock'])
  t.match(whole.stdout, /^== APP - stock == one\n/)
  t.same(await logs(before), whole, 'all of it is newer')
  t.same(await logs(between), {
    ...whole,
    stderr: '⚠  the run has ended, and log files contain no times, so older lines are shown as well\n'
  })
  const folder = join(rig.folder, 'stock/.dapr/logs')
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), new Date(), Date.now() / 1000 - 5)
  t.same(await logs('3s'), {code: 0, stdout: '', stderr: ''}, 'all of it is older')
})

t.test('a time that is none is a wrong word', async t => {
  const rig = await openRig(t)
  const {code, stdout, stderr} = await rig.run(['logs', '-a', 'stock', '--since', 'yesterday'])
  t.equal(code, 255)
  t.match(`${stdout}${stderr}`, 'invalid argument "yesterday" for "--since" flag: expected a duration')
})
