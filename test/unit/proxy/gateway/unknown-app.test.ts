import t from 'tap'
import {whyUnknown} from '../../../../src/proxy/gateway/unknown-app.ts'

t.test('the error for an unknown id names a similar one, the apps of this run and those of other runs', async t => {
  t.equal(whyUnknown('x', [], []), 'no app "x" runs here; running: none')
  t.equal(whyUnknown('stok', ['shop'], []), 'no app "stok" runs here; running: shop')
  t.equal(
    whyUnknown('stok', ['shop'], ['stock', 'cart']),
    'no app "stok" runs here; did you mean "stock"?; running: shop; in other runs: stock, cart'
  )
})
