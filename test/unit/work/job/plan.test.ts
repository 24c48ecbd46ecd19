import t from 'tap'
import type {JobRequest} from '../../../../src/work/job/job.ts'
import {jobSchedule, latestDue, MAX_COUNTED, planOf} from '../../../../src/work/job/plan.ts'

const NOW = Date.parse('2026-01-31T10:00:00Z')
const plan = (request: Partial<JobRequest>) => planOf({name: 'j', ...request}, NOW)
const at = (text: string): number => Date.parse(text)

t.test('due times and ttls: RFC 3339, Go’s durations, ISO 8601', async t => {
  for (const [dueTime, first] of [
    ['2030-01-01T00:00:00Z', at('2030-01-01T00:00:00Z')],
    ['2030-01-01T01:00:00.5+01:00', at('2030-01-01T00:00:00.5Z')],
    ['1.5h', NOW + 5_400_000],
    ['-5s', NOW - 5000],
    ['0s', NOW],
    ['PT10S', NOW + 10_000],
    ['P1DT1H', NOW + 90_000_000],
    ['P1W', NOW + 7 * 86_400_000]
  ] as const)
    t.equal(plan({dueTime}).first, first, dueTime)
  t.equal(plan({schedule: '@every 1h', ttl: '2h'}).expires, NOW + 7_200_000)
  t.equal(plan({schedule: '@every 1h', dueTime: '1h', ttl: '2h'}).expires, NOW + 10_800_000)
  t.equal(plan({schedule: '@every 1h', dueTime: '1h', ttl: '0s'}).expires, NOW + 3_600_000)
})

t.test('the first tick: at the due time, else at the next time of the schedule', async t => {
  t.equal(plan({schedule: '@every 90s'}).first, NOW + 90_000)
  t.equal(plan({schedule: 'TZ=UTC 0 30 10 * * *'}).first, at('2026-01-31T10:30:00Z'))
  t.equal(plan({schedule: 'CRON_TZ=Asia/Tokyo 0 0 9 * * *'}).first, at('2026-02-01T00:00:00Z'))
  t.equal(plan({schedule: '@every 1h', dueTime: '5s'}).first, NOW + 5000)
  t.equal(plan({schedule: 'TZ=UTC 0 0 0 31 2 *'}).first, undefined)
  t.equal(plan({schedule: '@every 100ms'}).first, NOW + 100)
})

t.test('plans that Dapr refuses, in its words', async t => {
  for (const [request, why] of [
    [{dueTime: '1s', repeats: 2}, 'job must have a schedule to repeat'],
    [{schedule: '@daily', repeats: 0}, 'defined repeats must be greater than 0'],
    [{dueTime: '1s', ttl: '2s'}, 'job must have a schedule to have a ttl'],
    [{schedule: '@daily', ttl: 'soon'}, 'ttl format not recognized'],
    [{schedule: '@daily', dueTime: '5s', ttl: '2020-01-01T00:00:00Z'}, 'ttl must be greater than due time'],
    [{dueTime: 'tomorrow'}, 'due time format not recognized'],
    [{dueTime: '5'}, 'due time format not recognized'],
    [{dueTime: 'R/PT1H'}, 'due time format not recognized'],
    [{dueTime: 'P999999Y'}, 'due time format not recognized'],
    [{dueTime: '2026-13-45T00:00:00Z'}, 'due time format not recognized'],
    [{dueTime: 'R3/PT1H'}, 'repeats not supported for due time'],
    [{schedule: ''}, 'empty spec string'],
    [{schedule: '30 * * * *'}, 'expected exactly 6 fields, found 5: [30 * * * *]'],
    [{schedule: ' @daily'}, 'expected exactly 6 fields, found 1: [@daily]'],
    [{schedule: '60 * * * * *'}, 'end of range (60) above maximum (59): 60'],
    [{schedule: '0 0 0 * * 7'}, 'end of range (7) above maximum (6): 7'],
    [{schedule: '30-10 * * * * *'}, 'beginning of range (30) beyond end of range (10): 30-10'],
    [{schedule: '*/0 * * * * *'}, 'step of range should be a positive number: */0'],
    [{schedule: '@Daily'}, 'unrecognized descriptor: @Daily'],
    [{schedule: '@reboot'}, 'unrecognized descriptor: @reboot'],
    [{schedule: 'TZ=Not/AZone 0 0 0 * * *'}, 'provided bad location Not/AZone: unknown time zone Not/AZone'],
    [{schedule: 'CRON_TZ=UTC'}, 'timezone prefix CRON_TZ=UTC is not followed by a schedule'],
    [{schedule: 'TZ=UTC @every 1h'}, 'timezone is not supported for @every schedules: TZ=UTC @every 1h']
  ] as const)
    t.throws(() => plan(request), {message: `job failed validation: ${why}`}, why)
  for (const schedule of ['@every 0s', '@every -1s', '@every PT1H', '@every 5'])
    t.throws(() => plan({schedule}), {message: /^job failed validation: failed to parse duration @every/}, schedule)
  t.equal(plan({dueTime: '1s', repeats: 1}).first, NOW + 1000, 'one repeat needs no schedule')
})

t.test('of ticks that were missed the latest one comes', async t => {
  const hourly = jobSchedule('TZ=UTC 0 0 * * * *')
  t.strictSame(latestDue(hourly, at('2026-01-31T01:00:00Z'), NOW), {at: NOW, passed: 9})
  t.strictSame(latestDue(hourly, NOW, NOW + 3_599_999), {at: NOW, passed: 0})
  const fast = jobSchedule('@every 1ms')
  t.strictSame(latestDue(fast, NOW - 1e9, NOW), {at: NOW, passed: 1e9})
})

t.test('ticks that were missed for months are not looked for one by one', async t => {
  const schedule = jobSchedule('TZ=UTC 0 * * * * *')
  let asked = 0
  const counted = {next: (after: number) => (asked++, schedule.next(after))}
  const found = latestDue(counted, at('2020-01-01T00:00:00Z'), NOW + 30_000)
  t.strictSame(found, {at: NOW, passed: MAX_COUNTED})
  t.ok(asked < MAX_COUNTED + 100, `${asked} times`)
  const rare = jobSchedule('TZ=UTC 0 0 0 29 2 *')
  t.strictSame(latestDue(rare, at('2012-02-29T00:00:00Z'), NOW), {at: at('2024-02-29T00:00:00Z'), passed: 3})
})
