// Publishes an order a second.
import {setTimeout as pause} from 'node:timers/promises'

const orders = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/v1.0/publish/orders/new`
const items = ['pears', 'plums', 'figs']
const count = Number(process.env.ORDERS ?? 5)

async function sell() {
  for (let n = 0; n < count; n++) {
    const order = {item: items[n % items.length], count: 1}
    const {status} = await fetch(orders, {
      method: 'POST',
      headers: {'content-type': 'application/json'},
      body: JSON.stringify(order)
    })
    console.log(`ordered ${order.item}: ${status}`)
    await pause(1000)
  }
}

sell()
