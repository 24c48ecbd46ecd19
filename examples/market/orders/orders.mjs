// Takes orders: POST / starts a workflow for one, GET /<id> tells what became of it.
import {createServer} from 'node:http'
import {WorkflowRuntime} from '@dapr/dapr'

const sidecar = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}`

/** Asks an app, or its own sidecar; an error with its words if it refuses. */
async function ask(path, body) {
  const sent = body === undefined ? {} : {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)}
  const answer = await fetch(`${sidecar}/v1.0/${path}`, sent)
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text === '' ? undefined : JSON.parse(text)
}

const activities = {
  price: (_, {item, count}) => ask(`invoke/prices/method/${item}`).then(price => price * count),
  reserve: (_, order) => ask('invoke/stock/method/reserve', order),
  release: (_, order) => ask('invoke/stock/method/release', order),
  ship: (_, order) => ask('publish/queue/shipped', order)
}

/** What was reserved goes back if the customer cannot pay. */
async function* order(context, input) {
  yield context.callActivity('reserve', input)
  const total = yield context.callActivity('price', input)
  if (total > input.money) {
    yield context.callActivity('release', input)
    return `${total} is more than ${input.money}`
  }
  yield context.callActivity('ship', {...input, total})
  return `shipped for ${total}`
}

const runtime = new WorkflowRuntime()
runtime.registerWorkflowWithName('order', order)
for (const [name, activity] of Object.entries(activities)) runtime.registerActivityWithName(name, activity)
await runtime.start()

createServer(async (request, response) => {
  try {
    if (request.method === 'POST') {
      const body = JSON.parse(Buffer.concat(await request.toArray()).toString())
      const id = `o-${Date.now()}`
      await ask(`workflows/dapr/order/start?instanceID=${id}`, body)
      response.end(JSON.stringify({id}))
    } else if (/^\/o-\d+$/.test(request.url)) {
      const {runtimeStatus, properties} = await ask(`workflows/dapr${request.url}`)
      response.end(JSON.stringify({status: runtimeStatus, result: JSON.parse(properties['dapr.workflow.output'] ?? 'null')}))
    } else response.writeHead(404).end()
  } catch (error) {
    response.writeHead(500).end(error.message)
  }
}).listen(process.env.PORT, '127.0.0.1')
console.log('takes orders')
