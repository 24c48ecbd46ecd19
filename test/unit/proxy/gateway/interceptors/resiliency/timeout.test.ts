import t from 'tap'
import {PausableTimer} from '../../../../../../src/proxy/gateway/interceptors/resiliency/timeout.ts'
import {TestClock} from '../../../../../rig/clock.ts'

const start = (ms: number): {timer: PausableTimer; clock: TestClock; fired: () => number} => {
  const clock = new TestClock()
  let count = 0
  return {timer: new PausableTimer(ms, clock, () => count++), clock, fired: () => count}
}

t.test('it fires once', async t => {
  const {timer, clock, fired} = start(100)
  clock.pass(99)
  t.equal(fired(), 0)
  clock.pass(1)
  t.equal(fired(), 1)
  timer.pause()
  timer.resume()
  clock.pass(1000)
  t.equal(fired(), 1)
})

t.test('time in which it is paused does not count', async t => {
  const {timer, clock, fired} = start(100)
  clock.pass(60)
  timer.pause()
  timer.pause()
  clock.pass(10_000)
  timer.resume()
  timer.resume()
  clock.pass(39)
  t.equal(fired(), 0)
  clock.pass(1)
  t.equal(fired(), 1)
})

t.test('one that is stopped does not fire, also when it is resumed', async t => {
  const {timer, clock, fired} = start(100)
  timer.pause()
  timer.stop()
  timer.resume()
  clock.pass(1000)
  t.equal(fired(), 0)
})
