import t from 'tap'
import type {ConfigurationItems} from '../../../../src/dapr/components/configuration-store.ts'
import {open} from '../../../../src/dapr/components/configuration/redis.ts'
import {RedisEngine} from '../../../../src/packages/redis/engine/engine.ts'
import {MemoryConnection} from '../../../../src/packages/redis/memory-connection.ts'
import type {RedisReply} from '../../../../src/packages/redis/connection.ts'
import {openComponent} from '../../../rig/open-component.ts'

t.test('who watches all keys hears of texts alone: state and events of the same Redis are none', async t => {
  const engine = new RedisEngine()
  const other = new MemoryConnection(engine)
  const redis = {connect: async () => new MemoryConnection(engine)}
  const store = await openComponent(t, open, {redisHost: 'localhost:6379'}, {redis})
  const heard: ConfigurationItems[] = []
  const gone = Promise.withResolvers<void>()
  await store.subscribe([], {}, items => {
    heard.push(items)
    if (heard.length === 2) gone.resolve()
  })
  await other.command(['HSET', 'shop||1', 'data', '1'])
  await other.command(['XADD', 'orders', '*', 'data', '1'])
  await other.command(['SET', 'color', 'red||2'])
  while (heard.length === 0) await new Promise(setImmediate)
  await other.command(['DEL', 'color'])
  await gone.promise
  t.same(heard, [{color: {value: 'red', version: '2', metadata: {}}}, {color: {value: '', version: '', metadata: {}}}])
  await other.close()
  engine.close()
})

/** A connection whose answers arrive later, in their order, as over a socket: the server goes on meanwhile. */
class LateConnection extends MemoryConnection {
  readonly late: (() => void)[] = []

  override async command(...given: Parameters<MemoryConnection['command']>): Promise<RedisReply> {
    const [answer] = await Promise.allSettled([super.command(...given)])
    await new Promise<void>(resolve => this.late.push(resolve))
    if (answer.status === 'rejected') throw answer.reason
    return answer.value
  }

  /** Lets one answer arrive. */
  async arrive(): Promise<void> {
    this.late.shift()?.()
    await new Promise(setImmediate)
  }
}

t.test('a key that is set again as soon as it was deleted has its value at last', async t => {
  const engine = new RedisEngine()
  const other = new MemoryConnection(engine)
  const connection = new LateConnection(engine)
  const opening = openComponent(t, open, {redisHost: 'localhost:6379'}, {redis: {connect: async () => connection}})
  const subscribed = opening.then(async store =>
    store.subscribe(['color'], {}, ({color}) => heard.push(color?.value ?? ''))
  )
  const heard: string[] = []
  while (connection.late.length === 0) await new Promise(setImmediate)
  await connection.arrive()
  await subscribed
  for (const change of [
    ['SET', 'color', 'red'],
    ['DEL', 'color'],
    ['SET', 'color', 'blue']
  ]) {
    await other.command(change)
    await new Promise(setImmediate)
  }
  while (connection.late.length > 0) await connection.arrive()
  t.same(heard, ['red', '', 'blue'])
  await other.close()
  engine.close()
})
