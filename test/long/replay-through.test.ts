import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {ask} from '../rig/control-socket.ts'
import {openRig} from '../rig/rig.ts'
import {openShop} from '../e2e/replay-scene.ts'
import {openWatchedStock} from '../e2e/watched-stock.ts'

t.test('a call that is sent again while its callee reloads waits, as any call does', async t => {
  const rig = await openRig(t)
  const {socket, rows, call, save} = await openWatchedStock(rig, 'before')
  await (await call('/items')).text()
  const [{number}] = (await rows('path:/items')) as [Api.Call]
  const stock = await save('1')
  const replay = ask(socket, `/api/v1/calls/${number}/replay`, {method: 'POST', body: '{}'})
  while ((await rows('is:open is:replay')).length === 0);
  await Promise.all([stock.listen(), stock.answer({body: 'after'})])
  const view = (await replay).json as Api.Replay
  t.match(view, {before: {status: 200}, after: {status: 200}})
  t.ok(view.differences.some(({path, before, after}) => path === 'line 1' && before === 'before' && after === 'after'))
  t.match(await rows('is:replay'), [
    {waitedFor: ['"stock" is being reloaded (reload 1: version.txt)'], marks: ['replay']}
  ])
})

t.test('tokens, faults and policies hold for a call that is sent again', async t => {
  const {rig, port, call, numberOf, replay} = await openShop(t, {}, {DAPR_API_TOKEN: 'let-me-in'})
  const without = await fetch(`http://127.0.0.1:${port}/v1.0/invoke/stock/method/items`)
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
