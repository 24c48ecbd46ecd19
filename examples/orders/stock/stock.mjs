// The stockroom: sets aside what is ordered, as long as there is some, and locks up when the shop closes.
import {createServer} from 'node:http'

const shelf = new Map()
for (const entry of process.env.SHELF.split(', ')) {
  const [count, item] = entry.split(' ')
  shelf.set(item, Number(count))
}

const reserve = ({item, count}) => {
  const left = shelf.get(item) ?? 0
  if (left < count) return {status: 409, answer: {left}}
  shelf.set(item, left - count)
  console.log(`${count} × ${item} set aside, ${left - count} left`)
  return {status: 200, answer: {left: left - count}}
}

const lockUp = () => {
  const rest = [...shelf].filter(([, count]) => count > 0).map(([item, count]) => `${count} × ${item}`)
  console.log(`locking up; still here: ${rest.join(', ')}`)
  patience.close()
  server.close()
  return {status: 200, answer: {}}
}

const routes = {'POST /reservations': reserve, 'POST /lock-up': lockUp}

const server = createServer(async (request, response) => {
  patience.refresh()
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  const route = routes[`${request.method} ${request.url}`] ?? (() => ({status: 404, answer: {}}))
  const {status, answer} = route(text && JSON.parse(text))
  response.writeHead(status, {
    'content-type': 'application/json',
    connection: server.listening ? 'keep-alive' : 'close'
  })
  response.end(JSON.stringify(answer))
})

const patience = setTimeout(lockUp, 20_000) // nobody comes any more
server.listen(process.env.APP_PORT, '127.0.0.1', () => console.log(`open; on the shelf: ${process.env.SHELF}`))
