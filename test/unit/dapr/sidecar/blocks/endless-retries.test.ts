import {getEventListeners} from 'node:events'
import t from 'tap'
import type {AppComponents} from '../../../../../src/dapr/components/app-components.ts'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import type {SubscribeOptions} from '../../../../../src/dapr/components/pubsub.ts'
import type {BindingChannel} from '../../../../../src/dapr/sidecar/blocks/binding-channel.ts'
import {newBlocks, type Blocks} from '../../../../../src/dapr/sidecar/blocks/blocks.ts'
import type {BlockContextOptions} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {EventChannel} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {encryptStream} from '../../../../../src/dapr/sidecar/grpc/blocks/crypt.ts'
import {subscribeConfiguration} from '../../../../../src/dapr/sidecar/grpc/blocks/subscribe-configuration.ts'
import type {ServerStream} from '../../../../../src/dapr/sidecar/grpc/server-stream.ts'
import {parseResourceFile} from '../../../../../src/files/resources/resource-file.ts'
import {mergeResiliencies, readResiliency} from '../../../../../src/files/resources/resiliency/resiliency.ts'
import {usualRule} from '../../../../../src/files/resources/subscriptions.ts'
import {EncryptRequest} from '../../../../../src/model/dapr/messages/crypto.generated.ts'
import {SubscribeConfigurationRequest} from '../../../../../src/model/dapr/messages/configuration.generated.ts'
import {systemClock} from '../../../../../src/platform/clock.ts'
import {ComponentPolicies, until} from '../../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import {encode} from '../../../../../src/proxy/net/grpc/message-codec.ts'
import {Outbox} from '../../../../../src/work/outbox.ts'
import {WorkFile} from '../../../../../src/work/work-file.ts'

/** As in Dapr, a retry without `maxRetries` has no end. */
const ENDLESS = {policy: 'constant', duration: '1ms'}
const SPEC = {
  policies: {
    retries: {DefaultComponentOutboundRetryPolicy: ENDLESS, DefaultConfigurationComponentInboundRetryPolicy: ENDLESS}
  }
}

/** Blocks with these components, whose policies try again and again. */
async function blocksOf(
  componentOf: (name: string) => object,
  {properties = new Properties([]), ...more}: Partial<BlockContextOptions> & {readonly properties?: Properties} = {}
): Promise<Blocks> {
  const text = JSON.stringify({kind: 'Resiliency', metadata: {name: 'r'}, spec: SPEC})
  const resource = await readResiliency(parseResourceFile({file: 'r.yaml', text}))
  const {resiliency} = mergeResiliencies(resource === undefined ? [] : [resource], 'shop')
  const all = new ComponentPolicies(resiliency, {clock: systemClock, random: () => 0.5, emit: () => undefined})
  const components = {
    failed: new Map(),
    names: () => ['it'],
    opened: () => undefined,
    beginCall: () => () => undefined,
    find: async (_: string, name: string) => ({name, component: componentOf(name), properties, topicPrefix: ''})
  } as unknown as AppComponents
  const log = {isDebug: false, write: () => undefined, warn: () => undefined}
  const options = {
    lives: () => [1],
    appId: 'shop',
    namespace: '',
    components,
    policies: () => all,
    counted: () => undefined,
    log,
    ...more
  }
  return newBlocks(options as unknown as BlockContextOptions)
}

/** Fails each time; `again`: it was tried three times. */
function outOfOrder() {
  const again = Promise.withResolvers<void>()
  let calls = 0
  const fail = async (): Promise<never> => {
    if (++calls === 3) again.resolve()
    throw new Error('out of order')
  }
  return {fail, again: again.promise}
}

t.test('an event for a dead letter topic that cannot be written goes back to its broker when its subscription ends', async t => {
  const {fail, again} = outOfOrder()
  const handled = Promise.withResolvers<string>()
  const subscribe = async ({handle}: SubscribeOptions) => {
    const work = handle({data: Buffer.from('{"id":"1"}'), metadata: {}}).then(handled.resolve)
    return {stop: async () => work}
  }
  const blocks = await blocksOf(() => ({capabilities: [], publish: fail, subscribe}))
  const channel = {ready: () => undefined, deliver: async () => ({kind: 'drop'})} as unknown as EventChannel
  const topic = {metadata: {}, rules: [usualRule('/')], deadLetterTopic: 'dead', bulk: undefined}
  await blocks.subscriptions.follow([{...topic, pubsubName: 'it', topic: 'orders'}], channel)
  await again
  await blocks.subscriptions.follow([], channel)
  t.equal(await handled.promise, 'returned')
}) // prettier-ignore

/** A binding with one event. */
async function readOne({handle}: {readonly handle: (event: object) => Promise<string>}): Promise<object> {
  const work = handle({data: Buffer.from('1'), metadata: {}})
  return {stop: async () => work}
}

t.test('what an event of a binding is to save, where that fails, keeps no other binding from being read', async t => {
  const {fail, again} = outOfOrder()
  const wish = {key: 'k', value: Buffer.from('1'), etag: '', metadata: {}, isJson: true, concurrency: '', consistency: ''}
  const effects = {storeName: 'it', state: [wish], to: ['it'], data: Buffer.from('1'), isParallel: true}
  const blocks = await blocksOf(() => ({set: fail, input: {read: readOne}, output: {invoke: fail}}))
  const channel = {ready: () => undefined, deliver: async () => ({kind: 'success', effects})} as unknown as BindingChannel
  await blocks.inputBindings.follow([{name: 'it', route: 'it'}], channel)
  await again
  await blocks.inputBindings.follow([], channel)
  t.pass('it is stopped')
}) // prettier-ignore

t.test('an update of configuration that the app does not take is sent no more when its subscription has ended', async t => {
  const {fail, again} = outOfOrder()
  const over = Promise.withResolvers<string>()
  const item = {value: '1', version: '', metadata: {}}
  const subscribe = async (_keys: unknown, _metadata: unknown, changed: (items: object) => void) => {
    changed({key: item})
    return async () => undefined
  }
  const blocks = await blocksOf(() => ({subscribe}))
  const {configurations} = blocks
  const id = await configurations.subscribe({storeName: 'it', keys: [], metadata: {}}, async (_id, _items, signal) =>
    over.resolve(await configurations.deliver('it', fail, signal))
  )
  await again
  await configurations.unsubscribe('it', id)
  t.match(await over.promise, /context canceled|out of order/)
}) // prettier-ignore

t.test('streams whose caller has left ask no more of a component that fails', async t => {
  const {fail, again} = outOfOrder()
  const blocks = await blocksOf(() => ({wrap: fail}))
  const options = {
    componentName: 'it',
    keyName: 'k',
    keyWrapAlgorithm: 'RSA',
    dataEncryptionCipher: '',
    omitDecryptionKeyName: false,
    decryptionKeyName: ''
  }
  const gone = Promise.withResolvers<void>()
  const streamOf = (message: Uint8Array): ServerStream =>
    ({
      expectLarge: () => undefined,
      next: async () => Buffer.from(message),
      onGone: (listener: () => void) => void gone.promise.then(listener)
    }) as unknown as ServerStream
  const encrypted = encryptStream(streamOf(encode(EncryptRequest, {options})), blocks)
  await again
  const store = outOfOrder()
  const configured = subscribeConfiguration(
    streamOf(encode(SubscribeConfigurationRequest, {storeName: 'it', keys: [], metadata: {}})),
    await blocksOf(() => ({subscribe: store.fail}))
  )
  await store.again
  gone.resolve()
  await t.rejects(encrypted, {message: /context canceled|out of order/})
  await t.rejects(configured, {message: /context canceled|out of order/})
})

t.test('an event of the outbox goes where the files say by now, and another sidecar takes over what cannot go anywhere', async t => {
  const file = await WorkFile.open(undefined, text => t.fail(text))
  t.teardown(() => file.close())
  const outbox = new Outbox(file)
  const {fail} = outOfOrder()
  const tried = Promise.withResolvers<void>()
  const published = Promise.withResolvers<void>()
  let topic = 'wrong'
  const text = (name: string): string => (name === 'outboxPublishTopic' ? topic : name === 'outboxPublishPubsub' ? 'bus' : '')
  const properties = {text} as Properties
  const publish = async (to: string): Promise<void> => {
    if (to === 'right') return published.resolve()
    setImmediate(tried.resolve)
    return fail()
  }
  const store = {get: async () => ({data: Buffer.from('0')}), delete: async () => undefined}
  const open = async (): Promise<Blocks> =>
    blocksOf(name => (name === 'store' ? store : {capabilities: [], publish}), {
      properties,
      work: {outbox: async () => outbox} as unknown as BlockContextOptions['work']
    })
  const kept = {app: 'shop', store: 'store', marker: 'm', pubsub: 'bus', topic, event: Buffer.from('{"id":"m"}'), made: Date.now()}
  for (const event of await outbox.keep([kept])) outbox.release(event)
  const [first, second] = [await open(), await open()]
  await first.outbox.begin()
  await tried.promise
  await second.outbox.begin()
  await first.outbox.close()
  topic = 'right'
  await published.promise
  await second.outbox.close()
}) // prettier-ignore

t.test('what is tried once listens to nothing: many events of an outbox may be published together', async t => {
  const signal = AbortSignal.abort()
  const listening = (): number => getEventListeners(signal, 'abort').length
  const blocks = await blocksOf(() => ({capabilities: [], publish: async () => t.equal(listening(), 0)}))
  const trace = {traceparent: '', tracestate: ''}
  const publication = {pubsubName: 'it', topic: 't', data: Buffer.from('{}'), contentType: '', metadata: {}, trace}
  await Promise.all([1, 2].map(async () => blocks.publishing.publish(publication, until(signal))))
})
