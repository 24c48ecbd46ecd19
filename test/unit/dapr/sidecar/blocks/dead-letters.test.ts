import {mock} from 'node:test'
import t, {type Test} from 'tap'
import type {OpenOptions} from '../../../../../src/dapr/components/component.ts'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import {open as openInMemory} from '../../../../../src/dapr/components/pubsub/in-memory.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {EventAnswer, EventChannel, EventTarget} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {Subscriptions} from '../../../../../src/dapr/sidecar/blocks/subscriptions.ts'
import {usualRule, type TopicSubscription} from '../../../../../src/files/resources/subscriptions.ts'

const dead = (topic: string, deadLetterTopic: string, metadata = {}): TopicSubscription => ({
  pubsubName: 'bus',
  topic,
  metadata,
  rules: [usualRule('/')],
  deadLetterTopic,
  bulk: undefined
})

/** An app that fails to handle each event of these subscriptions. */
async function open(t: Test, ...wanted: readonly TopicSubscription[]) {
  t.teardown(() => mock.timers.reset())
  mock.timers.enable({apis: ['setTimeout']})
  const lines: string[] = []
  const write = (_: string, text: string): unknown => /round/.test(text) && lines.push(text)
  const component = await openInMemory({name: 'bus', warn: () => undefined} as unknown as OpenOptions)
  const find = async () => ({component, properties: new Properties([]), topicPrefix: ''})
  const subscriptions = new Subscriptions({
    appId: 'shop',
    components: {find},
    policies: () => undefined,
    counted: () => undefined,
    outbound: async (_: object, work: () => Promise<unknown>) => work(),
    log: {isDebug: false, write, warn: write}
  } as unknown as BlockContext)
  t.teardown(async () => subscriptions.close())
  const got: string[] = []
  const deliver = async ({subscription: {topic}}: EventTarget): Promise<EventAnswer> => {
    got.push(topic)
    await new Promise(setImmediate)
    return {kind: 'failed', status: 500, text: 'broken'}
  }
  const channel = {ready: () => undefined, mayRead: () => undefined, deliver} as unknown as EventChannel
  await subscriptions.follow(wanted, channel)
  const gotBy = async (ms: number): Promise<string> => {
    mock.timers.tick(ms)
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    return got.splice(0).join('')
  }
  const publish = async (text: string): Promise<unknown> =>
    component.publish('a', {data: Buffer.from(text), metadata: {}})
  return {publish, gotBy, lines}
}

t.test('an event that fails goes round between topics that are each other’s dead letters ever more slowly', async t => {
  const {publish, gotBy, lines} = await open(t, dead('a', 'b'), dead('b', 'a'))
  await publish('{"id":"1"}')
  t.equal(await gotBy(0), 'aba')
  for (let passes = 0; passes < 30; passes++) await gotBy(1000)
  t.equal(await gotBy(999), '')
  t.match(await gotBy(1), /^[ab]$/)
  t.same(lines.length, 2)
})

t.test('equal messages without an id may be several events: they wait for each other only shortly', async t => {
  const {publish, gotBy} = await open(t, dead('a', 'letters', {rawPayload: 'true'}))
  for (let n = 0; n < 10; n++) await publish('tick')
  t.equal(await gotBy(0), 'aa')
  for (let n = 2; n < 10; n++) t.equal(await gotBy(20), 'a')
})

t.test('an event whose time is over goes to the dead letter topic, where raw payloads are taken', async t => {
  const {publish, gotBy} = await open(t, dead('a', 'b'), dead('b', '', {rawPayload: 'true'}))
  await publish('{"id":"1","expiration":"2020-01-01T00:00:00Z"}')
  t.equal(await gotBy(0), 'b')
})
