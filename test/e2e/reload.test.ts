import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {FULL, METHOD, openShop, saveUnder} from './reload-shop.ts'

t.test('no call is lost, none delivered twice over saves: GET, kept alive', {timeout: 120_000}, async t => {
  await saveUnder(t, await openShop(t), {method: 'GET', keepsAlive: true, perSecond: FULL ? 2000 : 100})
})

t.test('after the line of a reload the new code answers, at the same sidecar', async t => {
  const {rig, run, port} = await openShop(t)
  const ask = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${METHOD}?n=1`)
    return answer.headers.get('version') ?? ''
  }
  t.equal(await ask(), '0')
  await rig.write({'order/version.txt': '1'})
  await run.waitForLine('order: reloaded')
  t.equal(await ask(), '1')
  const {stdout} = await rig.run(['events', '--app', 'order'])
  t.match(stdout, /order {2}stopping\n[^]*order {2}ready\n/, 'the history ends with what it is now')
})

t.test('a call that is under way is answered by the process that got it', async t => {
  const {rig, run, port, delivered} = await openShop(t)
  const path = `http://127.0.0.1:${port}${METHOD}`
  const slow = fetch(`${path}?n=2&ms=1000`)
  while (!delivered().includes('2 GET')) await pause(5)
  await rig.write({'order/version.txt': '1'})
  const line = await run.waitForLine('order: reloaded')
  const answer = await slow
  t.same([answer.status, answer.headers.get('version')], [200, '0'])
  t.match(line, /, 0 lost$/)
})

t.test('a call that does not end within the grace is cut off, and named', async t => {
  const {rig, run, port, delivered} = await openShop(t, {stop: {timeout: '300ms'}})
  const path = `http://127.0.0.1:${port}/v1.0/invoke/order/method`
  const endless = fetch(`${path}/events?n=2&ms=60000`)
  while (!delivered().includes('2 GET')) await pause(5)
  await rig.write({'order/version.txt': '1'})
  await run.waitForLine(
    /"order": 1 call was still in flight 0\.[3-9] s after the change and was cancelled: GET \/events\?n=2&ms=60000 from shop/,
    {stream: 'stderr'}
  )
  t.match(await run.waitForLine('order: reloaded'), /, 1 lost$/)
  const answer = await endless
  t.equal(answer.status, 500, 'it had not begun to answer')
  t.same((await fetch(`${path}/x?n=3`)).headers.get('version'), '1')
})
