import {mock} from 'node:test'
import t from 'tap'
import {ExpiryTimer} from '../../engine/expiry-timer.ts'

t.test('while many keys expire at once, others have their turns', async t => {
  const expired: string[] = []
  const turns: number[] = []
  const all = Promise.withResolvers<void>()
  const timer = new ExpiryTimer(() => {
    turns.push(expired.length)
    if (expired.length === 12_000) all.resolve()
  })
  // its own timer keeps no process alive
  const alive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(alive))
  const at = Date.now() + 50
  const keys = {expiresAt: () => at, expire: (key: string) => void expired.push(key)}
  for (let n = 0; n < 12_000; n++) timer.add(keys, `key${n}`, at)
  await all.promise
  t.equal(new Set(expired).size, 12_000)
  t.same(turns, [5000, 10_000, 12_000])
  timer.close()
})

t.test('a machine that has slept finds out within ten seconds what has expired', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  const now = mock.method(Date, 'now', () => 0)
  t.teardown(() => mock.reset())
  const expired: string[] = []
  const timer = new ExpiryTimer(() => undefined)
  timer.add({expiresAt: () => 3_600_000, expire: key => void expired.push(key)}, 'k', 3_600_000)
  now.mock.mockImplementation(() => 3_600_000)
  mock.timers.tick(10_000)
  t.same(expired, ['k'])
  timer.close()
})
