import t from 'tap'
import type {Traffic} from '../e2e/numbered.ts'
import {COUNTED, FULL, openShop, saveUnder} from '../e2e/reload-shop.ts'

const CASES: readonly (Partial<Traffic> & {readonly name: string})[] = [
  {name: 'GET, a connection each', method: 'GET', keepsAlive: false, perSecond: FULL ? 1000 : 100},
  {name: 'POST up to 64 KiB, kept alive', method: 'POST', keepsAlive: true, perSecond: 200, bytes: 65_536},
  {name: 'POST up to 1 MiB', method: 'POST', keepsAlive: true, perSecond: FULL ? 20 : 60, bytes: 1 << 20}
]

for (const {name, ...traffic} of CASES)
  t.test(`no call is lost and none delivered twice while the callee is saved: ${name}`, {timeout: 120_000}, async t => {
    await saveUnder(t, await openShop(t), traffic)
  })

t.test('nor where the callee runs behind npm start', {timeout: 120_000}, async t => {
  const start = `"${process.execPath}" "${COUNTED}"`
  const shop = await openShop(
    t,
    {command: ['npm', 'start', '--silent'], watch: ['version.txt']},
    {'order/package.json': JSON.stringify({name: 'order', scripts: {start}})}
  )
  await saveUnder(t, shop, {method: 'POST', bytes: 1000, perSecond: 50})
})

t.test('nor where the new process starts beside the old one', {timeout: 120_000}, async t => {
  const shop = await openShop(t, {reload: 'overlap'})
  await saveUnder(t, shop, {method: 'POST', bytes: 1000, perSecond: FULL ? 1000 : 200})
  t.notMatch(shop.run.stdout.text, /[1-9]\d* requests? held/, 'no call has waited')
})
