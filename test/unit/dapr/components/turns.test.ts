import {setImmediate as turn} from 'node:timers/promises'
import t from 'tap'
import {TurnLimit} from '../../../../src/dapr/components/pubsub/redis.ts'

t.test('so many go on in each turn of the event loop, in their order', async t => {
  const turns = new TurnLimit(3)
  const gone: number[] = []
  const enter = (numbers: readonly number[]): void => {
    for (const number of numbers) void turns.next().then(() => gone.push(number))
  }
  enter([1, 2, 3, 4, 5])
  await Promise.resolve()
  await Promise.resolve()
  t.same(gone, [1, 2, 3])
  await turn()
  enter([6, 7])
  await Promise.resolve()
  await Promise.resolve()
  t.same(gone, [1, 2, 3, 4, 5, 6], 'one of a later turn goes on where there is room')
  await turn()
  await turn()
  t.same(gone, [1, 2, 3, 4, 5, 6, 7])
  enter([8, 9, 10])
  await Promise.resolve()
  await Promise.resolve()
  t.same(gone.slice(7), [8, 9, 10], 'a new turn has room for all')
})
