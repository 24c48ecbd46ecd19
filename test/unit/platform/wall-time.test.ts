import {globSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {ClockPair} from '../../../src/platform/wall-time.ts'

const ORIGIN = 1_000_000
const HOUR = 3_600_000

/** Two clocks: time passes on both, and the date is set, or goes on alone while the machine sleeps. */
const scene = () => {
  let [now, date] = [0, ORIGIN]
  const time = new ClockPair({now: () => now, date: () => date}, ORIGIN)
  return {time, pass: (ms: number): number => ((date += ms), (now += ms)), set: (ms: number): number => (date += ms)}
}

t.test('what began before a sleep keeps its date, what begins after it has that of then', async t => {
  const {time, pass, set} = scene()
  const before = pass(1000)
  time.note(before)
  set(HOUR)
  const after = pass(10)
  time.note(after)
  pass(500)
  t.equal(time.of(before), ORIGIN + 1000)
  t.equal(time.of(after), ORIGIN + 1010 + HOUR)
  t.equal(time.at(ORIGIN + 1000), before)
  t.equal(time.at(ORIGIN + 1010 + HOUR), after)
  t.equal(time.at(ORIGIN + HOUR / 2), after, 'it slept')
})

t.test('a step back, and a call that had waited for a caller', async t => {
  const {time, pass, set} = scene()
  const before = pass(2 * HOUR)
  set(-HOUR)
  const after = pass(10)
  pass(200)
  time.note(after)
  t.equal(time.of(before), ORIGIN + 2 * HOUR)
  t.equal(time.of(after), ORIGIN + HOUR + 10)
  const late = pass(10)
  pass(200)
  time.note(late)
  t.equal(time.of(late), ORIGIN + HOUR + 220, 'no step: it is only told late')
})

t.test('small differences are none, and as many sleeps as one likes need no endless memory', async t => {
  const {time, pass, set} = scene()
  set(20)
  t.equal(time.of(pass(1)), ORIGIN + 1)
  for (let night = 0; night < 3000; night++) {
    set(HOUR)
    time.note(pass(1000))
  }
  t.equal(time.of(pass(0)), ORIGIN + 20 + 3000 * HOUR + 3_000_001)
})

t.test('no other file dates what performance.now() has measured', async t => {
  const source = join(import.meta.dirname, '../../../src')
  const files = globSync('**/*.ts', {cwd: source}).filter(file => !file.endsWith('wall-time.ts'))
  t.ok(files.length > 100)
  t.same(
    files.filter(file => readFileSync(join(source, file), 'utf8').includes('timeOrigin')),
    []
  )
})
