import t from 'tap'
import {Once} from '../../../src/model/once.ts'

t.test('work is done once, and all who ask get its result', async t => {
  const once = new Once<number>()
  t.equal(once.begun, undefined)
  let count = 0
  const work = async (): Promise<number> => Promise.resolve(++count)
  t.same(await Promise.all([once.do(work), once.do(work)]), [1, 1])
  t.equal(await once.do(work), 1)
  t.equal(await once.begun, 1)
})

t.test('who waits meanwhile gets the failure; who asks after it begins again', async t => {
  const once = new Once<string>()
  const {promise, reject} = Promise.withResolvers<string>()
  const waiting = [once.do(async () => promise), once.do(async () => Promise.resolve('not asked'))]
  reject(new Error('EMFILE'))
  for (const each of waiting) await t.rejects(each, {message: 'EMFILE'})
  t.equal(once.begun, undefined, 'a failure is not kept')
  t.equal(await once.do(async () => Promise.resolve('loaded')), 'loaded')
})
