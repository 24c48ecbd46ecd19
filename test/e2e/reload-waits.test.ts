import t from 'tap'
import {openRig} from '../rig/rig.ts'
import {openWatchedStock} from './watched-stock.ts'

/** RELOADS=20 takes the full measure; without it a few are enough to see that it works. */
const SAVES = Number(process.env['RELOADS'] ?? 3)
const CALLS = 5

t.test('each call that waits for a reload names it, and what was saved', async t => {
  const rig = await openRig(t)
  const {run, rows, call, save: reload} = await openWatchedStock(rig, 'here')
  const statusOf = async (path: string): Promise<number> => (await call(path)).status
  await statusOf('/first') // it may wait for the start
  await statusOf('/before')
  for (let save = 1; save <= SAVES; save++) {
    const stock = await reload(save.toString())
    const answers = Array.from({length: CALLS}, async () => statusOf(`/${save}`))
    while ((await rows(`is:open path:/${save}`)).length < CALLS);
    await Promise.all([stock.listen(), stock.answer({body: 'here'})])
    t.same(
      await Promise.all(answers),
      Array.from({length: CALLS}, () => 200)
    )
    await run.waitForLine('stock: reloaded', {nth: save})
  }
  const waited = (await rows('is:waited')).filter(({path}) => path !== '/first')
  t.equal(waited.length, SAVES * CALLS)
  for (const {path, waitedFor, waitedMs} of waited) {
    t.same(waitedFor, [`"stock" is being reloaded (reload ${path.slice(1)}: version.txt)`])
    t.ok(waitedMs > 0)
  }
  t.match(await rows('path:/before'), [{waitedFor: [], waitedMs: 0}])
})
