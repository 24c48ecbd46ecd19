import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import t from 'tap'
import {RestartLimiter} from '../../../../src/run/edits/restart-limiter.ts'
import {TestClock} from '../../../rig/clock.ts'

const open = (): {limiter: RestartLimiter; clock: TestClock; reloads: () => number; named: string[]} => {
  const clock = new TestClock()
  const named: string[] = []
  let reloads = 0
  const limiter = new RestartLimiter(
    () => reloads++,
    file => named.push(file),
    clock
  )
  return {limiter, clock, named, reloads: () => reloads}
}

t.test('thirty restarts within 60 s are the most; the file that changed most is named, once', async t => {
  const {limiter, clock, named, reloads} = open()
  for (let i = 0; i < 40; i++) {
    limiter.changed(i % 4 === 0 ? ['src/app.js'] : ['cache.json'])
    clock.pass(1000)
  }
  t.equal(reloads(), 30)
  t.same(named, ['cache.json'])
})

t.test('ten quiet seconds lift it, and what changed meanwhile is not forgotten', async t => {
  const {limiter, clock, reloads, named} = open()
  for (let i = 0; i < 31; i++) limiter.changed(['a'])
  clock.pass(9999)
  limiter.changed(['a'])
  clock.pass(9999)
  t.equal(reloads(), 30)
  clock.pass(1)
  t.equal(reloads(), 31)
  limiter.changed(['a'])
  t.equal(reloads(), 32)
  t.equal(named.length, 1)
})

t.test('a restart by hand lifts it', async t => {
  const {limiter, clock, reloads} = open()
  for (let i = 0; i < 31; i++) limiter.changed(['a'])
  limiter.lift()
  clock.pass(20_000)
  t.equal(reloads(), 30, 'what was pending is what he has just restarted for')
  limiter.changed(['a'])
  t.equal(reloads(), 31)
})

t.test('a restart every two seconds and a bit is no storm', async t => {
  const {limiter, clock, reloads, named} = open()
  for (let i = 0; i < 100; i++) {
    limiter.changed(['a'])
    clock.pass(2100)
  }
  t.equal(reloads(), 100)
  t.same(named, [])
})

t.test('of an app that writes new files for ever nothing more is kept while its restarts are suspended', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heap = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  const {limiter, named} = open()
  for (let i = 0; i < 31; i++) limiter.changed(['cache.json'])
  const before = heap()
  for (let i = 0; i < 200_000; i++) limiter.changed([`cache-${i}`])
  t.ok(heap() - before < 4_000_000, `${heap() - before} bytes more`)
  t.same(named, ['cache.json'])
  t.equal(limiter.isSuspended, true)
})
