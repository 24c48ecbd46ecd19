import t from 'tap'
import {
  SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsResponseAlpha1
} from '../../src/model/dapr/messages/pubsub.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openShop, publish} from './pubsub-shop.ts'

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

t.test('an event that cannot be written for gRPC is lost; the run, and the events behind it, continue', async t => {
  const {shop, run} = await openShop(t, [])
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const stream = client.stream('SubscribeTopicEventsAlpha1', {
    sent: SubscribeTopicEventsRequestAlpha1,
    told: SubscribeTopicEventsResponseAlpha1
  })
  stream.send({initialRequest: {pubsubName: 'bus', topic: 'orders', metadata: {}, deadLetterTopic: undefined}})
  t.match(await stream.next(), {initialResponse: {}})
  const type = {'content-type': 'application/cloudevents+json'}
  await publish(shop, 'bus/orders', `{"id":"1","data":1,"more":${deep(9000)}}`, type)
  await publish(shop, 'bus/orders', '{"id":"2","data":2}', type)
  t.match(await stream.next(), {eventMessage: {id: '2'}})
  await run.waitForLine(/failed to handle an event of topic orders in pubsub bus, which is lost/, {stream: 'stderr'})
})

t.test('JSON that is nested too deeply for a message is refused', async t => {
  const {shop} = await openShop(t, [])
  const body = `{"schedule":"@yearly","data":${deep(20_000)}}`
  const answer = await shop.fetch('/v1.0/jobs/deep', {method: 'POST', body})
  t.match(answer, {status: 400, body: /"errorCode":"ERR_MALFORMED_REQUEST"/})
})
