import t from 'tap'
import {windowOf} from '../../../../src/clients/cli/commands/replay.ts'

const NOW = new Date(2026, 0, 31, 14, 47).getTime()
const at = (...time: readonly [number, number, number?, number?]): string =>
  new Date(2026, 0, 31, ...time).toISOString()

t.test('a window is a time until now, numbers of calls, or times of today', async t => {
  t.same(windowOf('30s', NOW), {from: at(14, 46, 30)})
  t.same(windowOf('1.5m', NOW), {from: at(14, 45, 30)})
  t.same(windowOf('1.5m..0.5m', NOW), {from: at(14, 45, 30), to: at(14, 46, 30)})
  t.same(windowOf('120..180', NOW), {from: 120, to: 180})
  t.same(windowOf('120..', NOW), {from: 120})
  t.same(windowOf('14:46:20..14:46:30.5', NOW), {from: at(14, 46, 20), to: at(14, 46, 30, 500)})
  t.same(windowOf('14:46:20.25..14:47', NOW), {from: at(14, 46, 20, 250), to: at(14, 47)})
  t.same(windowOf('14:46', NOW), {from: at(14, 46)})
  t.same(windowOf('2026-01-31T14:00', NOW), {from: at(14, 0)})
  for (const wrong of ['', ...'7 soon .. ..7 1..x x..1 1...2 25 0..7 1..2..3 24:00 14:60'.split(' ')])
    t.throws(() => windowOf(wrong, NOW), /invalid argument .* for "--window" flag: expected a duration/, wrong)
})
