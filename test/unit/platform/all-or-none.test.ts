import t from 'tap'
import {allOrNone} from '../../../src/platform/all-or-none.ts'

t.test('what all give, in their order', async t => {
  const slow = Promise.withResolvers<string>()
  const all = allOrNone([slow.promise, Promise.resolve('second')], () => void t.fail('given back'))
  slow.resolve('first')
  t.same(await all, ['first', 'second'])
})

t.test('when one fails, the others are waited for and given back, and its error is thrown', async t => {
  const slow = Promise.withResolvers<string>()
  const back: string[] = []
  const all = allOrNone([Promise.resolve('a'), Promise.reject(new Error('taken')), slow.promise], each => {
    back.push(each)
  })
  slow.resolve('b')
  await t.rejects(all, {message: 'taken'})
  t.same(back, ['a', 'b'])
})
