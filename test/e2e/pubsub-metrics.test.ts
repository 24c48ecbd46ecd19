import t from 'tap'
import type {Driven} from '../rig/command.ts'
import {openShop, publish} from './pubsub-shop.ts'

const linesOf = async ({env}: Driven, name: string): Promise<readonly string[]> => {
  const response = await fetch(`http://127.0.0.1:${env['DAPR_METRICS_PORT'] ?? ''}/`)
  const lines = (await response.text()).split('\n').filter(line => line.startsWith(`${name}{`))
  return lines.map(line => line.slice(name.length).replace('app_id="shop",component="bus",namespace="",', ''))
}

/** The lines, once the last one of these is there. */
const until = async (shop: Driven, name: string, last: string): Promise<readonly string[]> => {
  for (;;) {
    const lines = await linesOf(shop, name)
    if (lines.includes(last)) return lines
  }
}

t.test('what is published and delivered is counted by topic and by what the app answers', async t => {
  const {shop} = await openShop(t, [
    {pubsubname: 'bus', topic: 'orders', route: '/orders'},
    {pubsubname: 'bus', topic: 'many', route: '/many', bulkSubscribe: {enabled: true, maxMessagesCount: 3}}
  ])
  for (const answer of [{}, {body: '{"status":"DROP"}'}, {status: 404}, {status: 500}]) {
    await publish(shop, 'bus/orders', '1')
    await (await shop.nextRequest()).reply(answer)
  }
  const name = 'dapr_component_pubsub_ingress_count'
  const last = '{process_status="retry",status="retry",topic="orders"} 2'
  t.same(await until(shop, name, last), [
    '{process_status="drop",status="drop",topic="orders"} 1',
    '{process_status="drop",status="success",topic="orders"} 1',
    last, // the answer, and that it does not come again
    '{process_status="success",status="success",topic="orders"} 1'
  ])
  t.match(await linesOf(shop, 'dapr_component_pubsub_ingress_latencies_count'), {length: 4})

  const entries = ['1', '2', '3'].map(entryId => ({entryId, event: entryId, contentType: 'text/plain'}))
  const body = JSON.stringify(entries)
  t.match(await shop.fetch('/v1.0/publish/bulk/bus/many', {method: 'POST', body}), {status: 204})
  const request = await shop.nextRequest()
  const {entries: sent} = JSON.parse(request.body) as {readonly entries: readonly {readonly entryId: string}[]}
  const statuses = sent.map(({entryId}, at) => ({entryId, status: at === 2 ? 'DROP' : 'SUCCESS'}))
  await request.reply({body: JSON.stringify({statuses})})
  const success = '{process_status="SUCCESS",topic="many"} 2'
  t.same(await until(shop, 'dapr_component_pubsub_ingress_bulk_event_count', success), [
    '{process_status="DROP",topic="many"} 1',
    success
  ])
  t.same(await linesOf(shop, 'dapr_component_pubsub_ingress_bulk_count'), ['{process_status="",topic="many"} 1'])
  t.same(await linesOf(shop, 'dapr_component_pubsub_egress_count'), ['{success="true",topic="orders"} 4'])
  t.same(await linesOf(shop, 'dapr_component_pubsub_egress_bulk_count'), ['{success="true",topic="many"} 1'])
  t.same(await linesOf(shop, 'dapr_component_pubsub_egress_bulk_event_count'), ['{success="true",topic="many"} 3'])
})
