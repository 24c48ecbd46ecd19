import {mock} from 'node:test'
import t from 'tap'
import type {BindingChannel} from '../../../../src/dapr/sidecar/blocks/binding-channel.ts'
import {HttpBindingChannel} from '../../../../src/dapr/sidecar/http/blocks/http-binding-channel.ts'
import type {DeliveryContext} from '../../../../src/dapr/sidecar/event-process.ts'
import type {SidecarBlocks} from '../../../../src/dapr/sidecar/sidecar-blocks.ts'
import {isServer} from '../../../../src/dapr/sidecar/ask-app.ts'
import {SidecarBindings} from '../../../../src/dapr/sidecar/sidecar-bindings.ts'
import {SidecarSubscriptions} from '../../../../src/dapr/sidecar/sidecar-subscriptions.ts'
import type {ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'
import {NO_RESOURCES} from '../../../../src/files/resources/defaults.ts'
import {aborted} from '../../../../src/platform/delay.ts'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import {componentResource} from '../../../rig/component-resource.ts'

const orders = {pubsubName: 'bus', topic: 'orders', metadata: {}, rules: [], deadLetterTopic: '', bulk: undefined}
const DECLARED = {subscriptions: [orders] as unknown as ResourceSnapshot['subscriptions']}
const INPUTS = {components: [componentResource('tick', 'bindings.cron', {schedule: '@every 1s', direction: 'input'})]}

/** An app that listens, or is asleep, with these resources. */
function contextOf(snapshot: Partial<ResourceSnapshot>, blocks: object, isAsleep = false): DeliveryContext {
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  queue.open()
  const load = async (): Promise<object> => Promise.resolve(blocks)
  return {
    runtime: {
      id: 'shop',
      plan: {channel: {protocol: 'http'}, fixedPort: 0, command: ['node'], ready: {kind: 'none'}},
      wanted: {},
      isListening: !isAsleep,
      appPort: 1,
      pid: 7,
      queue,
      sleep: {isAsleep, triggers: {}, learn: () => undefined},
      onMove: () => () => undefined,
      opening: {noteReady: () => undefined}
    },
    resources: {snapshot: {...NO_RESOURCES, ...snapshot}, onChange: () => () => undefined},
    blocks: {
      load,
      begun: Promise.resolve(blocks),
      onComponents: () => () => undefined,
      setKnown: () => undefined,
      inEffect: (resource: unknown) => resource,
      isMissing: () => false,
      capabilitiesOf: () => ['INPUT_BINDING']
    } as unknown as SidecarBlocks,
    context: {heldBodies: new HeldBodies()},
    log: () => undefined
  } as unknown as DeliveryContext
}

t.test('bindings that start an app which is asleep are read', async t => {
  const followed = Promise.withResolvers<readonly object[]>()
  const inputBindings = {follow: async (wanted: readonly object[]) => followed.resolve(wanted), close: async () => {}}
  const sidecar = new SidecarBindings(contextOf(INPUTS, {inputBindings}, true))
  t.match(await followed.promise, [{name: 'tick'}])
  await sidecar.close(AbortSignal.abort())
})

t.test('a binding of daprd that is opened at its first use is read', async t => {
  const followed = Promise.withResolvers<readonly object[]>()
  const inputBindings = {follow: async (wanted: readonly object[]) => followed.resolve(wanted), close: async () => {}}
  const mail = componentResource('mail', 'bindings.mqtt3', {url: 'tcp://localhost:1883', direction: 'input'})
  const context = contextOf({components: [mail]}, {inputBindings})
  Object.assign(context.blocks, {capabilitiesOf: () => [], isByDaprd: () => true})
  const sidecar = new SidecarBindings(context)
  t.match(await followed.promise, [{name: 'mail'}])
  await sidecar.close(AbortSignal.abort())
})

t.test('what an app says of its bindings is in the log once, and that it has not said it in time', async t => {
  const lines: string[] = []
  const inputBindings = {follow: async () => undefined, close: async () => undefined}
  const components = ['no', 'mute'].map(name => componentResource(name, 'bindings.cron', {schedule: '@every 1s'}))
  const context = contextOf({components}, {inputBindings})
  const [late, last] = [new AbortController(), Promise.withResolvers<void>()]
  t.teardown(() => mock.restoreAll())
  mock.method(AbortSignal, 'timeout', () => late.signal)
  mock.method(HttpBindingChannel.prototype, 'ask', async (...[, said, signal]: Parameters<BindingChannel['ask']>) => {
    said.set('no', false)
    await aborted(signal)
    said.set('mute', undefined)
  })
  const log = (level: string, text: string): void => {
    lines.push(`${level}: ${text}`)
    if (lines.length === 1) setImmediate(() => late.abort())
    if (level === 'warn') last.resolve()
  }
  const sidecar = new SidecarBindings({...context, log})
  await last.promise
  await sidecar.close(AbortSignal.abort())
  t.same(lines, [
    'error: app has not said yet whether it subscribes to: mute.',
    'info: app has not subscribed to binding no.',
    'warn: app has not said whether it subscribes to binding mute: it is not read.'
  ])
})

t.test('a sidecar that closes does not wait for components that are being opened', async t => {
  for (const [Reads, snapshot] of [
    [SidecarSubscriptions, DECLARED],
    [SidecarBindings, INPUTS]
  ] as const) {
    const context = contextOf(snapshot, {})
    const loading = Promise.withResolvers<void>()
    const begun = new Promise<never>(() => undefined)
    const load = async (): Promise<never> => {
      loading.resolve()
      return begun
    }
    Object.assign(context.blocks, {load, begun})
    const sidecar = new Reads(context)
    await loading.promise
    await sidecar.close(AbortSignal.abort())
    t.pass(Reads.name)
  }
})

t.test('an app that does not say the routes of its topics is asked again for a minute; then it may sleep, and they are not read', async t => {
  const follows = [Promise.withResolvers<readonly object[]>(), Promise.withResolvers<readonly object[]>()]
  let count = 0
  const subscriptions = {
    follow: async (wanted: readonly object[]) => follows[count++]?.resolve(wanted),
    close: async () => {}
  }
  const context = contextOf({components: [componentResource('bus', 'pubsub.in-memory', {})]}, {subscriptions})
  const topics = [{pubsubName: 'bus', topic: 'orders', metadata: {}, deadLetterTopic: ''}]
  // a database is not asked
  const plan = {...context.runtime.plan, command: ['postgres']}
  Object.assign(context.runtime, {plan})
  Object.assign(context.runtime.sleep, {triggers: {topics}})
  const sidecar = new SidecarSubscriptions(context)
  t.match(await follows[0]?.promise, [{topic: 'orders', waits: true}])
  while (!sidecar.isReady) await new Promise(setImmediate)
  t.equal(sidecar.isAsked, true)
  const now = performance.now.bind(performance)
  t.teardown(() => Object.assign(performance, {now}))
  Object.assign(performance, {now: () => now() + 61_000})
  t.same(await follows[1]?.promise, [])
  while (sidecar.isAsked) await new Promise(setImmediate)
  await sidecar.close(AbortSignal.abort())
}) // prettier-ignore

t.test('a database is not asked which bindings it wants', async t => {
  const asked = mock.method(HttpBindingChannel.prototype, 'ask', async () => Promise.resolve())
  t.teardown(() => asked.mock.restore())
  const followed = Promise.withResolvers<readonly object[]>()
  const inputBindings = {follow: async (wanted: readonly object[]) => followed.resolve(wanted), close: async () => {}}
  const components = [componentResource('tick', 'bindings.cron', {schedule: '@every 1s'})]
  const context = contextOf({components}, {inputBindings})
  Object.assign(context.runtime, {plan: {...context.runtime.plan, command: ['postgres']}})
  const lines: string[] = []
  const sidecar = new SidecarBindings({...context, log: (level, text) => void lines.push(`${level} ${text}`)})
  t.same(await followed.promise, [])
  t.equal(asked.mock.callCount(), 0)
  t.same(lines, ['info app has not subscribed to binding tick.'])
  await sidecar.close(AbortSignal.abort())
})

t.test('each server that is known as one is looked at closely', async t => {
  const {plan} = contextOf({}, {}).runtime
  for (const command of [['postmaster', '-D', 'data'], ['podman', 'run', 'postgis/postgis:17'], ['mailhog']])
    t.equal(await isServer({...plan, command}), true, command.join(' '))
  t.equal(await isServer({...plan, command: ['node', 'post.js', '--db', 'postgres://127.0.0.1/postgres']}), false)
})
