import t from 'tap'
import {SerialQueue} from '../../../src/model/serial-queue.ts'

t.test('work runs one after the other, also after a failure', async t => {
  const queue = new SerialQueue()
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const failed = queue.run(async () => {
    order.push('first begins')
    await first.promise
    order.push('first fails')
    throw new Error('no')
  })
  const second = queue.run(() => {
    order.push('second')
    return Promise.resolve(2)
  })
  first.resolve()
  await t.rejects(failed, {message: 'no'})
  t.equal(await second, 2)
  t.strictSame(order, ['first begins', 'first fails', 'second'])
})

t.test('idle resolves when all work is done', async t => {
  const queue = new SerialQueue()
  await queue.idle()
  let isDone = false
  const work = queue.run(() => {
    isDone = true
    return Promise.reject(new Error('no'))
  })
  work.catch(() => undefined)
  await queue.idle()
  t.ok(isDone)
})
