import t from 'tap'
import type {AppComponents} from '../../../../../src/dapr/components/app-components.ts'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import {blockContext, type BlockContextOptions} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import type {ComponentPolicies} from '../../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import {Publishing} from '../../../../../src/dapr/sidecar/blocks/publishing.ts'

/** Publishes to a component; `more`: other parts of its surroundings. */
function publishingTo(component: object, {beginCall = () => () => undefined, ...more}: Surroundings = {}): Publishing {
  const found = {name: 'bus', component, properties: new Properties([]), topicPrefix: ''}
  const options: Partial<BlockContextOptions> = {
    appId: 'shop',
    components: {beginCall, opened: () => found, find: async () => found} as unknown as AppComponents,
    policies: () => undefined,
    counted: () => undefined,
    log: {isDebug: false, write: () => undefined, warn: () => undefined},
    ...more
  }
  return new Publishing(blockContext(options as BlockContextOptions))
}

interface Surroundings extends Pick<Partial<BlockContextOptions>, 'policies'> {
  readonly beginCall?: () => () => void
}

const BUS = {pubsubName: 'bus', topic: 'orders', trace: {traceparent: '', tracestate: ''}}

/** Events of these ids, raw. */
const eventsOf = (ids: readonly string[]) => ({...BUS, metadata: {rawPayload: 'true'}, entries: ids.map(entry)})

const entry = (entryId: string) => ({entryId, data: Buffer.from(entryId), contentType: 'text/plain', metadata: {}})

t.test('events that are published together are one use of the component: an edit closes it after the last', async t => {
  let uses = 0
  const sent: string[] = []
  const component = {
    capabilities: [],
    publish: async (_: string, {data}: {readonly data: Buffer}) => {
      await new Promise(setImmediate)
      sent.push(data.toString())
    }
  }
  const beginCall = (): (() => void) => {
    uses++
    return () => {
      if (--uses === 0) sent.push('closed')
    }
  }
  const publishing = publishingTo(component, {beginCall})
  const failed = await publishing.publishBulk(eventsOf(['1', '2', '3']))
  t.same(failed, [])
  t.same(sent, ['1', '2', '3', 'closed'])
})

t.test('once an event of several has failed, a hundred of the others wait for the broker together', async t => {
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
  const publishing = publishingTo(component)
  const ids = Array.from({length: 500}, (_, at) => String(at))
  const failed = await publishing.publishBulk(eventsOf(ids))
  t.same(
    failed,
    ids.slice(1).map(entryId => ({entryId, error: `no answer to ${entryId}`}))
  )
  t.equal(most, 100)
})

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
  const publishing = publishingTo(component, {policies: () => ({around}) as unknown as ComponentPolicies})
  let leave: (() => void) | undefined
  const published = publishing.publishBulk(eventsOf(['0', '1', '2', '3']), listener => (leave = listener))
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
  await publishingTo(component).publish({
    ...BUS,
    data: Buffer.from('x'),
    contentType: 'text/plain',
    metadata: {rawPayload: ''}
  })
  t.match(JSON.parse(sent[0] ?? ''), {data: 'x', topic: 'orders'})
})
