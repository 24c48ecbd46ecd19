// Run by `pillion up --run 'node --test'`: all apps are ready, and the tests have a sidecar of their own.
import assert from 'node:assert/strict'
import {test} from 'node:test'

const invoke = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/v1.0/invoke`
const ask = async (app, path, body) =>
  (await fetch(`${invoke}/${app}/method/${path}`, body === undefined ? {} : {method: 'POST', body: JSON.stringify(body)})).json()

const pause = () => new Promise(resolve => setTimeout(resolve, 50))

/** Orders as the page does, and waits for what becomes of it. */
async function order(wish) {
  const {id} = await ask('web', 'api/orders', wish)
  for (;;) {
    const {status, result} = await ask('web', `api/orders/${id}`)
    if (!['PENDING', 'RUNNING'].includes(status)) return {status, result}
    await pause()
  }
}

test('what is paid is shipped, and told by mail', {timeout: 20_000}, async () => {
  const before = await ask('stock', 'pen')
  assert.deepEqual(await order({item: 'pen', count: 2, customer: 'Ada', money: 10}), {status: 'COMPLETED', result: 'shipped for 6'})
  assert.equal(await ask('stock', 'pen'), before - 2)
  while (!(await ask('mail', 'sent')).includes('Dear Ada, 2 × pen for 6 is on its way')) await pause()
})

test('what cannot be paid goes back on the shelf', async () => {
  const before = await ask('stock', 'desk')
  assert.deepEqual(await order({item: 'desk', count: 1, customer: 'Grace', money: 100}), {
    status: 'COMPLETED',
    result: '250 is more than 100'
  })
  assert.equal(await ask('stock', 'desk'), before)
})

test('what is not there fails the order', async () => {
  assert.equal((await order({item: 'lamp', count: 11, customer: 'Cem', money: 1000})).status, 'FAILED')
})
