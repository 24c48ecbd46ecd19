import t from 'tap'
import {flagDuration, sinceOf} from '../../../../src/clients/cli/since.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')

t.test('so long ago', async t => {
  for (const [text, ms] of [
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['2d', 172_800_000],
    ['0s', 0]
  ] as const)
    t.equal(sinceOf(text, NOW), NOW - ms, text)
})

t.test('a time, local unless it names its zone', async t => {
  t.equal(sinceOf('2026-11-20T11:00:00Z', NOW), Date.UTC(2026, 10, 20, 11))
  t.equal(sinceOf('2026-11-20T11:00:00+01:00', NOW), Date.UTC(2026, 10, 20, 10))
  t.equal(sinceOf('2026-11-20 11:00:30.5Z', NOW), Date.UTC(2026, 10, 20, 11, 0, 30, 500))
  t.equal(sinceOf('2026-11-20 11:00', NOW), new Date(2026, 10, 20, 11).getTime())
  t.equal(sinceOf('2026-11-20', NOW), new Date(2026, 10, 20).getTime())
})

t.test('anything else is a wrong word', async t => {
  for (const text of [
    '',
    ...'yesterday 10 10x -5m 2026-13-01 2026-02-30'.split(' '),
    '2026-02-30 11:00',
    '11:00',
    '2026-11-20T11',
    'm'
  ])
    t.throws(
      () => sinceOf(text, NOW),
      {message: `invalid argument "${text}" for "--since" flag: expected a duration`},
      text
    )
})

t.test('a number alone is no time: templates count seconds, other programs ms', async t => {
  t.equal(flagDuration('timeout', '1m30s'), 90_000)
  t.throws(() => flagDuration('timeout', '200'), {
    message: 'invalid argument "200" for "--timeout" flag: expected a duration up to 24 days (200ms or 200s)'
  })
  for (const text of ['0', '0s', '25d', 'soon', ''])
    t.throws(() => flagDuration('timeout', text), {message: '(90s, 5m)'}, text)
})
