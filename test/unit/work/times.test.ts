import t from 'tap'
import {dueTimeOf, periodOf} from '../../../src/work/times.ts'

t.test('what no date can hold is no time: nothing would ever be due, and what waits behind it neither', t => {
  const now = Date.parse('2026-01-31T12:00:00Z')
  t.equal(dueTimeOf('P1M', now), Date.parse('2026-03-03T12:00:00Z'), 'as Go adds months')
  t.equal(dueTimeOf('P100Y', now), Date.parse('2126-01-31T12:00:00Z'))
  for (const text of ['P999999Y', 'P99999999999D', 'PT99999999999999H', '2026-13-45T00:00:00Z'])
    t.throws(() => dueTimeOf(text, now), {message: /unsupported/}, text)
  for (const text of ['P999999Y', 'R3/P999999Y', 'R3/1h'])
    t.throws(() => periodOf(text), {message: /unsupported/}, text)
  t.strictSame(periodOf('R3/PT1S'), {step: {months: 0, days: 0, ms: 1000}, repeats: 3})
  t.end()
})
