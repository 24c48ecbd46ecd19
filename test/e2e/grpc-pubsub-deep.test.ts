import t from 'tap'
import {
  SubscribeTopicEventsRequestAlpha1,
  SubscribeTopicEventsResponseAlpha1
} from '../../src/model/dapr/messages/pubsub.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {freePort} from '../rig/free-port.ts'
import {component, openShop, publish} from './pubsub-shop.ts'

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

t.test('large events that come together reach a stream that takes them', async t => {
  const metadata = {redisHost: `localhost:${await freePort()}`}
  const {shop, run} = await openShop(t, [], {'resources/large.yaml': component('large', 'pubsub.redis', metadata)})
  const type = {'content-type': 'text/plain'}
  const body = 'x'.repeat(3 << 20)
  for (let n = 0; n < 10; n++) await publish(shop, 'large/orders', body, type)
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const stream = client.stream('SubscribeTopicEventsAlpha1', {
    sent: SubscribeTopicEventsRequestAlpha1,
    told: SubscribeTopicEventsResponseAlpha1
  })
  stream.send({initialRequest: {pubsubName: 'large', topic: 'orders', metadata: {}, deadLetterTopic: undefined}})
  t.match(await stream.next(), {initialResponse: {}})
  const ids = new Set<string>()
  for (let n = 0; n < 10; n++) {
    const told = await stream.next()
    t.match(told, {eventMessage: {}})
    const {id = ''} = ('eventMessage' in told && told.eventMessage) || {}
    ids.add(id)
    stream.send({eventProcessed: {id, status: {status: 0}}})
  }
  t.equal(ids.size, 10)
})

t.test('JSON that is nested too deeply for a message is refused', async t => {
  const {shop} = await openShop(t, [])
  const body = `{"schedule":"@yearly","data":${deep(20_000)}}`
  const answer = await shop.fetch('/v1.0/jobs/deep', {method: 'POST', body})
  t.match(answer, {status: 400, body: /"errorCode":"ERR_MALFORMED_REQUEST"/})
})
