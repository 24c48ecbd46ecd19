import assert from 'node:assert/strict'
import {test} from 'node:test'

const shop = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/v1.0/invoke/shop/method`

test('what is there is sold', async () => {
  const answer = await fetch(`${shop}/items/apple`)
  assert.equal(answer.status, 200)
  assert.equal(await answer.text(), 'one apple')
})

test('what is gone is not', async () => {
  assert.equal((await fetch(`${shop}/items/pear`)).status, 409)
})
