// Fills carts: Ada's five times at the same time, and no pen is lost.
const sidecar = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/v1.0/actors/Cart`

async function call(customer, method, body = {}) {
  const answer = await fetch(`${sidecar}/${customer}/method/${method}`, {method: 'POST', body: JSON.stringify(body)})
  if (!answer.ok) throw new Error(await answer.text())
  return answer.json()
}

await Promise.all(Array.from({length: 5}, () => call('Ada', 'add', {item: 'pen', count: 1})))
console.log(`Ada has ${(await call('Ada', 'items')).pen} pens in her cart`)
await call('Cem', 'add', {item: 'pear', count: 2})
console.log(`Cem takes ${(await call('Cem', 'checkout')).pear} pears home`)
