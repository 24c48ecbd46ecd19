import t, {type Test} from 'tap'
import type {AppComponents} from '../../../../../src/dapr/components/app-components.ts'
import {Properties} from '../../../../../src/dapr/components/properties.ts'
import {EtagError} from '../../../../../src/dapr/components/state-store.ts'
import {ComponentPolicies} from '../../../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {ComponentEvent} from '../../../../../src/model/component-event.ts'
import {systemClock} from '../../../../../src/platform/clock.ts'
import {pause} from '../../../../../src/platform/delay.ts'
import {DEFAULT_CONFIGURATION} from '../../../../../src/files/resources/defaults.ts'
import {parseResourceFile} from '../../../../../src/files/resources/resource-file.ts'
import {mergeResiliencies, readResiliency} from '../../../../../src/files/resources/resiliency/resiliency.ts'
import {newBlocks, type Blocks} from '../../../../../src/dapr/sidecar/blocks/blocks.ts'
import type {StateSet} from '../../../../../src/dapr/sidecar/blocks/state-requests.ts'

/** The starts of the app's processes. */
let LIVES: readonly number[] = [1]

/** Blocks whose components are one object, and what they count. */
const blocksOf = async (
  component: object,
  policies: object
): Promise<{readonly blocks: Blocks; readonly counted: readonly ComponentEvent[]}> => {
  const text = JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Resiliency',
    metadata: {name: 'r'},
    spec: {policies}
  })
  const resource = await readResiliency(parseResourceFile({file: 'r.yaml', text}))
  const {resiliency} = mergeResiliencies(resource === undefined ? [] : [resource], 'shop')
  const all = new ComponentPolicies(resiliency, {clock: systemClock, random: () => 0.5, emit: () => undefined})
  const counted: ComponentEvent[] = []
  const components = {
    failed: new Map(),
    names: () => ['it'],
    opened: () => undefined,
    beginCall: () => () => undefined,
    find: async () => ({name: 'it', component, properties: new Properties([]), space: ''})
  }
  const blocks = newBlocks({
    appId: 'shop',
    instance: 'shop',
    isHttpApp: true,
    namespace: '',
    lives: () => LIVES,
    components: components as unknown as AppComponents,
    configuration: () => DEFAULT_CONFIGURATION,
    whyMissing: () => '',
    postToApp: undefined,
    policies: () => all,
    counted: event => counted.push(event),
    startSpan: () => undefined,
    work: {
      jobs: async () => Promise.reject(new Error('no jobs here')),
      outbox: async () => Promise.reject(new Error('no jobs here')),
      workflows: async () => Promise.reject(new Error('no workflows here'))
    },
    actors: {
      load: async () => Promise.reject(new Error('no actors here')),
      reminders: async () => Promise.reject(new Error('no reminders here')),
      faults: undefined,
      elsewhere: async () => Promise.resolve(undefined)
    },
    log: {isDebug: false, write: () => undefined, warn: () => undefined}
  })
  return {blocks, counted}
}

const wish = (key: string): StateSet => ({
  key,
  value: Buffer.from('1'),
  etag: '',
  metadata: {},
  isJson: true,
  concurrency: '',
  consistency: ''
})

const RESOURCE = {resourceId: 'r', lockOwner: 'me', expiryInSeconds: 1}
const ITEMS = {storeName: 'it', keys: ['k'], metadata: {}}
const EVENT = {
  pubsubName: 'it',
  topic: 'T',
  data: Buffer.from('1'),
  contentType: 'text/plain',
  metadata: {},
  trace: {traceparent: '', tracestate: ''}
}
const QUESTION = {
  messages: [],
  tools: [],
  toolChoice: '',
  temperature: undefined,
  responseFormat: undefined,
  metadata: {},
  keepPromptMs: 0,
  isAnswerScrubbed: false
}
const OPERATION = {operation: 'upsert', request: wish('k')}

/** Each call to a component, the method that it calls there, and what is counted. */
const CALLS: readonly (readonly [
  name: string,
  method: string,
  counted: object | undefined,
  (b: Blocks) => Promise<unknown>
])[] = [
  [
    'get',
    'get',
    {block: 'state', operation: 'get'},
    async b => b.state.get('it', 'k', {consistency: '', metadata: {}})
  ],
  ['save', 'set', {block: 'state', operation: 'set'}, async b => b.state.save('it', [wish('k')])],
  ['delete', 'delete', {block: 'state', operation: 'delete'}, async b => b.state.delete('it', wish('k'))],
  [
    'bulk delete',
    'delete',
    {block: 'state', operation: 'bulk_delete'},
    async b => b.state.bulkDelete('it', [wish('k')])
  ],
  [
    'transaction',
    'transact',
    {block: 'state', operation: 'transaction'},
    async b => b.state.transact('it', [OPERATION], {})
  ],
  ['secret', 'get', {block: 'secret', operation: 'get'}, async b => b.secrets.get('it', 'k')],
  ['secrets', 'all', {block: 'secret', operation: 'bulk_get'}, async b => b.secrets.all('it')],
  ['lock', 'lock', undefined, async b => b.locks.lock('it', RESOURCE)],
  ['unlock', 'unlock', undefined, async b => b.locks.unlock('it', RESOURCE)],
  [
    'configuration',
    'get',
    {block: 'configuration', operation: 'get'},
    async b => b.configurations.get('it', ['k'], {})
  ],
  [
    'configuration, subscribe',
    'subscribe',
    {block: 'configuration', operation: 'subscribe'},
    async b => b.configurations.subscribe({...ITEMS, isOfProcess: false}, async () => undefined)
  ],
  [
    'conversation',
    'converse',
    {block: 'conversation', operation: 'converse'},
    async b => b.conversations.ask(await b.conversations.find('it'), QUESTION, () => undefined)
  ],
  ['publish', 'publish', {type: 'published', topic: 'T'}, async b => b.publishing.publish(EVENT)]
]

const RETRY_TWICE = {policy: 'constant', duration: '1ms', maxRetries: 2}
const RETRY = {retries: {DefaultComponentOutboundRetryPolicy: RETRY_TWICE}}

for (const [name, method, event, call] of CALLS)
  t.test(`${name}: outbound policies repeat it, its failure is told in the policy’s words, counted`, async t => {
    let failures = 2
    const component = {
      capabilities: [],
      [method]: async () => {
        if (failures-- > 0) throw new Error('out of order')
        return {}
      }
    }
    const {blocks, counted} = await blocksOf(component, RETRY)
    await call(blocks)
    t.equal(failures, -1, 'it succeeds the third time')
    failures = 9
    await t.rejects(call(blocks), {message: /out of order/})
    t.equal(failures, 6)
    const all = [true, false].map(isSuccess => ({component: 'it', isSuccess, ...event}))
    t.match(counted, event === undefined ? [] : all)
    t.equal(counted.length, event === undefined ? 0 : 2)

    const stuck = await blocksOf(
      {capabilities: [], [method]: async () => new Promise(() => undefined)},
      {
        timeouts: {DefaultTimeoutPolicy: '1ms'},
        circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: 'consecutiveFailures > 0', timeout: '60s'}}
      }
    )
    await t.rejects(call(stuck.blocks), {message: /context deadline exceeded/})
    await t.rejects(call(stuck.blocks), {message: /circuit breaker is open/})
  })

t.test('a bulk get that takes too long fails as a whole', async t => {
  const {blocks} = await blocksOf(
    {get: async () => new Promise(() => undefined)},
    {timeouts: {DefaultTimeoutPolicy: '1ms'}}
  )
  await t.rejects(blocks.state.bulkGet('it', ['k'], {parallelism: 0, consistency: '', metadata: {}}), {
    message: 'context deadline exceeded'
  })
})

/** A store that fails for these keys as often as told. */
const failingFor = (
  t: Test,
  failures: Readonly<Record<string, readonly Error[]>>
): {set: object; written: string[]} => {
  const written: string[] = []
  const left = new Map(Object.entries(failures).map(([key, errors]) => [`shop||${key}`, [...errors]]))
  const set = async ({key}: {key: string}): Promise<void> => {
    const error = left.get(key)?.shift()
    if (error !== undefined) throw error
    written.push(key.replace('shop||', ''))
  }
  t.teardown(() => left.clear())
  return {set, written}
}

t.test('of several items those are saved again that failed, but for those that were refused', async t => {
  const down = new Error('down')
  const old = new EtagError('mismatch', 'old')
  const store = failingFor(t, {b: [down], c: [old, down], d: [down, down]})
  const {blocks} = await blocksOf(store, RETRY)
  await t.rejects(blocks.state.save('it', [wish('a'), wish('b'), wish('c'), wish('d')]), {
    message: 'failed saving state in state store it: possible etag mismatch. error from state store: old'
  })
  t.same(store.written, ['a', 'b', 'd'], 'each once')
})

t.test('an old etag, words that nobody knows and a missing secret are no failures of the store', async t => {
  const breaker = {circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: 'consecutiveFailures > 0', timeout: '60s'}}}
  const store = failingFor(t, {a: [new EtagError('mismatch', 'old')]})
  const {blocks} = await blocksOf({...store, get: async () => undefined}, breaker)
  await t.rejects(blocks.state.save('it', [wish('a')]), {message: /possible etag mismatch/})
  await t.rejects(blocks.state.save('it', [{...wish('a'), concurrency: 'third-write'}]), {message: /third-write/})
  await t.rejects(blocks.secrets.get('it', 'none'), {message: /secret none not found/})
  await blocks.state.save('it', [wish('a')])
  t.same(store.written, ['a'], 'the circuit breaker is closed')
})

t.test('inbound policies repeat an update of configuration that the app did not take', async t => {
  const {blocks} = await blocksOf({}, {retries: {DefaultConfigurationComponentInboundRetryPolicy: RETRY_TWICE}})
  let answers = ['status code 500', 'status code 503', '']
  const send = async (): Promise<string> => answers.shift() ?? 'unexpected'
  const {signal} = new AbortController()
  t.equal(await blocks.configurations.deliver('it', send, signal), '')
  answers = ['1', '2', '3', '']
  t.equal(await blocks.configurations.deliver('it', send, signal), '3')
})

t.test('an update of configuration that takes too long is given up, and the time in which it is held does not count', async t => {
  const {blocks} = await blocksOf({}, {timeouts: {DefaultConfigurationComponentInboundTimeoutPolicy: '1ms'}})
  const {signal} = new AbortController()
  const stopped = Promise.withResolvers<void>()
  const late = blocks.configurations.deliver('it', async attempt => new Promise(() => attempt?.onStop(stopped.resolve)), signal)
  await stopped.promise
  t.equal(await late, 'context deadline exceeded')
  const held = blocks.configurations.deliver(
    'it',
    async attempt => {
      attempt?.pause()
      await pause(20)
      return ''
    },
    signal
  )
  t.equal(await held, '')
}) // prettier-ignore

t.test('what a call to subscribe begins too late is ended', async t => {
  const begun: (() => void)[] = []
  let ended = 0
  const component = {subscribe: async () => new Promise(resolve => begun.push(() => resolve(async () => void ended++)))}
  const {blocks} = await blocksOf(component, {timeouts: {DefaultTimeoutPolicy: '1ms'}})
  const request = {...ITEMS, isOfProcess: true}
  await t.rejects(
    blocks.configurations.subscribe(request, async () => undefined),
    {message: /deadline exceeded/}
  )
  begun[0]?.()
  await new Promise(setImmediate)
  t.equal(ended, 1)
})

t.test('subscriptions of a process end with it, also one that it was still asking for', async t => {
  const begun: (() => void)[] = []
  let ended = 0
  const component = {subscribe: async () => new Promise(resolve => begun.push(() => resolve(async () => void ended++)))}
  const {blocks} = await blocksOf(component, {})
  const subscribe = async (isOfProcess: boolean): Promise<string> =>
    blocks.configurations.subscribe({...ITEMS, isOfProcess}, async () => undefined)
  const first = subscribe(true)
  const stream = subscribe(false)
  await new Promise(setImmediate)
  for (const begin of begun.splice(0)) begin()
  const ids = [await first, await stream]
  const late = subscribe(true)
  await new Promise(setImmediate)
  LIVES = [2]
  blocks.configurations.followProcesses()
  t.equal(ended, 1, 'not that of a stream')
  for (const begin of begun) begin()
  const lateId = await late
  t.equal(ended, 2)
  const next = subscribe(true)
  await new Promise(setImmediate)
  begun.at(-1)?.()
  await blocks.configurations.unsubscribe('it', await next)
  t.equal(ended, 3, 'the next process has its own')
  for (const id of [ids[0] ?? '', lateId])
    await t.rejects(blocks.configurations.unsubscribe('it', id), {message: /does not exist/})
  await blocks.close()
  t.equal(ended, 4)
})
