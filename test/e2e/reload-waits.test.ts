import t from 'tap'
import type {CallRow} from '../../src/api/call-view.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {openRig} from '../rig/rig.ts'

/** RELOADS=20 takes the full measure; without it a few are enough to see that it works. */
const SAVES = Number(process.env['RELOADS'] ?? 3)
const CALLS = 5

t.test('each call that waits for a reload names it, and what was saved', async t => {
  const rig = await openRig(t)
  await rig.write({'stock/version.txt': '0'})
  await rig.template([
    {appID: 'shop', command: []},
    {appID: 'stock', autoPort: true, watch: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  let stock = await rig.driven('stock')
  await Promise.all([stock.listen(), stock.answer({body: 'here'})])
  await run.waitForLine('Writing log files', {nth: 2})
  const socket = controlSocket(rig)
  const rows = async (q: string): Promise<readonly CallRow[]> =>
    ((await ask(socket, `/api/v1/calls?limit=1000&q=${encodeURIComponent(q)}`)).json as {calls: CallRow[]}).calls
  const call = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${http.toString()}/v1.0/invoke/stock/method${path}`)).status
  await call('/before')
  for (let save = 1; save <= SAVES; save++) {
    await rig.write({'stock/version.txt': save.toString()})
    stock = await rig.driven('stock')
    const answers = Array.from({length: CALLS}, async () => call(`/${save.toString()}`))
    while ((await rows(`is:open path:/${save.toString()}`)).length < CALLS);
    await Promise.all([stock.listen(), stock.answer({body: 'here'})])
    t.same(
      await Promise.all(answers),
      Array.from({length: CALLS}, () => 200)
    )
    await run.waitForLine('stock: reloaded', {nth: save})
  }
  const waited = await rows('is:waited')
  t.equal(waited.length, SAVES * CALLS)
  for (const {path, waitedFor, waitedMs} of waited) {
    t.same(waitedFor, [`"stock" is being reloaded (reload ${path.slice(1)}: version.txt)`])
    t.ok(waitedMs > 0)
  }
  t.match(await rows('path:/before'), [{waitedFor: [], waitedMs: 0}])
})
