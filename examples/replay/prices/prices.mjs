// Tells what a pear costs in a currency, and dies of one that it does not find.
import {createServer} from 'node:http'

const RATES = {EUR: {rate: 1, symbol: '€'}, USD: {rate: 1.1, symbol: '$'}}

const server = createServer((request, response) => {
  if (!request.url.startsWith('/pear/')) return response.writeHead(404).end()
  const currency = request.url.replace('/pear/', '')
  const {rate, symbol} = RATES[currency]
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({pear: 1.2 * rate, symbol, at: new Date()}))
})
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit()))
