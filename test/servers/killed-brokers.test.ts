import t, {type Test} from 'tap'
import {component, eventOf, openShop, publish} from '../e2e/pubsub-shop.ts'
import {realKafka} from '../rig/kafka.ts'
import {realRabbit, skipWithoutRabbit} from '../rig/rabbitmq.ts'
import {realRedis, skipWithoutRedis} from '../rig/redis.ts'

// a broker takes half a minute to start on a busy machine, and starts twice
t.setTimeout(400_000)

interface Broker {
  stop(): Promise<void>
  start(): Promise<void>
}

/** A run whose app reads from a broker that is killed and comes back: neither the run nor what it reads has ended. */
async function outlives(
  t: Test,
  broker: Broker,
  type: string,
  metadata: Readonly<Record<string, string>>
): Promise<void> {
  const list = [{pubsubname: 'bus', topic: 'orders', route: '/orders'}]
  const {shop, run, rig} = await openShop(t, list, {'resources/bus.yaml': component('bus', type, metadata)})
  const received = async (n: number): Promise<void> => {
    for (;;) {
      const request = await shop.nextRequest()
      const {data} = eventOf(request)
      await request.reply({})
      if ((data as {n: number}).n === n) return
    }
  }
  // until then RabbitMQ has no queue for what is published, and Kafka no topic
  await rig.logged('shop', /app is subscribed to the following topics: \[orders\]/)
  await publish(shop, 'bus/orders', '{"n":1}')
  await received(1)
  await broker.stop()
  const post = async (): Promise<number> =>
    (
      await shop.fetch('/v1.0/publish/bus/orders', {
        method: 'POST',
        body: '{"n":2}',
        headers: {'content-type': 'application/json'}
      })
    ).status
  t.ok((await post()) >= 500, 'while it is away, publishing fails')
  await broker.start()
  while ((await post()) !== 204);
  await received(2)
  t.equal(run.hasExited, false)
  t.match(await run.end(), {code: 0}, 'no bug was told')
}

t.test('the run outlives a Kafka that is killed while a group reads', async t => {
  const kafka = await realKafka(t)
  if (kafka === undefined) return
  await outlives(t, kafka, 'pubsub.kafka', {
    brokers: kafka.brokers,
    authType: 'none',
    initialOffset: 'oldest',
    producerRetryMax: '1'
  })
})

t.test('the run outlives a RabbitMQ that is killed while a queue is read', {skip: skipWithoutRabbit}, async t => {
  const rabbit = await realRabbit(t)
  await outlives(t, rabbit, 'pubsub.rabbitmq', {
    connectionString: rabbit.url,
    durable: 'true',
    reconnectWaitSeconds: '1'
  })
})

t.test('the run outlives a Redis that is killed while a stream is read', {skip: skipWithoutRedis}, async t => {
  const redis = await realRedis(t)
  await outlives(t, redis, 'pubsub.redis', {redisHost: `127.0.0.1:${redis.port}`})
})
