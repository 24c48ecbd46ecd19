// The page: asks orders through its own sidecar, and passes on what it hears.
import {createServer} from 'node:http'

createServer(async (request, response) => {
  if (request.url !== '/') return response.writeHead(404).end()
  const url = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/`
  const answer = await fetch(url, {headers: {'dapr-app-id': 'orders'}})
  console.log(`GET ${request.url}: ${answer.status}`)
  response.writeHead(answer.status).end(await answer.text())
}).listen(process.env.APP_PORT, '127.0.0.1', () => console.log('serves the page'))
