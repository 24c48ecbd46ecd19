import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

/** Notes its start, with what app.txt holds, and is ready when that is done. */
const STARTS = ['sh', '-c', 'cat app.txt >> "$STARTS_FILE"; echo up; exec sleep 600']
const MAX = 30

t.test('after thirty restarts within a minute an app is left alone, until "restart"', {timeout: 120_000}, async t => {
  const rig = await openRig(t)
  const starts = join(rig.home, 'starts')
  const started = (): readonly number[] => readFileSync(starts, 'utf8').trim().split('\n').map(Number)
  await rig.write({'order/app.txt': '0\n', 'order/seldom.txt': '0'})
  await rig.template([
    {appID: 'order', watch: true, command: STARTS, ready: {log: '^up$'}, env: {STARTS_FILE: starts}},
    // exchanged at a save that it shares with the other one: its line tells that the save was seen
    {appID: 'witness', appDirPath: 'order', watch: ['late.txt'], command: ['sleep', '600']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.waitForLine('Writing log files', {nth: 2})
  await run.waitForLine('== APP - order == up')
  t.same(started(), [0])

  await rig.write({'order/seldom.txt': '1'})
  await run.waitForLine('order: reloaded')
  for (let number = 2; number <= MAX; number++) {
    await rig.write({'order/app.txt': `${number}\n`})
    await run.waitForLine('order: reloaded', {nth: number})
  }
  t.equal(started().at(-1), MAX)
  t.equal(run.stderr.text, '')

  await rig.write({'order/app.txt': '31\n'})
  const told = await run.waitForLine('"order" was restarted 30 times within 60 s', {stream: 'stderr'})
  t.match(
    told,
    /, mostly because of app\.txt\. It restarts again when its files have not changed for 10 s, or by "pillion restart order"\. Add files that the app itself writes to watch\.ignore\.$/
  )
  await rig.write({'order/late.txt': '1'})
  await run.waitForLine('witness: reloaded')
  t.equal(started().at(-1), MAX, 'a save does nothing')

  t.match(await rig.run(['restart', '--app-id', 'order']), {code: 0})
  await run.waitForLine('order: reloaded', {nth: MAX + 1})
  t.equal(started().at(-1), 31)
  await rig.write({'order/app.txt': '32\n'})
  await run.waitForLine('order: reloaded', {nth: MAX + 2})
  t.equal(started().at(-1), 32)
  const second = Array.from({length: MAX - 1}, (_, number) => number + 2)
  t.same(started(), [0, 0, ...second, 31, 32], 'as often as was told')
  t.equal(run.stderr.lines.length, 1, 'it is told once')
})
