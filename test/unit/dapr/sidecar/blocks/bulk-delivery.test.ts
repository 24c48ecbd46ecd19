import t from 'tap'
import {BulkDelivery} from '../../../../../src/dapr/sidecar/blocks/bulk-delivery.ts'
import type {BrokerMessage} from '../../../../../src/dapr/components/pubsub.ts'
import type {AppEvent, EventChannel} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import type {EventOutcome} from '../../../../../src/dapr/sidecar/blocks/event-outcome.ts'
import type {EventDelivery} from '../../../../../src/dapr/sidecar/blocks/event-delivery.ts'
import {AttemptControl} from '../../../../../src/proxy/gateway/interceptors/resiliency/attempt.ts'
import {bulkSettings} from '../../../../../src/files/resources/subscriptions.ts'

t.test('a batch that may wait longer than a timer waits for its events', async t => {
  const batches = Promise.withResolvers<void>()
  let count = 0
  const delivery = {
    read: () => ({fields: {}, body: Buffer.alloc(0), metadata: {}}),
    underPolicies: async () => {
      count++
      batches.resolve()
      return {kind: 'success'}
    },
    conclude: async () => 'done'
  }
  const warnings: string[] = []
  const note = ({name}: Error): void => void warnings.push(name)
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  const over = new AbortController()
  const settings = bulkSettings(2, 1e12)
  const bulk = new BulkDelivery(delivery as unknown as EventDelivery, {} as EventChannel, settings, over.signal)
  const message = {data: Buffer.alloc(0), metadata: {}}
  const first = bulk.handle(message)
  for (let turns = 0; turns < 5; turns++) await new Promise(resolve => setTimeout(resolve, 2))
  t.equal(count, 0)
  const second = bulk.handle(message)
  await batches.promise
  t.same(await Promise.all([first, second]), ['done', 'done'])
  t.equal(count, 1)
  t.same(warnings, [])
})

/** A batch whose events go to the path that each of them names; `underPolicies` makes the attempts of a policy. */
const bulkOf = (
  underPolicies: EventDelivery['underPolicies'],
  deliverBatch: EventChannel['deliverBatch'],
  count: number,
  conclude = async ({kind}: EventOutcome): Promise<string> => (kind === 'success' ? 'done' : 'returned'),
  nowhere: (path: string) => EventOutcome | undefined = () => undefined
) => {
  const delivery = {
    read: ({data}: BrokerMessage) => ({fields: {id: data.toString()}, body: data, metadata: {}}),
    route: ({fields: {id}}: AppEvent) => nowhere(String(id)) ?? {subscription: {}, path: id},
    startSpan: () => undefined,
    countBatch: () => undefined,
    conclude,
    underPolicies
  } as unknown as EventDelivery
  const over = new AbortController()
  const bulk = new BulkDelivery(delivery, {deliverBatch} as EventChannel, bulkSettings(count, 1000), over.signal)
  return async (paths: readonly string[]) =>
    Promise.all(paths.map(async path => bulk.handle({data: Buffer.from(path), metadata: {}})))
}

t.test('an attempt that ends ends what the app has of it, also where a batch has several paths', async t => {
  const open = new Set<string>()
  const stopped: string[] = []
  const handle = bulkOf(
    async deliver => {
      const control = new AttemptControl(1, undefined)
      const outcome = deliver(control)
      await new Promise(setImmediate)
      control.stop()
      return outcome
    },
    async ({path}, _, attempt) => {
      open.add(path)
      const {promise, resolve} = Promise.withResolvers<void>()
      attempt?.onStop(resolve)
      await promise
      open.delete(path)
      stopped.push(path)
      return {kind: 'interrupted', isSent: true, text: ''}
    },
    3
  )
  const handled = handle(['/a', '/b', '/a'])
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.same([...open], [])
  if (open.size > 0) return
  t.same(await handled, ['returned', 'returned', 'returned'])
  t.same(stopped, ['/a', '/b'])
})

t.test('an event that is handled is acknowledged while another one of its batch is still put aside', async t => {
  const aside = Promise.withResolvers<string>()
  const handled: string[] = []
  const handle = bulkOf(
    async deliver => deliver(),
    async (_, entries) =>
      entries.map((__, at) => (at === 0 ? {kind: 'failed', status: 500, text: ''} : {kind: 'success'})),
    2,
    async ({kind}) => (kind === 'success' ? 'done' : aside.promise)
  )
  const all = Promise.all(['/a', '/a'].map(async path => handled.push(...(await handle([path])))))
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  t.same(handled, ['done'])
  aside.resolve('returned')
  await all
  t.same(handled, ['done', 'returned'])
})

t.test('of a batch with several paths, what has failed is delivered again, and nothing else', async t => {
  const sent: string[] = []
  const handle = bulkOf(
    async deliver => {
      const outcome = await deliver()
      return outcome.kind === 'failed' ? deliver() : outcome
    },
    async ({path}, entries) => {
      sent.push(`${path} ${entries.length}`)
      if (path !== '/b' || sent.length > 2) return {kind: 'success'}
      return entries.map((_, at) => (at === 0 ? {kind: 'success'} : {kind: 'failed', status: 500, text: ''}))
    },
    4
  )
  t.same(await handle(['/a', '/b', '/a', '/b']), ['done', 'done', 'done', 'done'])
  t.same(sent, ['/a 2', '/b 2', '/b 1'])
})

t.test('delivery stops: a failed event of a batch that was to be retried goes back to its broker', async t => {
  const handle = bulkOf(
    async deliver => {
      await deliver()
      return {kind: 'stopped'}
    },
    async (_, entries) =>
      entries.map((_, at) => (at === 0 ? {kind: 'success'} : {kind: 'failed', status: 500, text: ''})),
    2,
    async ({kind}) => kind
  )
  t.same(await handle(['/a', '/a']), ['success', 'stopped'])
})

t.test('an event of a batch for which no path can be found has failed, and holds up nothing', async t => {
  const sent: string[] = []
  const failed: EventOutcome = {kind: 'failed', status: 0, text: 'no such key: stock'}
  const attempts: string[] = []
  const handle = bulkOf(
    async deliver => {
      const outcome = await deliver()
      attempts.push(outcome.kind)
      // events that are delivered without end let no timer fire
      if (attempts.length > 9) throw new Error('without end')
      return outcome
    },
    async ({path}, entries) => {
      sent.push(`${path} ${entries.length}`)
      return {kind: 'success'}
    },
    3,
    async ({kind}) => kind,
    path => (path === '' ? failed : undefined)
  )
  t.same(await handle(['', '/a', '']), ['failed', 'success', 'failed'])
  t.same(await handle(['', '', '']), ['failed', 'failed', 'failed'])
  t.same(sent, ['/a 1'])
  t.same(attempts, ['failed', 'failed'], 'a policy may try them again')
})

t.test('an answer to an attempt that has ended does not count any more', async t => {
  const late = Promise.withResolvers<void>()
  let sent = 0
  const handle = bulkOf(
    async deliver => {
      const control = new AttemptControl(1, undefined)
      const first = deliver(control)
      control.stop()
      const outcome = await deliver(new AttemptControl(2, undefined))
      late.resolve()
      await first
      return outcome
    },
    async () => {
      if (++sent > 1) return {kind: 'success'}
      await late.promise
      return {kind: 'failed', status: 500, text: 'too late'}
    },
    1
  )
  t.same(await handle(['/a']), ['done'])
  t.equal(sent, 2)
})

t.test('what is tried again without end holds up neither what is handled nor what goes to another path', async t => {
  const sent: string[] = []
  const again = Promise.withResolvers<void>()
  const handle = bulkOf(
    async deliver => {
      for (let tries = 0; ; tries++) {
        const outcome = await deliver()
        if (outcome.kind !== 'failed') return outcome
        if (tries === 2) await again.promise
      }
    },
    async ({path}, entries) => {
      sent.push(`${path} ${entries.length}`)
      if (path === '/b') return entries.map(() => ({kind: 'success'}))
      return entries.map((_, at) => (at === 0 ? {kind: 'failed', status: 500, text: ''} : {kind: 'success'}))
    },
    4
  )
  const handled: string[] = []
  for (const path of ['/a', '/a', '/b', '/a']) void handle([path]).then(([how]) => handled.push(`${path} ${how}`))
  for (let turn = 0; turn < 40; turn++) await new Promise(setImmediate)
  t.same(handled.toSorted(), ['/a done', '/a done', '/b done'])
  t.same(sent.toSorted(), ['/a 1', '/a 1', '/a 3', '/b 1'])
})

t.test('events of another path are delivered once, also if the app answers after a policy ended the call', async t => {
  const sent: string[] = []
  const answered = Promise.withResolvers<void>()
  const firsts: Promise<EventOutcome>[] = []
  const handle = bulkOf(
    async deliver => {
      firsts.push(deliver(new AttemptControl(1, undefined)))
      return {kind: 'failed', status: 0, text: 'context deadline exceeded'}
    },
    async ({path}, entries) => {
      sent.push(`${path} ${entries.length}`)
      if (path === '/a') await answered.promise
      return {kind: 'success'}
    },
    3
  )
  t.same(await handle(['/a', '/b', '/a']), ['returned', 'done', 'returned'])
  await firsts[1]
  answered.resolve()
  await firsts[0]
  await new Promise(setImmediate)
  t.equal(firsts.length, 2)
  t.same(sent.toSorted(), ['/a 2', '/b 1'])
})
