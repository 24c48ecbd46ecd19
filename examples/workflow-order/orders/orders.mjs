// An order: reserves the goods, charges the customer, waits for somebody to approve it, and ships. What it has done is undone if a later step fails.
import {WorkflowRuntime} from '@dapr/dapr'

const sidecar = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}`
const patience = Number(process.env.APPROVAL_SECONDS)

/** Calls another app; an error with its words if it refuses. */
const call = async (app, path, body) => {
  const response = await fetch(`${sidecar}/v1.0/invoke/${app}/method/${path}`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${app} refuses: ${await response.text()}`)
  return response.json()
}

const activities = {
  reserve: (_, {item, count}) => call('stock', 'reserve', {item, count}),
  release: (_, {item, count}) => call('stock', 'release', {item, count}),
  charge: (_, {customer, price}) => call('bank', 'charge', {customer, price}),
  refund: (_, {customer, price}) => call('bank', 'refund', {customer, price}),
  ship: async (_, {item, count, customer}) => {
    console.log(`${count} × ${item} on the way to ${customer}`)
    return `${count} × ${item}`
  }
}

async function* order(context, input) {
  const undo = []
  try {
    yield context.callActivity('reserve', input)
    undo.unshift('release')
    yield context.callActivity('charge', input)
    undo.unshift('refund')

    const approval = context.waitForExternalEvent('approved')
    const timeout = context.createTimer(patience)
    const first = yield context.whenAny([approval, timeout])
    if (first === timeout) throw new Error('nobody has approved it')

    return yield context.callActivity('ship', input)
  } catch (error) {
    for (const step of undo) yield context.callActivity(step, input)
    return `undone: ${error.message}`
  }
}

const runtime = new WorkflowRuntime()
runtime.registerWorkflowWithName('order', order)
for (const [name, activity] of Object.entries(activities)) runtime.registerActivityWithName(name, activity)
await runtime.start()
console.log('takes orders')
