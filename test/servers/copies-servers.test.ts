import t from 'tap'
import {realKafka} from '../rig/kafka.ts'
import {realPostgres, skipWithoutPostgres} from '../rig/postgres.ts'
import {realRabbit, skipWithoutRabbit} from '../rig/rabbitmq.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {exchange, remember, startCopy, stateOf, told, writeShop} from './two-copies.ts'

/** A subscription, with what it tells its broker alone. */
const listOf = (metadata: Readonly<Record<string, string>> = {}): readonly object[] => [
  {pubsubname: 'bus', topic: 'orders', route: '/orders', metadata}
]

t.test(
  'PostgreSQL: the keys of a copy begin with its name; tables and bindings are shared, which is said',
  {skip: skipWithoutPostgres},
  async t => {
    const {database, query} = await realPostgres(t)
    for (const version of ['v1', 'v2']) {
      const connectionString = database()
      const rig = await openRig(t)
      const store = JSON.parse(component('store', 'state.postgresql', {connectionString, actorStateStore: 'true'})) as {
        readonly spec: object
      }
      await writeShop(rig, true, {
        store: JSON.stringify({...store, spec: {...store.spec, version}}),
        out: component('out', 'bindings.postgresql', {connectionString})
      })
      let pr = await startCopy(rig, 'pr', [])
      const main = await startCopy(rig, 'main', [])
      t.match(
        await told(main),
        /⚠ +out \(bindings\.postgresql at 127\.0\.0\.1\): pr \(pid \d+\) uses the same data\. isolate: true cannot keep these apart/
      )
      await remember(main, pr)
      pr.run.signal('SIGKILL')
      await pr.shop.closed
      pr = await startCopy(rig, 'pr', [])
      t.same([await stateOf(main), await stateOf(pr)], ['"main"', '"pr"'], version)
      const keys = query(connectionString, 'SELECT key FROM state ORDER BY key').split('\n')
      t.match(keys, [/^pr-[0-9a-f]{12}-shop\|\|who$/, /^shop\|\|who$/])
    }
  }
)

t.test('Kafka: no event crosses, also where the component names a group, and after kill -9', async t => {
  const kafka = await realKafka(t)
  if (kafka === undefined) return
  const metadata = {brokers: kafka.brokers, authType: 'none', initialOffset: 'oldest'}
  for (const group of [{}, {consumerGroup: 'all'}, {consumerID: 'all'}]) {
    const rig = await openRig(t)
    await writeShop(rig, true, {bus: component('bus', 'pubsub.kafka', {...metadata, ...group})})
    const main = await startCopy(rig, 'main', listOf())
    let pr = await startCopy(rig, 'pr', listOf())
    await exchange(t, main, pr)
    pr.run.signal('SIGKILL')
    await pr.shop.closed
    pr = await startCopy(rig, 'pr', listOf())
    await exchange(t, pr, main)
    for (const {run} of [main, pr]) t.notMatch(run.stderr.text, 'the same data')
    for (const {run} of [main, pr]) run.signal('SIGINT')
    for (const {run} of [main, pr]) await run.exited
  }
})

t.test(
  'RabbitMQ: no event crosses, also where a component or a subscription names the queue',
  {skip: skipWithoutRabbit},
  async t => {
    const {url} = await realRabbit(t)
    const cases = [
      [{}, {}],
      [{consumerID: 'all', enableDeadLetter: 'true'}, {}],
      [{}, {queueName: 'mine'}]
    ] as const
    for (const [wishes, metadata] of cases) {
      const rig = await openRig(t)
      await writeShop(rig, true, {bus: component('bus', 'pubsub.rabbitmq', {connectionString: url, ...wishes})})
      const main = await startCopy(rig, 'main', listOf(metadata))
      const pr = await startCopy(rig, 'pr', listOf(metadata))
      await exchange(t, main, pr)
      for (const {run} of [main, pr]) t.notMatch(run.stderr.text, 'the same data')
      for (const {run} of [main, pr]) run.signal('SIGINT')
      for (const {run} of [main, pr]) await run.exited
    }
  }
)
