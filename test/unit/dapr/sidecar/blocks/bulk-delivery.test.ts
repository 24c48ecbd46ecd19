import t from 'tap'
import {BulkDelivery} from '../../../../../src/dapr/sidecar/blocks/bulk-delivery.ts'
import type {EventChannel} from '../../../../../src/dapr/sidecar/blocks/event-channel.ts'
import type {EventDelivery} from '../../../../../src/dapr/sidecar/blocks/event-delivery.ts'
import {bulkSettings} from '../../../../../src/files/resources/subscriptions.ts'

t.test('a batch that may wait longer than a timer waits for its events', async t => {
  const batches = Promise.withResolvers<void>()
  let count = 0
  const delivery = {
    read: () => ({fields: {}, body: Buffer.alloc(0), metadata: {}}),
    attempt: async () => {
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
