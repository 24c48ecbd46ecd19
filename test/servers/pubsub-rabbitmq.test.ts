import t from 'tap'
import {realRabbit, skipWithoutRabbit} from '../rig/rabbitmq.ts'
import {component, eventOf, openShop, publish} from '../e2e/pubsub-shop.ts'

t.test('pubsub.rabbitmq: a failed event is requeued; messages expire', {skip: skipWithoutRabbit}, async t => {
  const {url} = await realRabbit(t)
  const metadata = {connectionString: url, requeueInFailure: 'true'}
  const list = [{pubsubname: 'bus', topic: 'orders', route: '/orders', metadata: {queueName: 'mine'}}]
  const files = {'resources/bus.yaml': component('bus', 'pubsub.rabbitmq', metadata)}
  const {shop, run} = await openShop(t, list, files)
  await publish(shop, 'bus/orders?metadata.ttlInSeconds=100', '{"n":1}')
  const first = await shop.nextRequest()
  t.match(eventOf(first), {data: {n: 1}, pubsubname: 'bus', topic: 'orders', source: 'shop'})
  t.notOk('expiration' in eventOf(first))
  await first.reply({status: 500})
  const again = await shop.nextRequest()
  t.equal(again.body, first.body)
  await again.reply({})
  t.notMatch(run.stderr, /is lost/)
  const {body} = await shop.fetch('/v1.0/metadata')
  t.match(JSON.parse(body), {
    components: [{name: 'bus', type: 'pubsub.rabbitmq', version: 'v1', capabilities: ['MESSAGE_TTL']}]
  })
})
