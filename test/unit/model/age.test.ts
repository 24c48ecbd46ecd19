import t from 'tap'
import {age, created} from '../../../src/model/duration.ts'

t.test('an age is told in its largest unit, up to and with sixty of the smaller one', async t => {
  for (const [seconds, text] of [
    [-1, '0s'],
    [0.9, '0s'],
    [12, '12s'],
    [60, '60s'],
    [61, '1m'],
    [3600, '60m'],
    [3601, '1h'],
    [86_400, '24h'],
    [86_401, '1d'],
    [200_000, '2d']
  ] as const)
    t.equal(age(seconds * 1000), text)
})

t.test("a time of birth is local, with Dapr's dot before the seconds", async t => {
  t.equal(created(new Date(2026, 6, 3, 4, 5, 6)), '2026-07-03 04:05.06')
})
