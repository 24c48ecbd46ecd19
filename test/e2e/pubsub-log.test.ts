import t from 'tap'
import {openShop, publish} from './pubsub-shop.ts'

/** The lines of scripts that look at Dapr's log, and ours; each has to come. */
const LINES = [
  /level=info.*app is subscribed to the following topics: \[orders raw rules\] through pubsub=bus/,
  /level=warn.*topic unrouted has an empty routes\. removing from subscriptions list/,
  /level=warn.*two identical subscriptions found \(sources: declarative, app endpoint\)\. pubsubname: bus, topic: orders/,
  /level=debug.*published to topic orders in pubsub bus: .*\\"id\\":\\"1\\"/,
  /level=debug.*app processed pub\/sub event 1 of topic orders/,
  /level=warn.*DROP status returned from app while processing pub\/sub event 2/,
  /level=error.*non-retriable error returned from app while processing pub\/sub event 3: gone\. status code returned: 404/,
  /level=warn.*retriable error returned from app while processing pub\/sub event 4, topic: orders, body: .*busy.*\. status code returned: 503/,
  /level=warn.*event 4 of topic orders in pubsub bus is lost: the app answered 503 busy\. A deadLetterTopic .* targets\.components\.bus\.inbound/,
  /level=warn.*RETRY status returned from app while processing pub\/sub event 5/,
  /level=warn.*unknown status returned from app while processing pub\/sub event 6, status: MAYBE/,
  /level=error.*error deserializing cloud event in pubsub bus and topic raw/,
  /level=warn.*dropping expired pub\/sub event 8 as of /,
  /level=warn.*no matching route for event 7 in pubsub bus and topic rules; skipping/,
  /level=debug.*published 2 of 2 events to topic nobody in pubsub bus/
] as const

t.test('--log-level debug tells each publish, delivery and answer; what is lost is told with its cures', async t => {
  const rules = {rules: [{match: 'event.data == "other"', path: '/other'}]}
  const {rig, run, shop} = await openShop(
    t,
    [
      {pubsubname: 'bus', topic: 'orders', route: '/orders'},
      {pubsubname: 'bus', topic: 'raw', route: '/raw'},
      {pubsubname: 'bus', topic: 'rules', routes: rules},
      {pubsubname: 'bus', topic: 'unrouted'}
    ],
    {
      'resources/orders.yaml': JSON.stringify({
        apiVersion: 'dapr.io/v2alpha1',
        kind: 'Subscription',
        metadata: {name: 'orders'},
        spec: {pubsubname: 'bus', topic: 'orders', routes: {default: '/elsewhere'}}
      })
    },
    3
  )
  const send = async (id: number, topic: string): Promise<void> =>
    publish(shop, `bus/${topic}?metadata.cloudevent.id=${id}`, '1')
  for (const [id, answer] of [
    {},
    {body: '{"status":"DROP"}'},
    {status: 404, body: 'gone'},
    {status: 503, body: 'busy'},
    {body: '{"status":"RETRY"}'},
    {body: '{"status":"MAYBE"}'}
  ].entries()) {
    await send(id + 1, 'orders')
    const request = await shop.nextRequest()
    t.equal(request.url, '/orders', 'what the app lists wins')
    await request.reply(answer)
  }
  await publish(shop, 'bus/raw?metadata.rawPayload=true', 'no event')
  const late = {'content-type': 'application/cloudevents+json'}
  await publish(shop, 'bus/orders', '{"id":"8","expiration":"2020-01-01T00:00:00Z"}', late)
  await send(7, 'rules')
  const entries = ['a', 'b'].map(entryId => ({entryId, event: entryId, contentType: 'text/plain'}))
  const body = JSON.stringify(entries)
  t.match(await shop.fetch('/v1.0/publish/bulk/bus/nobody', {method: 'POST', body}), {status: 204})
  await run.waitForLine(
    /"shop" did not take an event of topic orders in pubsub bus, which is lost: POST \/orders answered 404\./,
    {stream: 'stderr'}
  )
  for (const line of LINES) {
    await rig.logged('shop', line)
    t.pass(line.source)
  }
})
