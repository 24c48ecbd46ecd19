import t from 'tap'
import type {AppComponents} from '../../../../../src/dapr/components/app-components.ts'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import {blockContext, type BlockContextOptions} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {ComponentPolicies} from '../../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import {Publishing} from '../../../../../src/dapr/sidecar/blocks/publishing.ts'

const entry = (entryId: string) => ({entryId, data: Buffer.from(entryId), contentType: 'text/plain', metadata: {}})

t.test(
  'events that are published together are one use of their component: an edit closes it behind the last',
  async t => {
    let uses = 0
    const sent: string[] = []
    const component = {
      capabilities: [],
      publish: async (_: string, {data}: {readonly data: Buffer}) => {
        await new Promise(setImmediate)
        sent.push(data.toString())
      }
    }
    const components = {
      beginCall: () => {
        uses++
        return () => {
          if (--uses === 0) sent.push('closed')
        }
      },
      find: async () => ({name: 'bus', component, properties: new Properties([]), topicPrefix: ''})
    } as unknown as AppComponents
    const options: Partial<BlockContextOptions> = {
      appId: 'shop',
      components,
      policies: () => undefined,
      counted: () => undefined,
      log: {isDebug: false, write: () => undefined, warn: () => undefined}
    }
    const publishing = new Publishing(blockContext(options as BlockContextOptions))
    const failed = await publishing.publishBulk({
      pubsubName: 'bus',
      topic: 'orders',
      metadata: {rawPayload: 'true'},
      trace: {traceparent: '', tracestate: ''},
      entries: ['1', '2', '3'].map(entry)
    })
    t.same(failed, [])
    t.same(sent, ['1', '2', '3', 'closed'])
  }
)

t.test(
  'once an event of several has failed, a hundred of those that are left wait for the broker together',
  async t => {
    let called = 0
    let most = 0
    let waiting: PromiseWithResolvers<void>[] = []
    const component = {
      capabilities: [],
      publish: async (_: string, {data}: {readonly data: Buffer}) => {
        called++
        if (called === 1) return
        const turn = Promise.withResolvers<void>()
        most = Math.max(most, waiting.push(turn))
        // the last one of those that may come now lets the others go
        setImmediate(() => {
          for (const each of waiting) each.resolve()
          waiting = []
        })
        await turn.promise
        throw new Error(`no answer to ${data.toString()}`)
      }
    }
    const components = {
      beginCall: () => () => undefined,
      find: async () => ({name: 'bus', component, properties: new Properties([]), topicPrefix: ''})
    } as unknown as AppComponents
    const options: Partial<BlockContextOptions> = {
      appId: 'shop',
      components,
      policies: () => undefined,
      counted: () => undefined,
      log: {isDebug: false, write: () => undefined, warn: () => undefined}
    }
    const publishing = new Publishing(blockContext(options as BlockContextOptions))
    const ids = Array.from({length: 500}, (_, at) => String(at))
    const failed = await publishing.publishBulk({
      pubsubName: 'bus',
      topic: 'orders',
      metadata: {rawPayload: 'true'},
      trace: {traceparent: '', tracestate: ''},
      entries: ids.map(entry)
    })
    t.same(
      failed,
      ids.slice(1).map(entryId => ({entryId, error: `no answer to ${entryId}`}))
    )
    t.equal(most, 100)
  }
)

/** A policy that tries again until the caller has left. */
const around: ComponentPolicies['around'] = async (_, work, call) =>
  Promise.race([work(), new Promise<never>((_resolve, reject) => call?.onGone?.(() => reject(new Error('canceled'))))])

t.test('who has left waits for none of several events that are published together', async t => {
  const waiting = new Set<string>()
  const begun = Promise.withResolvers<void>()
  const component = {
    capabilities: [],
    publish: async (_: string, {data}: {readonly data: Buffer}) => {
      if (data.toString() === '0') throw new Error('no answer')
      if (waiting.add(data.toString()).size === 3) begun.resolve()
      return new Promise(() => undefined)
    }
  }
  const components = {
    beginCall: () => () => undefined,
    find: async () => ({name: 'bus', component, properties: new Properties([]), topicPrefix: ''})
  } as unknown as AppComponents
  const options: Partial<BlockContextOptions> = {
    appId: 'shop',
    components,
    policies: () => ({around}) as unknown as ComponentPolicies,
    counted: () => undefined,
    log: {isDebug: false, write: () => undefined, warn: () => undefined}
  }
  const publishing = new Publishing(blockContext(options as BlockContextOptions))
  let leave: (() => void) | undefined
  const published = publishing.publishBulk(
    {
      pubsubName: 'bus',
      topic: 'orders',
      metadata: {rawPayload: 'true'},
      trace: {traceparent: '', tracestate: ''},
      entries: ['0', '1', '2', '3'].map(entry)
    },
    listener => (leave = listener)
  )
  await begun.promise
  leave?.()
  t.same(
    (await published).map(({error}) => error),
    ['no answer', 'canceled', 'canceled', 'canceled']
  )
})

t.test('an empty rawPayload asks for nothing, as in Dapr', async t => {
  const sent: string[] = []
  const component = {
    capabilities: [],
    publish: async (_: string, {data}: {readonly data: Buffer}) => Promise.resolve(sent.push(data.toString()))
  }
  const found = {name: 'bus', component, properties: new Properties([]), topicPrefix: ''}
  const components = {beginCall: () => () => undefined, opened: () => found} as unknown as AppComponents
  const options: Partial<BlockContextOptions> = {
    appId: 'shop',
    components,
    policies: () => undefined,
    counted: () => undefined,
    log: {isDebug: false, write: () => undefined, warn: () => undefined}
  }
  await new Publishing(blockContext(options as BlockContextOptions)).publish({
    pubsubName: 'bus',
    topic: 'orders',
    data: Buffer.from('x'),
    contentType: 'text/plain',
    metadata: {rawPayload: ''},
    trace: {traceparent: '', tracestate: ''}
  })
  t.match(JSON.parse(sent[0] ?? ''), {data: 'x', topic: 'orders'})
})
