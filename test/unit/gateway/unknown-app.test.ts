import t from 'tap'
import {whyUnknown} from '../../../src/gateway/unknown-app.ts'

t.test('an unknown id gets the near miss, what runs here, and what runs elsewhere', async t => {
  t.equal(whyUnknown('x', [], []), 'no app "x" runs here; running: none')
  t.equal(whyUnknown('stok', ['shop'], []), 'no app "stok" runs here; running: shop')
  t.equal(
    whyUnknown('stok', ['shop'], ['stock', 'cart']),
    'no app "stok" runs here; did you mean "stock"?; running: shop; in other runs: stock, cart'
  )
})
