import {mock} from 'node:test'
import t from 'tap'
import {heldReader} from '../../../../src/dapr/components/daprd/readers.ts'
import type {Handled} from '../../../../src/dapr/components/pubsub.ts'

t.test('events that are returned, and delivered again, wait for their app together', async t => {
  t.teardown(() => mock.timers.reset())
  mock.timers.enable({apis: ['setTimeout']})
  const isReady = Promise.withResolvers<void>()
  let waiting = 0
  const ready = async (): Promise<void> => {
    waiting++
    await isReady.promise
  }
  const handled: number[] = []
  const handle = async (event: number): Promise<Handled> => {
    handled.push(event)
    return 'done'
  }
  let deliver: ((event: number) => Promise<Handled>) | undefined
  const {stop} = heldReader({holdMs: 1000, ready, handle}, delivered => {
    deliver = delivered
    return () => undefined
  })
  for (let times = 0; times < 100; times++) {
    const returned = deliver?.(times)
    await new Promise(setImmediate)
    mock.timers.tick(1000)
    t.equal(await returned, 'returned')
  }
  t.equal(waiting, 1)
  const last = deliver?.(100)
  isReady.resolve()
  t.equal(await last, 'done')
  t.same(handled, [100])
  await stop()
})
