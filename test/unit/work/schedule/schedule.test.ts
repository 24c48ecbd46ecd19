import t from 'tap'
import {parseSchedule} from '../../../../src/work/schedule/schedule.ts'

/** The next times after one, as texts in UTC. */
const timesOf = (spec: string, from: string, count: number): readonly string[] => {
  const schedule = parseSchedule(spec)
  const times: string[] = []
  let time: number | undefined = Date.parse(from)
  while (times.length < count) {
    time = schedule.next(time)
    if (time === undefined) break
    times.push(new Date(time).toISOString().replace('.000Z', 'Z'))
  }
  return times
}

t.test('the next times of a schedule', async t => {
  const cases: readonly (readonly [spec: string, from: string, times: readonly string[]])[] = [
    ['TZ=UTC 5/15 * * * *', '2026-11-20T10:05:00Z', ['2026-11-20T10:20:00Z', '2026-11-20T10:35:00Z']],
    ['TZ=UTC */20 * * * * *', '2026-11-20T10:05:20.400Z', ['2026-11-20T10:05:40Z', '2026-11-20T10:06:00Z']],
    ['TZ=UTC 0 0 29 2 *', '2026-11-20T00:00:00Z', ['2028-02-29T00:00:00Z']],
    // both kinds of days are named: either is enough
    [
      'CRON_TZ=UTC 0 0 1 * mon',
      '2026-11-20T00:00:00Z',
      ['2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z', '2026-12-01T00:00:00Z']
    ],
    ['CRON_TZ=UTC 0 12 ? jan-MAR sat', '2026-03-28T13:00:00Z', ['2027-01-02T12:00:00Z']],
    ['CRON_TZ=Asia/Kolkata 0 6 * * *', '2026-11-20T00:00:00Z', ['2026-11-20T00:30:00Z', '2026-11-21T00:30:00Z']],
    // left out when clocks are put forward, twice when they are put back
    ['TZ=America/New_York 30 2 * * *', '2026-03-08T00:00:00Z', ['2026-03-09T06:30:00Z']],
    [
      'TZ=America/New_York 30 1 * * *',
      '2026-11-01T00:00:00Z',
      ['2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z', '2026-11-02T06:30:00Z']
    ],
    // put back at one minute past midnight, into the day before
    [
      'TZ=America/St_Johns @weekly',
      '2010-11-07T00:00:00Z',
      ['2010-11-07T02:30:00Z', '2010-11-07T03:30:00Z', '2010-11-14T03:30:00Z']
    ],
    [
      'TZ=America/St_Johns 0,1,2,30 0 * * *',
      '2010-11-07T02:00:00Z',
      [
        '2010-11-07T02:30:00Z',
        '2010-11-07T03:30:00Z',
        '2010-11-07T03:31:00Z',
        '2010-11-07T03:32:00Z',
        '2010-11-07T04:00:00Z'
      ]
    ],
    // and put forward there: the hour from 0:01 on is left out, what follows is not
    ['TZ=America/St_Johns 30 1 * * *', '2010-03-14T03:00:00Z', ['2010-03-14T04:00:00Z', '2010-03-15T04:00:00Z']],
    ['TZ=America/St_Johns 0,1,2,30 0 * * *', '2010-03-14T03:00:00Z', ['2010-03-14T03:30:00Z', '2010-03-15T02:30:00Z']],
    // a day that starts at one o'clock
    ['TZ=America/Sao_Paulo 0 1 4 11 *', '2018-11-01T00:00:00Z', ['2018-11-04T03:00:00Z']],
    ['TZ=UTC @weekly', '2026-11-20T00:00:00Z', ['2026-11-22T00:00:00Z', '2026-11-29T00:00:00Z']],
    ['CRON_TZ=UTC @hourly', '2026-11-20T23:59:59Z', ['2026-11-21T00:00:00Z']],
    ['@every 1h30m', '2026-11-20T00:00:10Z', ['2026-11-20T01:30:10Z', '2026-11-20T03:00:10Z']],
    // leap days; where the next one is eight years away there is none within five, as in Dapr
    ['TZ=UTC 0 0 29 2 *', '2026-11-20T00:00:00Z', ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z']],
    ['TZ=UTC 0 0 29 2 *', '2096-03-01T00:00:00Z', []],
    ['@every 1ms', '2026-11-20T00:00:00Z', ['2026-11-20T00:00:00.001Z']],
    ['0 0 30 2 *', '2026-11-20T00:00:00Z', []]
  ]
  for (const [spec, from, times] of cases) t.same(timesOf(spec, from, Math.max(1, times.length)), times, spec)
})

t.test('what is no schedule, in the words of Dapr', async t => {
  const cases: readonly (readonly [spec: string, why: string])[] = [
    ['often', 'expected 5 to 6 fields, found 1: [often]'],
    ['* * * * * * *', 'expected 5 to 6 fields, found 7: [* * * * * * *]'],
    ['CRON_TZ=UTC', 'expected 5 to 6 fields, found 0: []'],
    ['61 * * * *', 'end of range (61) above maximum (59): 61'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['-1 * * * *', 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'],
    ['*/-5 * * * *', 'negative number (-5) not allowed: -5'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['*/2/3 * * * *', 'too many slashes: */2/3'],
    [', * * * *', 'no value in field: ,'],
    ['@often', 'unrecognized descriptor: @often'],
    ['@every 90', 'failed to parse duration @every 90: time: missing unit in duration "90"'],
    ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
    ['@every 0s', 'failed to parse duration @every 0s: it must be 1ms or more'],
    ['TZ=No/Where * * * * *', 'provided bad location No/Where: unknown time zone No/Where']
  ]
  for (const [spec, why] of cases) t.throws(() => parseSchedule(spec), {message: why}, spec)
})
