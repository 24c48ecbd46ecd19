import {createServer} from 'node:http'

/** Serves each of these at `POST /name`: JSON in, JSON out; what it throws is the reason of a 409. */
export const serve = methods =>
  createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    try {
      response.end(JSON.stringify(methods[request.url.slice(1)](JSON.parse(text))))
    } catch (error) {
      response.writeHead(409).end(error.message)
    }
  }).listen(process.env.APP_PORT, '127.0.0.1')
