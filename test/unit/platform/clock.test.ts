import {setTimeout as sleep} from 'node:timers/promises'
import t from 'tap'
import {systemClock} from '../../../src/platform/clock.ts'

t.test('a delay longer than timers can hold does not fire at once', async t => {
  let fired = 0
  const cancel = systemClock.after(2 ** 40, () => fired++)
  await new Promise<void>(resolve => {
    systemClock.after(5, resolve)
  })
  cancel()
  t.equal(fired, 0)
})

t.test('what was cancelled does not fire', async t => {
  let fired = 0
  systemClock.after(1, () => fired++)()
  await sleep(5)
  t.equal(fired, 0)
})
