import t from 'tap'
import {Backoff} from '../../../../../../src/proxy/gateway/interceptors/resiliency/backoff.ts'
import {BUILT_IN_RETRY} from '../../../../../../src/files/resources/defaults.ts'
import type {RetryPolicy} from '../../../../../../src/files/resources/resiliency/policies.ts'

const pauses = (policy: Partial<RetryPolicy>, count: number, random = 0.5): (number | undefined)[] => {
  let now = 0
  const backoff = new Backoff({...BUILT_IN_RETRY, ...policy}, {startedAt: 0, now: () => now, random: () => random})
  return Array.from({length: count}, () => {
    const pause = backoff.next()
    now += pause ?? 0
    return pause
  })
}

t.test('constant pauses, as many as the policy allows', async t => {
  t.strictSame(pauses({durationMs: 10, maxRetries: 3}, 4), [10, 10, 10, undefined])
  t.strictSame(pauses({durationMs: 10, maxRetries: 0}, 1), [undefined])
  t.equal(pauses({durationMs: 600_000, maxRetries: -1}, 100).at(-1), 600_000, 'without limit and without an end')
})

t.test('exponential pauses grow by half, up to the longest, and vary by half', async t => {
  const policy = {policy: 'exponential', maxIntervalMs: 1500, maxRetries: 6} as const
  t.strictSame(pauses(policy, 7), [500, 750, 1125, 1500, 1500, 1500, undefined])
  t.strictSame(pauses(policy, 2, 0), [250, 375])
  t.strictSame(pauses(policy, 2, 1), [750, 1125])
  t.strictSame(pauses({...policy, maxIntervalMs: 100}, 2), [500, 100], 'the first is not limited')
})

t.test('an exponential policy gives up after 15 minutes', async t => {
  const all = pauses({policy: 'exponential', maxIntervalMs: 60_000, maxRetries: -1}, 40)
  const given = all.filter(pause => pause !== undefined)
  const total = given.reduce((sum, pause) => sum + pause, 0)
  t.ok(total <= 900_000 && total > 840_000, total.toString())
  t.equal(all[given.length], undefined)
})
