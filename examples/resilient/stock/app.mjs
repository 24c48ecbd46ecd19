// Answers well for ten seconds, then fails for ten seconds, and so on. `curl -X POST localhost:6101/break` and
// `/repair` decide it by hand.
import {createServer} from 'node:http'

let byHand
const isBroken = () => byHand ?? Math.floor(process.uptime() / 10) % 2 === 1

createServer((request, response) => {
  if (request.method === 'POST') {
    byHand = request.url === '/break'
    return response.end()
  }
  response.writeHead(isBroken() ? 503 : 200, {'content-type': 'application/json'})
  response.end(JSON.stringify(isBroken() ? {error: 'out of order'} : {inStock: 7}))
}).listen(process.env.APP_PORT, '127.0.0.1', () => console.log('listening'))
