import t from 'tap'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {EventChannel} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {Subscriptions} from '../../../../../src/dapr/sidecar/blocks/subscriptions.ts'

/** A broker, and how many read it. */
function newBroker(isOpen: Promise<void>) {
  const broker = {
    reading: 0,
    subscribe: async () => {
      await isOpen
      broker.reading++
      return {stop: async () => void broker.reading--}
    }
  }
  return broker
}

t.test('a stream that begins while its broker is opened again reads the new one', async t => {
  const isOpen = Promise.withResolvers<void>()
  const [before, after] = [newBroker(isOpen.promise), newBroker(Promise.resolve())]
  let component = before
  const find = async () => ({component, properties: new Properties([]), topicPrefix: '', space: ''})
  const log = {isDebug: false, write: () => undefined, warn: () => undefined}
  const subscriptions = new Subscriptions({
    appId: 'shop',
    component: find,
    components: {find},
    log
  } as unknown as BlockContext)
  const topic = {pubsubName: 'bus', topic: 'a', metadata: {}, rules: [], deadLetterTopic: '', bulk: undefined}
  const opening = subscriptions.open(topic, {} as EventChannel, why => t.fail(why))
  await new Promise(setImmediate)
  component = after
  await subscriptions.renew()
  isOpen.resolve()
  const reader = await opening
  await new Promise(setImmediate)
  t.same([before.reading, after.reading], [0, 1])
  await reader.stop()
  t.same([before.reading, after.reading], [0, 0])
})
