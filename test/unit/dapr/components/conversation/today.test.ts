import t from 'tap'
import {withoutDay} from '../../../../../src/dapr/components/conversation/today.ts'

t.test('the date of the day is one word, and other dates stay', async t => {
  const withoutToday = withoutDay(new Date('2026-11-22T12:00:00Z'))
  for (const [text, kept] of [
    ["Today's date is: November 22, 2026\n", "Today's date is: <today>\n"],
    ['22 November 2026, Nov 22, 2026', '<today>, <today>'],
    ['on 2026-11-22.', 'on <today>.'],
    ['at 2026-11-22T20:25:28.420000+00:00 or 2026-11-22 20:25', 'at <today> or <today>'],
    ['2026-11-23 and November 21, 2026', '2026-11-23 and November 21, 2026'],
    ['12026-11-22', '12026-11-22']
  ] as const)
    t.equal(withoutToday(text), kept)
})

t.test('as programs write it: with a weekday, a day of two digits, or no comma', async t => {
  const withoutToday = withoutDay(new Date('2026-12-05T12:00:00Z'))
  for (const [text, kept] of [
    ["Today's date is: December 05, 2026", "Today's date is: <today>"],
    ['December 5, 2026, 05 December 2026', '<today>, <today>'],
    ['Saturday, December 05, 2026; Sat, 5 Dec 2026; Sat Dec 05 2026', '<today>; <today>; <today>'],
    ['It is Saturday 2026-12-05 12:00.', 'It is <today>.'],
    ['Friday, December 15, 2026; December 6, 2026', 'Friday, December 15, 2026; December 6, 2026']
  ] as const)
    t.equal(withoutToday(text), kept)
})

t.test('in September, and with a time behind it', async t => {
  const withoutToday = withoutDay(new Date('2026-09-05T12:00:00Z'))
  for (const text of [
    '5 Sep 2026',
    '5 Sept 2026',
    'Sep 05, 2026',
    '05 September 2026',
    'Saturday, September 5, 2026 12:00',
    'Sat, 05 Sep 2026 12:00:00'
  ])
    t.equal(withoutToday(`It is ${text}.`), 'It is <today>.', text)
  t.equal(withoutToday(new Date('2026-09-05T12:00:00Z').toUTCString()), '<today> GMT')
})
