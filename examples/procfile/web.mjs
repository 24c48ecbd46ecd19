// A page that shows what the other service says, which it finds at a port that is written down.
import {createServer} from 'node:http'

const api = process.env.API ?? 'http://localhost:5100/'

createServer(async (request, response) => {
  if (request.url !== '/') return response.writeHead(404).end()
  try {
    const answer = await fetch(api)
    response.end(`in season: ${await answer.text()}\n`)
  } catch (error) {
    response.writeHead(502).end(`${error.cause?.code}\n`)
  }
}).listen(process.env.PORT)
console.log(`the page is at ${process.env.PORT}`)
