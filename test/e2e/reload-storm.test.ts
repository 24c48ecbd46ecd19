import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {save} from '../rig/save.ts'

const BRIEF = join(import.meta.dirname, '../fixtures/apps/brief.mjs')
const MAX = 30

t.test('after thirty restarts within a minute an app is left alone, until "restart"', {timeout: 120_000}, async t => {
  const rig = await openRig(t)
  const starts = join(rig.home, 'starts')
  await rig.write({'order/app.txt': '0', 'order/seldom.txt': '0'})
  await rig.template([
    {appID: 'order', autoPort: true, watch: true, command: [process.execPath, BRIEF], env: {STARTS_FILE: starts}},
    {appID: 'shop', command: []},
    // exchanged at a save that it shares with the other one: its line tells that the save was seen
    {appID: 'witness', appDirPath: 'order', watch: ['late.txt'], command: ['sleep', '600']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  await run.waitForLine('Writing log files', {nth: 3})
  const ask = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${http.toString()}/v1.0/invoke/order/method/`)).text()
  t.equal(await ask(), '0')

  await save(rig, 'order/seldom.txt', '1')
  await run.waitForLine('order: reloaded')
  for (let number = 2; number <= MAX; number++) {
    await save(rig, 'order/app.txt', number.toString())
    await run.waitForLine('order: reloaded', {nth: number})
  }
  t.equal(await ask(), MAX.toString())
  t.equal(run.stderr.text, '')

  await save(rig, 'order/app.txt', '31')
  const told = await run.waitForLine('"order" was restarted 30 times within 60 s', {stream: 'stderr'})
  t.match(
    told,
    /, mostly because of app\.txt\. It restarts again when its files have not changed for 10 s, or by "restart --app-id order"\. Add files that the app itself writes to watch\.ignore\.$/
  )
  await save(rig, 'order/late.txt', '1')
  await run.waitForLine('witness: reloaded')
  t.equal(await ask(), MAX.toString(), 'a save does nothing')

  t.match(await rig.run(['restart', '--app-id', 'order']), {code: 0})
  await run.waitForLine('order: reloaded', {nth: MAX + 1})
  t.equal(await ask(), '31')
  await save(rig, 'order/app.txt', '32')
  await run.waitForLine('order: reloaded', {nth: MAX + 2})
  t.equal(await ask(), '32')
  const second = Array.from({length: MAX - 1}, (_, number) => number + 2)
  t.same(readFileSync(starts, 'utf8').trim().split('\n').map(Number), [0, 0, ...second, 31, 32], 'as often as was told')
  t.equal(run.stderr.lines.length, 1, 'it is told once')
})
