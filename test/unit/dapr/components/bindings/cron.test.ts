import t from 'tap'
import type {Schedule} from '../../../../../src/work/schedule/schedule.ts'
import {atEachTime} from '../../../../../src/dapr/components/bindings/cron.ts'

/** A time that stands until it is moved on; a machine that sleeps moves it without its timers. */
class Time {
  now = 1_000_000
  readonly timers = new Map<symbol, {readonly at: number; readonly fire: () => void}>()

  after(ms: number, fire: () => void): () => void {
    const key = Symbol('timer')
    this.timers.set(key, {at: this.now + ms, fire})
    return () => void this.timers.delete(key)
  }

  pass(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const [key, timer] = [...this.timers].toSorted(([, a], [, b]) => a.at - b.at)[0] ?? []
      if (key === undefined || timer === undefined || timer.at > end) break
      this.timers.delete(key)
      this.now = Math.max(this.now, timer.at)
      timer.fire()
    }
    this.now = end
  }
}

const every = (ms: number): {readonly next: (after: number) => number} => ({next: after => after + ms})

const open = () => {
  const time = new Time()
  const clock = {date: () => time.now, after: (ms: number, fire: () => void) => time.after(ms, fire)}
  return {time, add: (schedule: Schedule, fire: () => void) => atEachTime(schedule, fire, clock)}
}

t.test('a schedule that has ended does not fire, and leaves no timer', async t => {
  const {time, add} = open()
  let fired = 0
  const end = add(every(1000), () => void fired++)
  time.pass(2500)
  end()
  t.equal(time.timers.size, 0)
  time.pass(2500)
  t.equal(fired, 2)
})

t.test('what was slept over comes once, within a minute of waking', async t => {
  const {time, add} = open()
  let fired = 0
  add(every(600_000), () => void fired++)
  time.now += 3_600_000 // asleep: timers stand still
  for (const [key, {at, fire}] of time.timers) time.timers.set(key, {at: at + 3_600_000, fire})
  time.pass(60_000)
  t.equal(fired, 1)
  time.pass(600_000)
  t.equal(fired, 2)
})

t.test('a clock that is set back by an hour silences nothing for more than a minute', async t => {
  const {time, add} = open()
  let fired = 0
  add(every(5000), () => void fired++)
  time.pass(5000)
  time.now -= 3_600_000 // timers run on: they know nothing of the clock
  for (const [key, {at, fire}] of time.timers) time.timers.set(key, {at: at - 3_600_000, fire})
  time.pass(125_000)
  t.ok(fired > 20, `${fired} times`)
})

t.test('a schedule without a next time never fires', async t => {
  const {time, add} = open()
  add({next: () => undefined}, () => t.fail('it has fired'))
  time.pass(600_000)
  t.pass()
})
