import type * as Api from '../../src/model/api.generated.ts'
import t from 'tap'
import {misfit} from '../rig/api-schema.ts'
import {ask, openShop} from './fault-shop.ts'

t.test('a status in place of the callee: it is not called, a header and the console name the fault', async t => {
  const {rig, run, url, fault, rows} = await openShop(t)
  t.match(await rig.run(['fault']), {
    code: 0,
    stdout: /^There are no faults\. Add one, for example: pillion fault shop stock/
  })
  t.strictSame(await ask(url('/x')), {status: 200, body: '0123456789', mark: undefined})
  await fault('shop', 'stock', '--status', '503', '--method', 'POST', '--path', '/orders/*')
  await run.waitForLine(/fault 1 is on: shop → stock POST \/orders\/\*: 503$/)
  t.strictSame(await ask(url('/orders/7'), 'POST'), {status: 503, body: 'fault 1 of Pillion\n', mark: '1'})
  t.match(await ask(url('/orders/7')), {status: 200, mark: undefined}, 'another method')
  t.match(await ask(url('/x'), 'POST'), {status: 200, mark: undefined}, 'another path')
  t.match(await ask(url('/count')), {body: '3'})
  t.match((await rig.run(['fault'])).stdout, /^FAULT .*\n +1 {2}shop → stock POST \/orders\/\* {2}503 +1 of 1\n$/)
  const listed = JSON.parse((await rig.run(['fault', '-o', 'json'])).stdout) as Api.Fault[]
  t.equal(misfit('Faults', {faults: listed, removed: 0}), '')
  t.match(listed, [
    {
      number: 1,
      from: 'shop',
      to: 'stock',
      method: 'POST',
      status: 503,
      rate: 1,
      seed: 1,
      hits: 1,
      matched: 1,
      times: null,
      leftMs: null
    }
  ])
  t.match(await rows('is:fault'), [
    {path: '/orders/7', method: 'POST', status: 503, isFailed: true, marks: ['fault', 'ours']}
  ])
  t.equal((await rows('is:fault')).length, 1)
  await fault('--disable', '1')
  await run.waitForLine(/fault 1 is disabled: shop → stock POST \/orders\/\*: it hit 1 of 1 call$/)
  t.match(await ask(url('/orders/7'), 'POST'), {status: 200, mark: undefined}, 'without it')
  t.match(
    (await rig.run(['fault'])).stdout,
    /^FAULT .*\n +1 {2}shop → stock POST \/orders\/\* {2}503 +disabled {2}1 of 1\n$/
  )
  await fault('--enable', 'all')
  await run.waitForLine(/fault 1 is enabled again: shop → stock POST \/orders\/\*$/)
  t.match(await ask(url('/orders/7'), 'POST'), {status: 503, mark: '1'}, 'with it')
  await fault('--off', '1')
  await run.waitForLine(/fault 1 is off: shop → stock POST \/orders\/\*: it hit 2 of 2 calls$/)
  t.match(await ask(url('/orders/7'), 'POST'), {status: 200, mark: undefined})
  await fault('any', 'any', '--status', '418', '--body', '{"tea":true}', '--times', '1')
  t.strictSame(await ask(url('/x')), {status: 418, body: '{"tea":true}', mark: '2'})
  t.match(await ask(url('/x')), {status: 200, mark: undefined}, 'once')
})

t.test('two runs with one seed: the same calls are hit', async t => {
  const hits = async (): Promise<readonly number[]> => {
    const {rig, run, url} = await openShop(t, {faults: [{from: 'shop', to: 'stock', status: 503, rate: 0.3, seed: 42}]})
    await run.waitForLine(/fault 1 is on: shop → stock: 503 \(30 % of the calls\)$/)
    const hit: number[] = []
    for (let n = 1; n <= 40; n++) if ((await ask(url('/x'))).status === 503) hit.push(n)
    t.equal((await rig.run(['stop', '-f', '.'])).code, 0)
    return hit
  }
  const first = await hits()
  t.ok(first.length > 5 && first.length < 20, first.join(' '))
  t.strictSame(await hits(), first)
})

t.test('policies of the caller see a callee that fails, and try again', async t => {
  const {url, fault, rows} = await openShop(t, {common: {resourcesPath: './resources'}})
  await fault('shop', 'stock', '--status', '503', '--times', '2', '--path', '/x')
  await fault('shop', 'stock', '--abort', '--path', '/reset', '--times', '1')
  t.match(await ask(url('/x')), {status: 200})
  t.match(await ask(url('/reset')), {status: 200})
  t.match(await rows('is:fault'), [{status: 200}, {status: 200}])
  t.match(await ask(url('/count')), {body: '2'})
  await fault('shop', 'stock', '--delay', '1h', '--path', '/slow')
  t.match(await ask(url('/slow')), {status: 500, body: /context deadline exceeded/}, 'a timeout counts the delay')
})
