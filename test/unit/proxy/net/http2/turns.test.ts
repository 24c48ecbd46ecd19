import {setImmediate as nextTurn} from 'node:timers/promises'
import t from 'tap'
import {inTurn} from '../../../../../src/proxy/net/http2/turns.ts'

t.test('of a hundred streams at once a few are served in each turn of the event loop, in order', async t => {
  await nextTurn()
  const served: number[] = []
  for (let n = 0; n < 100; n++)
    inTurn(() => {
      served.push(n)
      return true
    })
  let most = served.length
  while (served.length < 100) {
    const before = served.length
    await nextTurn()
    most = Math.max(most, served.length - before)
  }
  t.ok(most <= 4, `${most} in one turn`)
  t.same(
    served,
    Array.from({length: 100}, (_, n) => n)
  )
})

t.test('streams that were closed meanwhile take no turn', async t => {
  await nextTurn()
  let isServed = false
  for (let n = 0; n < 100; n++) inTurn(() => false)
  inTurn(() => (isServed = true))
  t.ok(isServed)
})
