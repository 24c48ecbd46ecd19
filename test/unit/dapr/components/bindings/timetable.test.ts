import t from 'tap'
import {Timetable} from '../../../../../src/dapr/components/bindings/cron.ts'

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

const open = (): {time: Time; timetable: Timetable} => {
  const time = new Time()
  return {time, timetable: new Timetable({date: () => time.now, after: (ms, fire) => time.after(ms, fire)})}
}

t.test('many schedules have one timer, and none when all have ended', async t => {
  const {time, timetable} = open()
  let fired = 0
  const ends = Array.from({length: 1000}, (_, at) => timetable.add(every(3_600_000 + at), () => void fired++))
  t.equal(time.timers.size, 1)
  time.pass(3_600_000 + 499)
  t.equal(fired, 500)
  t.equal(time.timers.size, 1)
  for (const end of ends) end()
  t.equal(time.timers.size, 0)
})

t.test('a shorter one that comes later is not kept waiting, one that has ended does not fire', async t => {
  const {time, timetable} = open()
  const fired: string[] = []
  timetable.add(every(5000), () => fired.push('long'))
  const end = timetable.add(every(1000), () => fired.push('short'))
  time.pass(2500)
  end()
  time.pass(2500)
  t.same(fired, ['short', 'short', 'long'])
})

t.test('what was slept over comes once, within a minute of waking', async t => {
  const {time, timetable} = open()
  let fired = 0
  timetable.add(every(600_000), () => void fired++)
  time.now += 3_600_000 // asleep: timers stand still
  for (const [key, {at, fire}] of time.timers) time.timers.set(key, {at: at + 3_600_000, fire})
  time.pass(60_000)
  t.equal(fired, 1)
  time.pass(600_000)
  t.equal(fired, 2)
})

t.test('a clock that is set back by an hour silences nothing for more than a minute', async t => {
  const {time, timetable} = open()
  let fired = 0
  timetable.add(every(5000), () => void fired++)
  time.pass(5000)
  time.now -= 3_600_000 // timers run on: they know nothing of the clock
  for (const [key, {at, fire}] of time.timers) time.timers.set(key, {at: at - 3_600_000, fire})
  time.pass(125_000)
  t.ok(fired > 20, `${fired} times`)
})

t.test('a schedule without a next time never fires', async t => {
  const {time, timetable} = open()
  timetable.add({next: () => undefined}, () => t.fail('it has fired'))
  time.pass(600_000)
  t.pass()
})
