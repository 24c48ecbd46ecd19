import t, {type Test} from 'tap'
import {EtagError, PartlyRefused, type StateOperation} from '../../../../../src/dapr/components/state-store.ts'
import {open as openRedisState} from '../../../../../src/dapr/components/state/redis.ts'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import type {BlockContext} from '../../../../../src/dapr/sidecar/blocks/block-context.ts'
import {OutboxCalls} from '../../../../../src/dapr/sidecar/blocks/outbox-calls.ts'
import {State} from '../../../../../src/dapr/sidecar/blocks/state.ts'
import {outboxTransaction} from '../../../../../src/dapr/sidecar/blocks/outbox-events.ts'
import type {Publishing} from '../../../../../src/dapr/sidecar/blocks/publishing.ts'
import type {StateChange} from '../../../../../src/dapr/sidecar/blocks/state-requests.ts'
import {Outbox, type KeptEvent, type OutboxEvent} from '../../../../../src/work/outbox.ts'
import {RedisEngine} from '../../../../../src/packages/redis/engine/engine.ts'
import {MemoryConnection} from '../../../../../src/packages/redis/memory-connection.ts'
import {WorkFile} from '../../../../../src/work/work-file.ts'
import {openComponent} from '../../../../rig/open-component.ts'

const TARGET = {app: 'shop', store: 'store', pubsub: 'bus', topic: 'orders'}

const upsert = (key: string): StateChange =>
  ({operation: 'upsert', request: {key, value: Buffer.from('1'), isJson: true, metadata: {}}}) as unknown as StateChange

/** Transactions of a store, and what came of their events. */
const scene = (
  t: Test,
  {pubsubs = ['bus'], failures = 0, tookMs = 0}: {pubsubs?: readonly string[]; failures?: number; tookMs?: number} = {}
) => {
  let left = failures
  let looks = 0
  const published = Promise.withResolvers<void>()
  const seen = {
    published: [] as string[],
    dropped: [] as number[],
    deleted: [] as string[],
    warned: [] as string[],
    kept: 0
  }
  const component = {
    get: async () => (++looks > 1 ? {data: Buffer.from('0')} : undefined),
    delete: async ({key}: {key: string}) => void seen.deleted.push(key)
  }
  const outbox = {
    keep: async (events: readonly OutboxEvent[]) =>
      events.map((each): KeptEvent => ({...each, made: each.made - tookMs, key: ++seen.kept})),
    drop: async (events: readonly KeptEvent[]) => void seen.dropped.push(...events.map(({key}) => key)),
    release: () => undefined
  }
  const context = {
    appId: 'shop',
    work: {outbox: async () => outbox},
    components: {find: async () => ({name: 'store', component, properties: new Properties([])})},
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
      isUnwritten: () => false,
      markerMetadata: {},
      trace: ''
    })
  return {seen, transact, published: published.promise}
}

/** It has saved all but the second. */
const write = async (): Promise<never> => Promise.reject(new PartlyRefused('wrong etag', new Set([1])))

t.test('of a transaction that a store has done in part, what was saved has its event, and nothing else', async t => {
  const {seen, transact} = scene(t)
  await t.rejects(transact(['a', 'b', 'c'], write), {message: 'wrong etag'})
  await new Promise(setImmediate)
  t.equal(seen.published.length, 2)
  t.same(seen.dropped, [2])
  t.equal(seen.deleted.length, 1, 'the marker that was saved with the others')
})

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

t.test('a transaction that was tried for minutes may be committed a moment after its last try', async t => {
  const {seen, transact, published} = scene(t, {tookMs: 120_000})
  await t.rejects(
    transact(['a'], async () => Promise.reject(new Error('context deadline exceeded'))),
    {message: 'context deadline exceeded'}
  )
  await published
  t.equal(seen.published.length, 1)
})

const PLACE = {file: '', line: 1, column: 1, source: ''}
const TARGETS = Object.entries({outboxPublishPubsub: 'bus', outboxPublishTopic: 'orders'}).map(([name, value]) => ({
  name,
  value,
  place: PLACE
}))
const TTL = {name: 'ttlInSeconds', value: '1', place: PLACE}
const OUTBOX = new Properties(TARGETS)

const refusing = (...refused: number[]): Error => new PartlyRefused('some are refused', new Set(refused))

/** The events of a transaction of `a` and `b` that is tried twice, and fails so; all that is not refused is saved. */
const eventsAfter = async (t: Test, first: Error, second: Error): Promise<readonly number[]> => {
  const published: number[] = []
  const saved = new Set<string>()
  let attempts = 0
  const component = {
    get: async (key: string) => (saved.has(key) ? {data: Buffer.from('0')} : undefined),
    delete: async () => undefined,
    transact: async (operations: readonly StateOperation[]) => {
      const error = ++attempts > 1 ? second : first
      if (!(error instanceof EtagError)) for (const {request} of operations) saved.add(request.key)
      throw error
    }
  }
  const file = await WorkFile.open(undefined, text => t.fail(text))
  t.teardown(() => file.close())
  const outbox = new Outbox(file)
  const store = {name: 'store', component, properties: OUTBOX, space: ''}
  const context = {
    appId: 'shop',
    namespace: '',
    work: {outbox: async () => outbox},
    component: async () => store,
    components: {find: async () => store, beginCall: () => () => undefined},
    // a policy with a retry
    outbound: async (_: object, work: () => Promise<void>) => work().catch(work),
    log: {write: () => undefined, warn: (_: string, text: string) => t.fail(text)}
  } as unknown as BlockContext
  const publishing = {
    checkTopic: async () => undefined,
    publish: async ({data}: {data: Buffer}) => published.push((JSON.parse(data.toString()) as {data: number}).data)
  } as unknown as Publishing
  const calls = new OutboxCalls(context, publishing)
  t.teardown(async () => calls.close())
  const changes = ['a', 'b'].map((key, at) => ({
    ...upsert(key),
    request: {...upsert(key).request, value: Buffer.from(`${at}`), etag: '1', concurrency: '', consistency: ''}
  }))
  await t.rejects(new State(context, calls).transact('store', changes, {}), new RegExp(second.message))
  await new Promise(setImmediate)
  return published.toSorted((a, b) => a - b)
}

t.test('an edit does not close a store while the events of a transaction are written to their file', async t => {
  let using = 0
  const context = {
    appId: 'shop',
    component: async () => ({name: 'store', component: {}, properties: OUTBOX, space: ''}),
    components: {
      beginCall: (name: string) => {
        if (name === 'store') using++
        return () => void using--
      }
    }
  } as unknown as BlockContext
  const outbox = {transact: async () => t.equal(using, 1)} as unknown as OutboxCalls
  await new State(context, outbox).transact('store', [upsert('a')], {})
  t.equal(using, 0)
})

t.test('a transaction that was committed has its event, also where a retry of it is refused', async t => {
  const broken = new Error('the connection broke')
  const changed = new EtagError('mismatch', 'the first attempt has changed it')
  t.same(await eventsAfter(t, broken, changed), [0, 1])
  t.same(await eventsAfter(t, broken, refusing(0, 1)), [0, 1], 'the first attempt has changed both')
  t.same(await eventsAfter(t, refusing(0), refusing(0, 1)), [1], 'the first attempt has changed one')
  t.same(await eventsAfter(t, refusing(0, 1), refusing(1)), [0], 'the second one has')
})

t.test('what a sidecar leaves when it closes is published by one that is open already, as after an edit', async t => {
  const file = await WorkFile.open(undefined, text => t.fail(text))
  t.teardown(() => file.close())
  const outbox = new Outbox(file)
  const published = Promise.withResolvers<string>()
  const component = {get: async () => ({data: Buffer.from('0')}), delete: async () => undefined}
  const warned = Promise.withResolvers<void>()
  const open = (publish: (publication: {data: Buffer}) => Promise<void>): OutboxCalls => {
    const context = {
      appId: 'shop',
      work: {outbox: async () => outbox},
      components: {find: async () => ({name: 'store', component, properties: OUTBOX})},
      log: {write: () => undefined, warn: () => warned.resolve()}
    }
    const calls = new OutboxCalls(context as unknown as BlockContext, {publish} as unknown as Publishing)
    t.teardown(async () => calls.close())
    return calls
  }
  const away = open(async () => Promise.reject(new Error('the broker does not answer')))
  const kept = {...TARGET, marker: 'm', event: Buffer.from('{"id":"m"}'), made: Date.now()}
  for (const event of await outbox.keep([kept])) outbox.release(event)
  await away.begin()
  await warned.promise
  await open(async ({data}) => published.resolve(data.toString())).begin()
  await away.close()
  t.equal(await published.promise, '{"id":"m"}')
})

t.test('an event can be published whatever its item says that it is', async t => {
  for (const [text, contentType, isJson] of [
    ['no JSON', 'application/json; charset=utf-8', false],
    ['{"a":1}', 'application/json; charset=utf-8', false],
    ['"text"', 'application/json', true]
  ] as const) {
    const {request} = upsert('a')
    const change = {
      operation: 'upsert',
      request: {...request, value: Buffer.from(text), isJson, metadata: {contentType}}
    }
    const [event] = outboxTransaction([change], TARGET).events
    const {data} = JSON.parse(Buffer.from(event?.event ?? []).toString()) as {readonly data: unknown}
    t.same(data, text === 'no JSON' ? text : JSON.parse(text), text)
  }
})

t.test('bytes that a transaction saves are bytes in its event', async t => {
  for (const [value, isJson, bytes] of [
    [Buffer.from([0, 255, 128]), false, 'AP+A'],
    [Buffer.from('"abc"'), true, 'YWJj'],
    [Buffer.from('{"a":1}'), true, 'eyJhIjoxfQ==']
  ] as const) {
    const {request} = upsert('a')
    const metadata = {contentType: 'application/octet-stream', data_base64: 'other'}
    const change = {operation: 'upsert', request: {...request, value, isJson, metadata}}
    const [event] = outboxTransaction([change], TARGET).events
    const fields = JSON.parse(Buffer.from(event?.event ?? []).toString()) as object
    t.match(fields, {data_base64: bytes, data: undefined, datacontenttype: 'application/octet-stream'})
  }
})

t.test('an outbox that could not be read once is left alone when all closes', async t => {
  const listeners = new Set<() => void>()
  let claims = 0
  const outbox = {
    claim: () => {
      if (++claims === 1) throw new Error('database is locked')
      return []
    },
    onRelease: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
  const context = {appId: 'shop', work: {outbox: async () => outbox}} as unknown as BlockContext
  const calls = new OutboxCalls(context, {} as Publishing)
  await t.rejects(calls.begin(), {message: 'database is locked'})
  await calls.begin()
  await calls.close()
  t.equal(listeners.size, 0)
})

t.test('the marker of a transaction does not expire, also in a store whose items do', async t => {
  const redis = new MemoryConnection(new RedisEngine())
  const more = {redis: {connect: async () => redis}}
  const component = await openComponent(t, openRedisState, {redisHost: 'localhost', ttlInSeconds: '1'}, more)
  const markers: string[] = []
  const context = {
    appId: 'shop',
    namespace: '',
    outbound: async (_: object, work: () => Promise<void>) => work(),
    component: async () => ({name: 'store', component, properties: new Properties([...TARGETS, TTL]), space: ''}),
    components: {beginCall: () => () => undefined},
    work: {
      outbox: async () => ({
        keep: async (events: readonly OutboxEvent[]) => {
          markers.push(...events.map(({marker}) => marker))
          return Promise.resolve(events)
        },
        release: () => undefined
      })
    }
  } as unknown as BlockContext
  const outbox = new OutboxCalls(context, {checkTopic: async () => undefined} as unknown as Publishing)
  await outbox.close()
  const change = {...upsert('a'), request: {...upsert('a').request, etag: '', concurrency: '', consistency: ''}}
  await new State(context, outbox).transact('store', [change], {})
  t.equal(await redis.command(['TTL', 'shop||a']), 1)
  t.equal(await redis.command(['TTL', markers[0] ?? '']), -1)
})
