// Takes orders, and keeps what is left in state.
import {createServer} from 'node:http'

const state = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/v1.0/state/stockstore`

async function take({item, count}) {
  const response = await fetch(`${state}/${item}`)
  const left = response.status === 200 ? await response.json() : 100
  await fetch(state, {method: 'POST', body: JSON.stringify([{key: item, value: left - count}])})
  console.log(`${count} ${item} sold, ${left - count} left`)
}

const bodyOf = async request => {
  let text = ''
  for await (const piece of request) text += piece
  return text === '' ? undefined : JSON.parse(text)
}

createServer(async (request, response) => {
  if (request.url === '/dapr/subscribe')
    return response.end(JSON.stringify([{pubsubname: 'orders', topic: 'new', route: '/orders'}]))
  const event = await bodyOf(request)
  if (request.url === '/orders') await take(event.data)
  response.end()
}).listen(process.env.APP_PORT)
