import {setImmediate as nextTurn} from 'node:timers/promises'
import t from 'tap'
import {inTurn} from '../../../../../src/proxy/net/http2/http2-listener.ts'

t.test(
  'of many streams at once some are served in each turn of the event loop, in order; of a flood fewer',
  async t => {
    await nextTurn()
    const served: number[] = []
    for (let n = 0; n < 100; n++)
      inTurn(() => {
        served.push(n)
        return true
      })
    t.equal(served.length, 16)
    while (served.length < 100) {
      const before = served.length
      await nextTurn()
      const most = 100 - before > 64 ? 4 : 16
      t.ok(served.length - before <= most, `${served.length - before} in a turn, of at most ${most}`)
    }
    t.same(
      served,
      Array.from({length: 100}, (_, n) => n)
    )
  }
)

t.test('streams that were closed meanwhile take no turn', async t => {
  await nextTurn()
  let isServed = false
  for (let n = 0; n < 100; n++) inTurn(() => false)
  inTurn(() => (isServed = true))
  t.ok(isServed)
})
