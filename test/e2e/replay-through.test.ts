import t from 'tap'
import type {CallRow} from '../../src/api/call-view.ts'
import type {ReplayView} from '../../src/api/replay-view.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import {openRig} from '../rig/rig.ts'
import {openShop} from './replay-scene.ts'

t.test('a call that is sent again while its callee reloads waits, as any call does', async t => {
  const rig = await openRig(t)
  await rig.write({'stock/version.txt': '0'})
  await rig.template([
    {appID: 'shop', command: []},
    {appID: 'stock', autoPort: true, watch: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  let stock = await rig.driven('stock')
  await Promise.all([stock.listen(), stock.answer({body: 'before'})])
  await run.waitForLine('Writing log files', {nth: 2})
  await (await fetch(`http://127.0.0.1:${http.toString()}/v1.0/invoke/stock/method/items`)).text()
  const socket = controlSocket(rig)
  const rows = async (q: string): Promise<readonly CallRow[]> =>
    ((await ask(socket, `/api/v1/calls?q=${encodeURIComponent(q)}`)).json as {calls: CallRow[]}).calls
  const [{number}] = (await rows('path:/items')) as [CallRow]
  await rig.write({'stock/version.txt': '1'})
  stock = await rig.driven('stock')
  const replay = ask(socket, `/api/v1/calls/${number.toString()}/replay`, {method: 'POST', body: '{}'})
  while ((await rows('is:open is:replay')).length === 0);
  await Promise.all([stock.listen(), stock.answer({body: 'after'})])
  const view = (await replay).json as ReplayView
  t.match(view, {before: {status: 200}, after: {status: 200}})
  t.ok(view.differences.some(({path, before, after}) => path === 'line 1' && before === 'before' && after === 'after'))
  t.match(await rows('is:replay'), [
    {waitedFor: ['"stock" is being reloaded (reload 1: version.txt)'], marks: ['replay']}
  ])
})

t.test('tokens, faults and policies hold for a call that is sent again', async t => {
  const {rig, port, call, numberOf, replay} = await openShop(t, {}, {DAPR_API_TOKEN: 'let-me-in'})
  const without = await fetch(`http://127.0.0.1:${port.toString()}/v1.0/invoke/stock/method/items`)
  t.equal(without.status, 401)
  await call('/items', {headers: {'dapr-api-token': 'let-me-in'}})
  const number = (await numberOf('path:/items')).toString()
  t.match(await replay(number), [{after: {status: 200}}], 'with the token that the caller has sent')
  t.notMatch((await rig.run(['replay', number])).stdout, /let-me-in/)
  t.match(await rig.run(['fault', 'shop', 'stock', '--status', '503']), {code: 0})
  t.match(await replay(number), [{before: {status: 200}, after: {status: 503}}])
  t.match(
    (await rig.run(['calls', 'is:replay is:fault', '-o', 'ndjson'])).stdout,
    /"marks":\["replay","fault","ours"\]/
  )
})
