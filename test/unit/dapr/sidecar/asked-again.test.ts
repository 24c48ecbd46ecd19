import t from 'tap'
import type {DeliveryContext} from '../../../../src/dapr/sidecar/event-process.ts'
import type {SidecarBlocks} from '../../../../src/dapr/sidecar/sidecar-blocks.ts'
import {SidecarBindings} from '../../../../src/dapr/sidecar/sidecar-bindings.ts'
import {SidecarSubscriptions} from '../../../../src/dapr/sidecar/sidecar-subscriptions.ts'
import type {ResourceSnapshot} from '../../../../src/files/resources/app-resources.ts'
import {NO_RESOURCES} from '../../../../src/files/resources/defaults.ts'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import {componentResource} from '../../../rig/component-resource.ts'

/** An app that listens, with these resources, and whose blocks cannot be loaded at first, as no file can be opened. */
function contextOf(snapshot: Partial<ResourceSnapshot>, blocks: object, isAsleep = false): DeliveryContext {
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  queue.open()
  let loads = 0
  const load = async (): Promise<object> => {
    if (++loads === 1) throw new Error('EMFILE: too many open files')
    return Promise.resolve(blocks)
  }
  return {
    runtime: {
      id: 'shop',
      plan: {channel: {protocol: 'http'}, fixedPort: 0},
      wanted: {},
      isListening: !isAsleep,
      appPort: 1,
      pid: 7,
      queue,
      sleep: {isAsleep, triggers: {}, learn: () => undefined},
      onMove: () => () => undefined,
      noteReady: () => undefined
    },
    resources: {snapshot: {...NO_RESOURCES, ...snapshot}, onChange: () => () => undefined},
    blocks: {
      load,
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

t.test('topics that could not be read, as no file can be opened, are read later, though nothing changes', async t => {
  const orders = {pubsubName: 'bus', topic: 'orders', metadata: {}, rules: [], deadLetterTopic: '', bulk: undefined}
  const followed = Promise.withResolvers<readonly object[]>()
  const subscriptions = {follow: async (wanted: readonly object[]) => followed.resolve(wanted), close: async () => {}}
  const declared = [orders] as unknown as ResourceSnapshot['subscriptions']
  const sidecar = new SidecarSubscriptions(contextOf({subscriptions: declared}, {subscriptions}))
  t.match(await followed.promise, [{topic: 'orders'}])
  await sidecar.close(AbortSignal.abort())
})

for (const isAsleep of [false, true])
  t.test(`and so are bindings${isAsleep ? ', also of an app that is asleep' : ''}`, async t => {
    const followed = Promise.withResolvers<readonly object[]>()
    const inputBindings = {follow: async (wanted: readonly object[]) => followed.resolve(wanted), close: async () => {}}
    const components = [componentResource('tick', 'bindings.cron', {schedule: '@every 1s', direction: 'input'})]
    const sidecar = new SidecarBindings(contextOf({components}, {inputBindings}, isAsleep))
    t.match(await followed.promise, [{name: 'tick'}])
    await sidecar.close(AbortSignal.abort())
  })
