import {setTimeout as pause} from 'node:timers/promises'
import {Admin} from '@platformatic/kafka'
import t from 'tap'
import {realKafka} from '../rig/kafka.ts'
import {component, eventOf, openShop, publish} from '../e2e/pubsub-shop.ts'

const TOPICS = ['orders', 'jobs']

/** Makes the topics: on a busy machine a broker needs longer for one that is used first than clients ask for it. */
async function makeTopics(brokers: string): Promise<void> {
  const admin = new Admin({clientId: 'test', bootstrapBrokers: [brokers]})
  await admin.createTopics({topics: TOPICS, partitions: 2})
  const areThere = async (): Promise<boolean> =>
    admin.metadata({topics: TOPICS, forceUpdate: true}).then(
      () => true,
      () => false
    )
  while (!(await areThere())) await pause(100)
  await admin.close()
}

t.test('pubsub.kafka and bindings.kafka: events that failed come again; a binding is called and calls', async t => {
  const kafka = await realKafka(t)
  if (kafka === undefined) return
  await makeTopics(kafka.brokers)
  const metadata = {brokers: kafka.brokers, authType: 'none', initialOffset: 'oldest', backOffDuration: '10ms'}
  const files = {
    'resources/bus.yaml': component('bus', 'pubsub.kafka', metadata),
    'resources/queue.yaml': component('queue', 'bindings.kafka', {
      ...metadata,
      consumerGroup: 'queue',
      publishTopic: 'jobs',
      topics: 'jobs',
      direction: 'input, output'
    })
  }
  const {shop, run} = await openShop(t, [{pubsubname: 'bus', topic: 'orders', route: '/orders'}], files)
  await publish(shop, 'bus/orders?metadata.partitionKey=7', '{"n":1}')
  const first = await shop.nextRequest()
  t.match(first.headers, {partitionkey: '7', __topic: 'orders'})
  t.match(eventOf(first), {data: {n: 1}, pubsubname: 'bus', topic: 'orders', source: 'shop'})
  await first.reply({status: 500})
  const again = await shop.nextRequest()
  t.equal(again.body, first.body)
  await again.reply({})
  t.notMatch(run.stderr, /is lost/)
  const body = '{"operation":"create","data":{"job":1}}'
  t.match(await shop.fetch('/v1.0/bindings/queue', {method: 'POST', body}), {status: 204})
  const job = await shop.nextRequest()
  t.match(job, {method: 'POST', url: '/queue', body: '{"job":1}'})
  await job.reply({})
})
