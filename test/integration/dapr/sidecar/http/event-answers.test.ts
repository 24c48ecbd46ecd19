import {once} from 'node:events'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import type {AppEvent, DeliveryProcess, EventTarget} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import {HttpBindingChannel} from '../../../../../src/dapr/sidecar/http/blocks/http-binding-channel.ts'
import {HttpEventChannel} from '../../../../../src/dapr/sidecar/http/blocks/http-event-channel.ts'
import {AdmissionQueue} from '../../../../../src/proxy/gateway/admission-queue.ts'
import {ConcurrencyLimiter} from '../../../../../src/proxy/gateway/concurrency-limiter.ts'
import {HeldBodies} from '../../../../../src/proxy/gateway/held-bodies.ts'
import {Pool} from '../../../../../src/proxy/net/pool.ts'

const EVENT: AppEvent = {fields: {}, body: Buffer.from('{}'), metadata: {}}
const TARGET: EventTarget = {
  subscription: {pubsubName: 'bus', topic: 'orders', metadata: {}, rules: [], deadLetterTopic: '', bulk: undefined},
  path: '/orders'
}

/** An app that answers each request so. */
async function appThat(t: Test, answer: string): Promise<DeliveryProcess> {
  const server = createServer((_, response) => response.end(answer)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const pool = new Pool({hosts: ['127.0.0.1'], port})
  t.teardown(() => {
    pool.cut()
    server.close()
  })
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  queue.open()
  const app = {
    id: 'shop',
    appPort: port,
    queue,
    opening: {},
    limiter: new ConcurrencyLimiter(() => 0),
    pool,
    pid: 0,
    token: ''
  }
  const process = {app, context: {heldBodies: new HeldBodies()}, pid: () => 0, isReady: () => true}
  return process as unknown as DeliveryProcess
}

const channelTo = async (t: Test, answer: string): Promise<HttpEventChannel> =>
  new HttpEventChannel(await appThat(t, answer))

t.test('what an app has said of an event counts in any capitals of its keys', async t => {
  for (const key of ['status', 'Status']) {
    const channel = await channelTo(t, `{"${key}":"RETRY"}`)
    t.match(await channel.deliver(TARGET, EVENT), {kind: 'failed'}, key)
  }
})

t.test('what it has said of each of several events does so, too', async t => {
  for (const [statuses, entryId, status] of [
    ['statuses', 'entryId', 'status'],
    ['Statuses', 'EntryId', 'Status']
  ] as const) {
    const channel = await channelTo(t, `{"${statuses}":[{"${entryId}":"a","${status}":"SUCCESS"}]}`)
    t.strictSame(await channel.deliverBatch(TARGET, [{entryId: 'a', event: EVENT}]), [{kind: 'success'}], statuses)
  }
})

t.test('and what it asks for as it answers an event of a binding', async t => {
  const channel = new HttpBindingChannel(await appThat(t, '{"To":["mail"],"Data":{"A":1},"Concurrency":"parallel"}'))
  const answer = await channel.deliver({name: 'tick', route: '/tick'}, {data: Buffer.from(''), metadata: {}})
  t.match(answer, {kind: 'success', effects: {to: ['mail'], isParallel: true}})
  t.equal(answer.kind === 'success' && answer.effects?.data.toString(), '{"A":1}')
})

t.test('metadata with characters that no header has, such as raw bytes, keep no event from the app', async t => {
  const channel = await channelTo(t, '')
  for (const value of ['\u0001\u001fa', 'a\u007f', 'a\tb\u0000', 'ü\u0008', '\u0085'])
    t.match(await channel.deliver(TARGET, {...EVENT, metadata: {key: value}}), {kind: 'success'}, JSON.stringify(value))
})

t.test('metadata whose name asks something of a server keeps no event from the app', async t => {
  const channel = await channelTo(t, '')
  for (const name of ['expect', 'Expect', 'upgrade', 'te'])
    t.match(await channel.deliver(TARGET, {...EVENT, metadata: {[name]: 'delivery'}}), {kind: 'success'}, name)
})

t.test('an answer to several events that has no statuses says so', async t => {
  for (const answer of ['', 'ok', '{}']) {
    const channel = await channelTo(t, answer)
    const given = await channel.deliverBatch(TARGET, [{entryId: 'a', event: EVENT}])
    t.match(given, {kind: 'failed', status: 0, text: /^the answer to a batch has no statuses: /})
  }
})
