import t from 'tap'
import {aborted} from '../../../../../src/platform/delay.ts'
import type {BlockContext, OutboundCall} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import {Bindings} from '../../../../../src/dapr/sidecar/blocks/bindings.ts'

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
