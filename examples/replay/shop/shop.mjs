// Passes the question for a price on to prices, through its own sidecar.
import {createServer} from 'node:http'

const sidecar = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}`

const server = createServer(async (request, response) => {
  if (!request.url.startsWith('/pear/')) return response.writeHead(404).end()
  const answer = await fetch(sidecar + request.url, {headers: {'dapr-app-id': 'prices'}})
  response.statusCode = answer.status
  response.end(await answer.text())
})
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit()))
