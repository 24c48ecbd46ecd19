import {after, periodOf, TimeFault, dueTimeOf, type Period} from '../times.ts'

/** The times and the data of a timer or reminder, as the caller has written them. Times: '': omitted. */
export interface FiringRequest {
  readonly dueTime: string
  readonly period: string
  readonly ttl: string
  readonly callback: string
  /** JSON; undefined: omitted. */
  readonly data: string | undefined
}

/** The times of a timer or reminder in ms since 1970. */
export interface FiringTimes extends Period {
  readonly due: number
  /** Time after which it does not fire; undefined: it does not expire. */
  readonly expires: number | undefined
}

/** The error of a timer or reminder that cannot be set, with Dapr's message. */
export class FiringFault extends Error {}

const withPrefix = <T>(words: string, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw error instanceof TimeFault ? new FiringFault(`${words}: ${error.message}`) : error
  }
}

/** Reads the times of a request. Throws a FiringFault (Dapr: pkg/actors/api/reminder.go). */
export function timesOf(kind: 'timer' | 'reminder', name: string, request: FiringRequest, now: number): FiringTimes {
  const {dueTime, period: periodText, ttl} = request
  const given = dueTime === '' ? undefined : withPrefix(`error parsing ${kind} due time`, () => dueTimeOf(dueTime, now))
  const period = withPrefix(`invalid ${kind} period`, () => periodOf(periodText))
  if (kind === 'reminder') checkReminder(request, period)
  const due = given ?? (kind === 'reminder' && period.step !== undefined ? after(now, period.step) : now)
  const expires = ttl === '' ? undefined : withPrefix(`error parsing ${kind} TTL`, () => dueTimeOf(ttl, given ?? now))
  const earliest = kind === 'timer' ? Math.max(due, now) : given
  if (expires !== undefined && earliest !== undefined && expires < earliest)
    throw new FiringFault(`${kind} ${name} has already expired: dueTime: ${dueTime} TTL: ${ttl}`)
  return {...period, due, expires}
}

/** Throws a FiringFault for reminders that Dapr's scheduler cannot plan, or that would fire without a pause. */
function checkReminder({dueTime, period, ttl}: FiringRequest, {step}: Period): void {
  if (dueTime === '' && period === '') throw new FiringFault('job must have either a due time or a schedule')
  if (step !== undefined && (step.months !== 0 || step.days !== 0))
    throw new FiringFault(`unsupported period format: ${period}`)
  if (period !== '' && step === undefined)
    throw new FiringFault(`invalid reminder period: ${period} would fire without end: leave it out for one firing`)
  if (ttl !== '' && period === '') throw new FiringFault('a time to live needs a period')
}
