import {messageOf} from '../../model/errors.ts'
import {parseSchedule, type Schedule} from '../schedule/schedule.ts'
import {after, latest, strideIn, timeAt} from '../times.ts'
import {JobError, type JobRequest} from './job.ts'

/** The first firing and the end of a new job, in ms since 1970. */
interface JobPlan {
  /** Time of the first firing; undefined: the job never fires. */
  readonly first: number | undefined
  /** Time after which the job does not fire; undefined: it does not expire. */
  readonly expires: number | undefined
}

/** Reads a time of RFC 3339 by the machine's clock, or a duration after `from` (dapr/kit: time, ParseTime); undefined: neither of them. */
function timeIn(text: string, from: number, aheadMs: number): number | 'repeated' | undefined {
  if (/^R\d+\//.test(text)) return strideIn(text.replace(/^R\d+\//, '')) && 'repeated'
  const stride = strideIn(text)
  const at = stride === undefined ? timeAt(text) + aheadMs : after(from, stride)
  return Number.isNaN(at) ? undefined : at
}

const refuse = (why: string): JobError => new JobError('invalid', `job failed validation: ${why}`)

/** Reads a schedule as Dapr's scheduler does: six fields, a descriptor, or `@every`. Throws a JobError. */
export function jobSchedule(text: string): Schedule {
  const [, zone = '', spec = text] = /^((?:CRON_)?TZ=\S*)\s*(.*)$/s.exec(text) ?? []
  if (text === '') throw refuse('empty spec string')
  if (zone !== '' && spec === '') throw refuse(`timezone prefix ${zone} is not followed by a schedule`)
  if (zone !== '' && spec.startsWith('@every')) throw refuse(`timezone is not supported for @every schedules: ${text}`)
  const fields = spec.split(/\s+/).filter(field => field !== '')
  if (!spec.startsWith('@') && fields.length !== 6)
    throw refuse(`expected exactly 6 fields, found ${fields.length}: [${fields.join(' ')}]`)
  try {
    return parseSchedule(text)
  } catch (error) {
    throw refuse(messageOf(error))
  }
}

/** Computes the first firing and the end of a job by the file's clock, which is ahead by `aheadMs`. Throws a JobError with Dapr's message. */
export function planOf({schedule, dueTime, ttl, repeats}: JobRequest, now: number, aheadMs = 0): JobPlan {
  if (repeats !== undefined && repeats < 1) throw refuse('defined repeats must be greater than 0')
  if (schedule === undefined && (repeats ?? 1) > 1) throw refuse('job must have a schedule to repeat')
  if (schedule === undefined && ttl !== undefined) throw refuse('job must have a schedule to have a ttl')
  const due = dueTime === undefined ? undefined : timeIn(dueTime, now, aheadMs)
  if (due === 'repeated') throw refuse('repeats not supported for due time')
  if (dueTime !== undefined && due === undefined) throw refuse('due time format not recognized')
  const expires = ttl === undefined ? undefined : timeIn(ttl, due ?? now, aheadMs)
  if (ttl !== undefined && typeof expires !== 'number') throw refuse('ttl format not recognized')
  const end = typeof expires === 'number' ? expires : undefined
  if (due !== undefined && end !== undefined && end < due) throw refuse('ttl must be greater than due time')
  const plan = schedule === undefined ? undefined : jobSchedule(schedule)
  return {first: due ?? plan?.next(now), expires: end}
}

/** Maximum number of missed ticks to count one by one: counting blocks the event loop. */
export const MAX_COUNTED = 1000

export const missedText = (count: number): string => (count === MAX_COUNTED ? `${count} or more` : String(count))

/** Finds the latest tick that is due by `now`, given a `planned` one that is due. `passed`: number of ticks before it, at most `MAX_COUNTED`. */
export function latestDue(
  schedule: Schedule,
  planned: number,
  now: number
): {readonly at: number; readonly passed: number} {
  if (schedule.step !== undefined) return latest(planned, {months: 0, days: 0, ms: schedule.step}, now)
  const isPassed = (next: number | undefined): next is number => next !== undefined && next <= now
  let [at, passed] = [planned, 0]
  for (let next = schedule.next(at); isPassed(next) && passed < MAX_COUNTED; next = schedule.next(at)) {
    at = next
    passed++
  }
  if (passed < MAX_COUNTED) return {at, passed}
  // bisects between `at`, a due tick, and `end`, after which no due tick follows
  let end = now
  while (end - at > 1) {
    const middle = Math.floor((at + end) / 2)
    const next = schedule.next(middle)
    if (isPassed(next)) at = next
    else end = middle
  }
  return {at, passed}
}
