import t from 'tap'
import {openShop, saveUnder} from './reload-shop.ts'

t.test(
  'no call is lost and none delivered twice while the callee is saved: POST up to 64 KiB, a connection each',
  {timeout: 120_000},
  async t => {
    await saveUnder(t, await openShop(t), {method: 'POST', keepsAlive: false, perSecond: 100, bytes: 65_536})
  }
)
