// What the stock is worth: asks two other apps through its own sidecar.
import {createServer} from 'node:http'

const ask = async app => {
  const response = await fetch(`http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/`, {headers: {'dapr-app-id': app}})
  return response.json()
}

createServer(async (request, response) => {
  if (request.url !== '/') return response.writeHead(404).end()
  const [stock, prices] = await Promise.all([ask('stock'), ask('prices')])
  let worth = 0
  for (const [item, count] of Object.entries(stock)) worth += count * prices[item]
  console.log(`the stock is worth ${worth}`)
  response.end(`${worth}\n`)
}).listen(process.env.APP_PORT, '127.0.0.1', () => console.log('takes orders'))
