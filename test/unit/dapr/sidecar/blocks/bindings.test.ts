import t from 'tap'
import {aborted} from '../../../../../src/platform/delay.ts'
import {
  blockContext,
  type BlockContext,
  type BlockContextOptions,
  type OutboundCall
} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import {Bindings} from '../../../../../src/dapr/sidecar/blocks/bindings.ts'
import {parseResourceFile} from '../../../../../src/files/resources/resource-file.ts'
import {mergeResiliencies, readResiliency} from '../../../../../src/files/resources/resiliency/resiliency.ts'
import {ComponentPolicies} from '../../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import {TestClock} from '../../../../rig/clock.ts'

t.test('that its caller has left is told to a binding, and to the policies of the call', async t => {
  const told: string[] = []
  const invoke = async (_: object, gone: AbortSignal): Promise<undefined> => {
    await aborted(gone)
    told.push('binding')
  }
  const context = {
    components: {find: async () => Promise.resolve({component: {output: {operations: undefined, invoke}}})},
    outbound: async ({onGone}: OutboundCall, work: () => Promise<void>) => {
      onGone?.(() => told.push('policies'))
      told.push(onGone?.traceparent ?? '')
      return work()
    }
  } as unknown as BlockContext
  // as those of our servers, which keep the last listener
  let latest: (() => void) | undefined
  const onGone = Object.assign((listener: () => void): void => void (latest = listener), {traceparent: '00-1'})
  const calling = new Bindings(context).invoke('mail', {operation: 'get', data: Buffer.alloc(0), metadata: {}}, onGone)
  await new Promise(setImmediate)
  latest?.()
  await calling
  t.same(told.toSorted(), ['00-1', 'binding', 'policies'])
})

t.test('an attempt that a policy ends ends the request of its binding', async t => {
  const text = `kind: Resiliency
metadata: {name: a}
spec:
  policies:
    timeouts: {short: 1s}
    retries: {once: {policy: constant, duration: 1s, maxRetries: 1}}
  targets: {components: {mail: {outbound: {timeout: short, retry: once}}}}
`
  const resource = await readResiliency(parseResourceFile({file: 'r.yaml', text}))
  const {resiliency} = mergeResiliencies(resource === undefined ? [] : [resource], 'shop')
  const clock = new TestClock()
  const policies = new ComponentPolicies(resiliency, {clock, random: () => 0.5, emit: () => undefined})
  const asked: AbortSignal[] = []
  const invoke = async (_: object, gone: AbortSignal): Promise<undefined> => {
    asked.push(gone)
    await aborted(gone)
  }
  const components = {
    beginCall: () => () => undefined,
    find: async () => Promise.resolve({component: {output: {operations: undefined, invoke}}})
  }
  const options = {components, policies: () => policies, counted: () => undefined}
  const context = blockContext(options as unknown as BlockContextOptions)
  const request = {operation: 'get', data: Buffer.alloc(0), metadata: {}}
  const calling = new Bindings(context).invoke('mail', request, () => undefined)
  const over = t.rejects(calling, /context deadline exceeded/)
  for (const open of [1, 2]) {
    while (asked.length < open) await new Promise(setImmediate)
    t.same(
      asked.map(signal => signal.aborted),
      asked.map((__, at) => at < open - 1)
    )
    clock.pass(1000)
    await new Promise(setImmediate)
    clock.pass(1000)
  }
  await over
  t.ok(asked.every(signal => signal.aborted))
})
