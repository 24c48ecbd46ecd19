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
