import t from 'tap'
import type {OpenOptions} from '../../../../src/dapr/components/component.ts'
import type {BrokerMessage, Handled} from '../../../../src/dapr/components/pubsub.ts'
import {open} from '../../../../src/dapr/components/pubsub/in-memory.ts'

const MIB = 2 ** 20

/** An event that counts as one MiB: its data, and what each event takes besides. */
const large: BrokerMessage = {data: Buffer.alloc(MIB - 1024), metadata: {}}

const options = {
  topic: 'orders',
  group: 'shop',
  metadata: {},
  atOnce: 0,
  ready: async () => undefined,
  log: () => undefined
}

t.test('what waits for a subscriber is reported once, and refused above the limit', async t => {
  const bus = await open({name: t.name, warn: () => undefined} as unknown as OpenOptions)
  const reports: string[] = []
  const answer = Promise.withResolvers<Handled>()
  let handled = 0
  const reader = await bus.subscribe({
    ...options,
    handle: async () => {
      handled++
      return answer.promise
    },
    onMuchWaiting: (count, bytes) => reports.push(`${count} events, ${Math.round(bytes / MIB)} MiB`)
  })
  // the first one is being handled
  for (let n = 0; n < 257; n++) await bus.publish('orders', large)
  t.same(reports, ['65 events, 65 MiB'])
  await t.rejects(bus.publish('orders', large), {message: 'the queue is full: events of 256 MiB wait for a subscriber'})
  await bus.publish('other', large) // it is not for that subscriber
  t.match(await reader.backlog?.(), {waiting: 257})
  answer.resolve('done')
  const untilTaken = async (): Promise<void> => {
    while ((await reader.backlog?.())?.waiting !== 0) await new Promise(setImmediate)
  }
  await untilTaken()
  await bus.publish('orders', large)
  await untilTaken()
  t.equal(handled, 258)
})

t.test('an event that one of two subscribers has no room for reaches neither', async t => {
  const bus = await open({name: t.name, warn: () => undefined} as unknown as OpenOptions)
  let got = 0
  await bus.subscribe({...options, handle: async () => new Promise<Handled>(() => undefined)})
  for (let n = 0; n < 257; n++) await bus.publish('orders', large)
  await bus.subscribe({
    ...options,
    handle: async () => {
      got++
      return 'done'
    }
  })
  await t.rejects(bus.publish('orders', large), {message: /the queue is full/})
  t.equal(got, 0)
})

const handle = async (): Promise<Handled> => Promise.resolve('done')

t.test('an event that another app waits for, and does not get, is warned of, whoever comes first', async t => {
  const warnings: string[] = []
  const opened = async (app: string, name = 'bus') =>
    open({name, warn: (text: string) => warnings.push(`${app}: ${text}`)} as unknown as OpenOptions)
  const [orders, stock, other] = [await opened('orders'), await opened('stock'), await opened('other', 'rest')]
  const small: BrokerMessage = {data: Buffer.from('1'), metadata: {}}
  await other.subscribe({...options, handle})
  await orders.publish('orders', small)
  await orders.publish('paid', small)
  t.same(warnings, [])
  await stock.subscribe({...options, handle})
  await stock.subscribe({...options, topic: 'shipped', handle})
  const why = 'another app uses it, too, and bus (pubsub.in-memory) passes no event from app to app'
  for (let twice = 0; twice < 2; twice++) await orders.publish('shipped', small)
  t.match(warnings, [`stock: topic orders: ${why}`, `orders: topic shipped: ${why}`])
  t.equal(warnings.length, 2)
  await Promise.all([orders, stock, other].map(async each => each.close?.()))
})

t.test('a save that has events delivered one by one again keeps their order at once', async t => {
  const bus = await open({name: t.name, warn: () => undefined} as unknown as OpenOptions)
  const answers: (() => void)[] = []
  let atOnce = 3
  await bus.subscribe({
    ...options,
    get atOnce() {
      return atOnce
    },
    handle: async () => new Promise(resolve => answers.push(() => resolve('done')))
  })
  for (let n = 0; n < 6; n++) await bus.publish('orders', {data: Buffer.from('1'), metadata: {}})
  t.equal(answers.length, 3)
  atOnce = 1
  for (let n = 0; n < 2; n++) {
    answers[n]?.()
    await new Promise(setImmediate)
    t.equal(answers.length, 3, 'those under way are answered first')
  }
  answers[2]?.()
  await new Promise(setImmediate)
  t.equal(answers.length, 4)
  atOnce = 3
  answers[3]?.()
  await new Promise(setImmediate)
  t.equal(answers.length, 6)
})

t.test('events that pile up again after all were handled are reported again', async t => {
  const bus = await open({name: t.name, warn: () => undefined} as unknown as OpenOptions)
  let reports = 0
  let answer = Promise.withResolvers<Handled>()
  const reader = await bus.subscribe({...options, handle: async () => answer.promise, onMuchWaiting: () => reports++})
  for (const times of [1, 2]) {
    for (let n = 0; n < 70; n++) await bus.publish('orders', large)
    t.equal(reports, times)
    answer.resolve('done')
    while ((await reader.backlog?.())?.waiting !== 0) await new Promise(setImmediate)
    answer = Promise.withResolvers()
  }
})
