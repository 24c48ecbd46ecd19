// Shopping carts: an actor for each customer. One call at a time enters a cart, so that nothing has to be locked.
import {createServer} from 'node:http'

const {APP_PORT, DAPR_HTTP_PORT} = process.env
const sidecar = `http://127.0.0.1:${DAPR_HTTP_PORT}/v1.0/actors/Cart`

const post = (path, body) => fetch(`${sidecar}/${path}`, {method: 'POST', body: JSON.stringify(body)})

async function read(id) {
  const answer = await fetch(`${sidecar}/${id}/state/items`)
  return answer.status === 200 ? answer.json() : {}
}

const write = (id, items) => post(`${id}/state`, [{operation: 'upsert', request: {key: 'items', value: items}}])

const listed = items =>
  Object.entries(items)
    .map(([item, count]) => `${count} × ${item}`)
    .join(', ')

const methods = {
  items: read,
  async add(id, {item, count}) {
    const items = await read(id)
    items[item] = (items[item] ?? 0) + count
    await write(id, items)
    await post(`${id}/reminders/idle`, {dueTime: '20m'}) // in place of the last one
    return items
  },
  async checkout(id) {
    const items = await read(id)
    await write(id, {})
    await fetch(`${sidecar}/${id}/reminders/idle`, {method: 'DELETE'})
    return items
  }
}

const bodyOf = async request => {
  let text = ''
  for await (const piece of request) text += piece
  return text === '' ? undefined : JSON.parse(text)
}

createServer(async (request, response) => {
  const {method, url} = request
  if (url === '/dapr/config') return response.end('{"entities": ["Cart"]}')
  const body = await bodyOf(request)
  const [, , , id, , name] = url.split('/').map(decodeURIComponent)
  if (method === 'DELETE') return response.end() // nothing is kept in memory
  if (name === 'remind') {
    console.log(`${id} has left a cart behind: ${listed(await read(id))}`)
    return response.end()
  }
  if (!Object.hasOwn(methods, name)) return response.writeHead(404).end()
  response.end(JSON.stringify(await methods[name](id, body)))
}).listen(APP_PORT, '127.0.0.1')
