import t from 'tap'
import {Storm} from '../../../../src/host/reload/storm.ts'
import {TestClock} from '../../../rig/clock.ts'

const open = (): {storm: Storm; clock: TestClock; reloads: () => number; named: string[]} => {
  const clock = new TestClock()
  const named: string[] = []
  let reloads = 0
  const storm = new Storm({clock, reload: () => reloads++, suspended: file => named.push(file)})
  return {storm, clock, named, reloads: () => reloads}
}

t.test('thirty restarts within 60 s are the most; the file that changed most is named, once', async t => {
  const {storm, clock, named, reloads} = open()
  for (let i = 0; i < 40; i++) {
    storm.changed(i % 4 === 0 ? ['src/app.js'] : ['cache.json'])
    clock.pass(1000)
  }
  t.equal(reloads(), 30)
  t.same(named, ['cache.json'])
})

t.test('ten quiet seconds lift it, and what changed meanwhile is not forgotten', async t => {
  const {storm, clock, reloads, named} = open()
  for (let i = 0; i < 31; i++) storm.changed(['a'])
  clock.pass(9999)
  storm.changed(['a'])
  clock.pass(9999)
  t.equal(reloads(), 30)
  clock.pass(1)
  t.equal(reloads(), 31)
  storm.changed(['a'])
  t.equal(reloads(), 32)
  t.equal(named.length, 1)
})

t.test('a restart by hand lifts it', async t => {
  const {storm, clock, reloads} = open()
  for (let i = 0; i < 31; i++) storm.changed(['a'])
  storm.lift()
  clock.pass(20_000)
  t.equal(reloads(), 30, 'what was pending is what he has just restarted for')
  storm.changed(['a'])
  t.equal(reloads(), 31)
})

t.test('a restart every two seconds and a bit is no storm', async t => {
  const {storm, clock, reloads, named} = open()
  for (let i = 0; i < 100; i++) {
    storm.changed(['a'])
    clock.pass(2100)
  }
  t.equal(reloads(), 100)
  t.same(named, [])
})
