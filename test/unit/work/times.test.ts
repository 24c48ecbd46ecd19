import t from 'tap'
import {dueTimeOf, periodOf} from '../../../src/work/times.ts'

/** Times that a Date takes for others. */
const NO_DATES = ['2026-02-30T12:00:00Z', '2025-02-29T12:00:00+02:00', '2026-04-31T00:00:00.5Z', '2026-01-01T24:00:00Z']

t.test('what no date can hold is no time: nothing would ever be due, and what waits behind it neither', async t => {
  const now = Date.parse('2026-01-31T12:00:00Z')
  t.equal(dueTimeOf('P1M', now), Date.parse('2026-03-03T12:00:00Z'), 'as Go adds months')
  t.equal(dueTimeOf('P100Y', now), Date.parse('2126-01-31T12:00:00Z'))
  for (const text of ['P999999Y', 'P99999999999D', 'PT99999999999999H', '2026-13-45T00:00:00Z', ...NO_DATES])
    t.throws(() => dueTimeOf(text, now), {message: /unsupported/}, text)
  for (const text of ['P999999Y', 'R3/P999999Y', 'R3/1h'])
    t.throws(() => periodOf(text), {message: /unsupported/}, text)
  t.equal(dueTimeOf('2024-02-29T23:59:59,5+01:00', now), Date.parse('2024-02-29T22:59:59.5Z'))
  t.strictSame(periodOf('R3/PT1S'), {step: {months: 0, days: 0, ms: 1000}, repeats: 3})
})
