// Takes orders: a row in PostgreSQL, a value in Redis, an event for the mail.
const {createServer} = require('node:http')
const {resolve} = require('node:path')
const {DAPR_HTTP_PORT, APP_PORT} = process.env

/** Which copy this is: a row or an event of another one would show. */
const copy = resolve('..')

const post = async (path, body) => {
  const response = await fetch(`http://127.0.0.1:${DAPR_HTTP_PORT}/v1.0/${path}`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
}

async function take({id}) {
  const sql = 'INSERT INTO orders (id, copy) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING'
  await post('bindings/db', {operation: 'exec', metadata: {sql, params: JSON.stringify([id, copy])}})
  await post('state/store', [{key: id, value: {copy}}])
  await post('publish/bus/orders', {id, copy})
}

createServer((request, response) => {
  let text = ''
  request.on('data', piece => (text += piece))
  request.on('end', async () => {
    try {
      if (request.method === 'POST' && request.url === '/orders') await take(JSON.parse(text))
      response.writeHead(request.url === '/orders' ? 201 : 404).end()
    } catch (error) {
      console.error(error.message)
      response.writeHead(500).end(error.message)
    }
  })
}).listen(Number(APP_PORT), '127.0.0.1')
