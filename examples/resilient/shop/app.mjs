// Asks the stock once a second, by its own sidecar: `fetch` of Node 20 is enough.
const url = `http://localhost:${process.env.DAPR_HTTP_PORT}/v1.0/invoke/stock/method/items/pen`

async function ask() {
  const start = Date.now()
  const response = await fetch(url)
  console.log(`${response.status} after ${Date.now() - start} ms: ${(await response.text()).slice(0, 120)}`)
}

setInterval(() => ask().catch(error => console.log(`no answer: ${error.message}`)), 1000)
