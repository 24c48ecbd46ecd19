import t from 'tap'
import {allOrNone} from '../../../src/platform/in-parallel.ts'

t.test('all results, in order', async t => {
  const slow = Promise.withResolvers<string>()
  const all = allOrNone([slow.promise, Promise.resolve('second')], () => void t.fail('undone'))
  slow.resolve('first')
  t.same(await all, ['first', 'second'])
})

t.test('if one rejects, the others are awaited and undone, and its error is thrown', async t => {
  const slow = Promise.withResolvers<string>()
  const back: string[] = []
  const all = allOrNone([Promise.resolve('a'), Promise.reject(new Error('taken')), slow.promise], each => {
    back.push(each)
  })
  slow.resolve('b')
  await t.rejects(all, {message: 'taken'})
  t.same(back, ['a', 'b'])
})
