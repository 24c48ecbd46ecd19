import t, {type Test} from 'tap'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import {PartlyRefused, type StateOperation} from '../../../../../src/dapr/components/state-store.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import {OutboxCalls} from '../../../../../src/dapr/sidecar/blocks/outbox-calls.ts'
import type {Publishing} from '../../../../../src/dapr/sidecar/blocks/publishing.ts'
import type {StateChange} from '../../../../../src/dapr/sidecar/blocks/state-requests.ts'
import type {KeptEvent, OutboxEvent} from '../../../../../src/work/outbox.ts'

const TARGET = {app: 'shop', store: 'store', pubsub: 'bus', topic: 'orders'}

const upsert = (key: string): StateChange =>
  ({
    operation: 'upsert',
    request: {key, value: Buffer.from('1'), isJson: true, metadata: {}}
  }) as unknown as StateChange

/** Transactions of a store, and what came of their events. */
const scene = (t: Test, {pubsubs = ['bus'], failures = 0}: {pubsubs?: readonly string[]; failures?: number} = {}) => {
  let left = failures
  const published = Promise.withResolvers<void>()
  const seen = {
    published: [] as string[],
    dropped: [] as number[],
    deleted: [] as string[],
    warned: [] as string[],
    kept: 0
  }
  const component = {get: async () => undefined, delete: async ({key}: {key: string}) => void seen.deleted.push(key)}
  const outbox = {
    keep: async (events: readonly OutboxEvent[]) => events.map((each): KeptEvent => ({...each, key: ++seen.kept})),
    drop: async (events: readonly KeptEvent[]) => void seen.dropped.push(...events.map(({key}) => key)),
    release: () => undefined
  }
  const context = {
    appId: 'shop',
    work: {outbox: async () => outbox},
    find: async () => ({name: 'store', component, properties: new Properties([])}),
    log: {write: () => undefined, warn: (code: string, text: string) => void seen.warned.push(`${code}: ${text}`)}
  } as unknown as BlockContext
  const publishing = {
    checkTopic: async ({pubsubName}: {pubsubName: string}) => {
      if (!pubsubs.includes(pubsubName)) throw new Error(`pubsub ${pubsubName} is not found`)
    },
    publish: async ({data}: {data: Buffer}) => {
      if (left-- > 0) throw new Error('the broker does not answer')
      seen.published.push(data.toString())
      published.resolve()
    }
  } as unknown as Publishing
  const calls = new OutboxCalls(context, publishing)
  t.teardown(async () => calls.close())
  const transact = async (keys: readonly string[], write: (operations: readonly StateOperation[]) => Promise<void>) =>
    calls.transact(TARGET, keys.map(upsert), {
      operationsOf: wishes => wishes.map(({request}) => ({kind: 'upsert', request}) as unknown as StateOperation),
      write,
      isRefusal: () => false
    })
  return {seen, transact, published: published.promise}
}

/** It has saved all but the second. */
const write = async (): Promise<never> => Promise.reject(new PartlyRefused('wrong etag', new Set([1])))

t.test(
  'of a transaction that a store has carried out in part, what was saved has its event, and nothing else',
  async t => {
    const {seen, transact} = scene(t)
    await t.rejects(transact(['a', 'b', 'c'], write), {message: 'wrong etag'})
    await new Promise(setImmediate)
    t.equal(seen.published.length, 2)
    t.same(seen.dropped, [2])
    t.equal(seen.deleted.length, 1, 'the marker that was saved with the others')
  }
)

t.test('a transaction whose events can never be published is refused before anything is kept or saved', async t => {
  const {seen, transact} = scene(t, {pubsubs: ['other']})
  await t.rejects(
    transact(['a'], async () => void t.fail('it is not written')),
    {message: 'pubsub bus is not found'}
  )
  t.equal(seen.kept, 0)
})

t.test('an event whose broker does not answer is published again', async t => {
  const {seen, transact, published} = scene(t, {failures: 1})
  await transact(['a'], async () => undefined)
  await published
  t.equal(seen.published.length, 1)
  t.same(seen.warned, [
    'outbox: events of transactions of store cannot be published to orders of bus, and are tried again: the broker does not answer'
  ])
})
