import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {setImmediate as nextTurn, setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {systemClock} from '../../../../../../src/platform/clock.ts'
import {PausableTimer} from '../../../../../../src/proxy/gateway/interceptors/resiliency/attempt.ts'
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
  await nextTurn()
  t.equal(fired(), 1)
  timer.pause()
  timer.resume()
  clock.pass(1000)
  await nextTurn()
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
  await nextTurn()
  t.equal(fired(), 1)
})

t.test('one that is stopped does not fire, also when it is resumed', async t => {
  const {timer, clock, fired} = start(100)
  timer.pause()
  timer.stop()
  timer.resume()
  clock.pass(1000)
  await nextTurn()
  t.equal(fired(), 0)
})

t.test('an answer in time stops it, also where it is read late since this process was held up', async t => {
  let fired = 0
  const over = Promise.withResolvers<void>()
  const server = net.createServer(socket => socket.once('data', over.resolve)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1')
  await Promise.all([once(server, 'connection'), once(socket, 'connect')])
  const timer = new PausableTimer(100, systemClock, () => fired++)
  setImmediate(() => {
    socket.write('the answer')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  })
  await over.promise
  timer.stop()
  await pause(0)
  t.equal(fired, 0)
  socket.destroy()
  server.close()
})
