import t from 'tap'
import {inParallel} from '../../../src/platform/in-parallel.ts'

const tenfold = async (item: number): Promise<number> => {
  for (let turns = 0; turns < 5 - item; turns++) await new Promise(setImmediate)
  return item * 10
}

t.test('results are in the order of the items, however long each takes', async t => {
  t.same(await inParallel([1, 2, 3, 4], tenfold, 2), [10, 20, 30, 40])
  t.same(await inParallel([], tenfold), [])
})

t.test('a failure is thrown when nothing is under way any more, and nothing else has begun', async t => {
  const begun: string[] = []
  const ended: string[] = []
  const slow = Promise.withResolvers<void>()
  const task = async (item: string): Promise<void> => {
    begun.push(item)
    if (item === 'bad') throw new Error('refused')
    await slow.promise
    ended.push(item)
  }
  let isOver = false
  const all = inParallel(['slow', 'bad', 'next', 'last'], task, 2).finally(() => {
    isOver = true
  })
  const failed = t.rejects(all, {message: 'refused'})
  await new Promise(setImmediate)
  t.notOk(isOver, 'one is under way')
  slow.resolve()
  await failed
  t.same(begun, ['slow', 'bad'])
  t.same(ended, ['slow'])
})
