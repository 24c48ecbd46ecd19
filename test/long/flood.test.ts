import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'
import type {Driven} from '../rig/command.ts'
import {countedIn, ended, FLOOD, isLong, runInto, watchMemory} from './flooding.ts'

const LINES = isLong ? 2_000_000 : 500_000

t.test('a flood arrives whole and in order, in the file and on the console; memory is flat, calls go on', async t => {
  const rig = await openRig(t)
  await rig.template([
    {appID: 'stock', autoPort: true},
    {appID: 'shop'},
    {
      appID: 'flood',
      logs: {size: 0},
      command: [process.execPath, FLOOD, (LINES / 2).toString(), '200', '1', '2'],
      dependsOn: ['stock']
    }
  ])
  const run = runInto(rig, 'console')
  const memory = watchMemory(run.pid)
  const [stock, shop] = await Promise.all([rig.driven('stock'), rig.driven('shop')])
  await stock.answer({body: 'here'})
  await stock.listen()
  let isOver = false
  const calls = callOn(shop, () => isOver)
  const seen = await ended(rig, 'flood')
  isOver = true
  const {made, failed, slowest} = await calls
  await stock.exit(0)
  await shop.exit(0)
  t.match(await run.exited, {code: 0})
  const sizes = memory()
  t.comment(`${made} calls, the slowest ${slowest.toFixed()} ms; memory ${Math.max(...sizes).toFixed()} MB`)
  t.same(failed, [])
  t.ok(made > 20, `${made} calls`)
  for (const path of [seen, join(rig.folder, 'console')]) {
    const {flooded} = await countedIn(path)
    for (const stream of ['flood 1', 'flood 2'])
      t.same(flooded.get(stream), {count: LINES / 2, outOfOrder: ''}, `${stream} in ${path}`)
  }
  t.ok(Math.max(...sizes) < 150, `${Math.max(...sizes).toFixed()} MB`)
})

/** Calls one after the other until it is over. */
async function callOn(
  shop: Driven,
  isOver: () => boolean
): Promise<{readonly made: number; readonly failed: readonly unknown[]; readonly slowest: number}> {
  const failed: unknown[] = []
  let [made, slowest] = [0, 0]
  while (!isOver()) {
    const begin = performance.now()
    const answer = await shop.fetch('/v1.0/invoke/stock/method/x')
    slowest = Math.max(slowest, performance.now() - begin)
    if (answer.body !== 'here') failed.push(answer)
    made++
  }
  return {made, failed, slowest}
}
