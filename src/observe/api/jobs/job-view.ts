import type * as Api from '../../../model/api.generated.ts'
import type {Job} from '../../../work/job/job.ts'
import type {FailurePolicy} from '../../../work/series/series.ts'
import {timeText} from '../workflows/instance-view.ts'

/** Returns a job without its data. */
export function jobView(job: Job): Api.Job {
  const {key, app, name, schedule, dueTime, ttl, repeats, begin, expires, planned, count, last, attempts, answer} = job
  return {
    number: key,
    app,
    name,
    schedule: schedule ?? null,
    dueTime: dueTime ?? null,
    ttl: ttl ?? null,
    repeats: repeats ?? null,
    begin: timeText(begin),
    expires: timeOrNull(expires),
    next: timeOrNull(planned),
    count,
    last: timeOrNull(last),
    attempts,
    state: job.isPaused ? 'paused' : job.isDue ? 'due' : 'waits',
    answer
  }
}

export const timeOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : timeText(ms))

/** Describes the reaction to a failure. */
export const policyText = (policy: FailurePolicy): string =>
  policy.kind === 'drop'
    ? 'drop'
    : `${policy.maxRetries === undefined ? 'tries without end' : `${policy.maxRetries} more tries`}, ${policy.intervalMs} ms apart`
