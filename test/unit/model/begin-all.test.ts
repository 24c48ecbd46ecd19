import t from 'tap'
import {beginAll} from '../../../src/model/begin-all.ts'

t.test('what belongs together begins and ends together', async t => {
  const ended: number[] = []
  const begin = async (n: number): Promise<() => Promise<void>> => {
    if (n === 13) throw new Error('13 is taken')
    return async () => void ended.push(n)
  }
  const end = await beginAll([1, 2], begin)
  t.same(ended, [])
  await end()
  t.same(ended, [1, 2])
  await t.rejects(beginAll([3, 13, 4], begin), {message: '13 is taken'})
  t.same(ended, [1, 2, 3, 4])
})
