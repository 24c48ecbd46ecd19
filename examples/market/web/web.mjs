// The page of the shop. What the browser asks below /api goes to the app that it names: no port of another one is written anywhere.
import {createServer} from 'node:http'
import {readFile} from 'node:fs/promises'

const sidecar = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}`
const OPEN = /^\/api\/(orders|stock)\/?(.*)/

createServer(async (request, response) => {
  const [, app, path] = OPEN.exec(request.url) ?? []
  if (app !== undefined) {
    const body = request.method === 'POST' ? Buffer.concat(await request.toArray()) : undefined
    const answer = await fetch(`${sidecar}/v1.0/invoke/${app}/method/${path}`, {method: request.method, body})
    response.writeHead(answer.status).end(await answer.text())
  } else if (request.url === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(await readFile(new URL('page.html', import.meta.url)))
  } else response.writeHead(404).end()
}).listen(process.env.PORT, '127.0.0.1')
console.log('open')
