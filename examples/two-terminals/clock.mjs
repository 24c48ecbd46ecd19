// Tells the time in a zone: GET /time/Europe/Stockholm
import {createServer} from 'node:http'

createServer((request, response) => {
  const zone = decodeURIComponent(new URL(request.url, 'http://clock').pathname.slice('/time/'.length))
  try {
    response.end(new Date().toLocaleTimeString('en-GB', {timeZone: zone}))
  } catch {
    response.writeHead(404).end(`no zone ${zone}`)
  }
}).listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log('ticking'))
