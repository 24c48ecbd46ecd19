// The shop: serves its customers one by one. It knows the stock by its name only, and asks its own sidecar for it.
import {setTimeout as pause} from 'node:timers/promises'

const sidecar = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}`

const ask = async (path, order = {}) => {
  const headers = {'dapr-app-id': 'stock', 'content-type': 'application/json'}
  const response = await fetch(sidecar + path, {method: 'POST', headers, body: JSON.stringify(order)})
  const answer = await response.json()
  if (response.ok || response.status === 409) return {isDone: response.ok, ...answer}
  throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`)
}

const orders = [
  {name: 'Ada', item: 'apple', count: 2},
  {name: 'Ben', item: 'melon', count: 1},
  {name: 'Cem', item: 'apple', count: 2},
  {name: 'Dot', item: 'pear', count: 1},
  {name: 'Eve', item: 'melon', count: 1}
]

for (const {name, item, count} of orders) {
  const {isDone, left} = await ask('/reservations', {item, count})
  console.log(isDone ? `${name} gets ${count} × ${item}` : `${name} wanted ${count} × ${item}, but only ${left} left`)
  await pause(400)
}
await ask('/lock-up')
console.log('closed for today')
