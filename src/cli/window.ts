import {sinceOf} from './since.ts'
import {UsageError} from './usage-error.ts'

/** The ends of a window as the API takes them: numbers of calls, or times (ISO 8601). */
export interface WindowEnds {
  readonly from: number | string
  readonly to?: number | string
}

/**
 * Parses `--window`: `30s` (until now), `120..180` (calls), `14:46:20..14:46:30` (today, in local time; the second one may be left out).
 * Throws a UsageError.
 */
export function windowOf(text: string, now: number): WindowEnds {
  const [, first = '', dots, second = ''] = /^([^.]+?(?:\.\d+)?)(?:(\.\.)(.*))?$/.exec(text) ?? []
  const from = endOf(first, now)
  const to = second === '' ? undefined : endOf(second, now)
  if (from === undefined || (second !== '' && to === undefined) || (dots === undefined && typeof from === 'number'))
    throw wrong(text)
  return to === undefined ? {from} : {from, to}
}

function endOf(text: string, now: number): number | string | undefined {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  const clock = /^(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?$/.exec(text)
  if (clock !== null) {
    const [hours = 0, minutes = 0, seconds = 0] = clock.slice(1, 4).map(part => Number(part ?? 0))
    return new Date(
      new Date(now).setHours(hours, minutes, seconds, Number((clock[4] ?? '').padEnd(3, '0')))
    ).toISOString()
  }
  try {
    return new Date(sinceOf(text, now)).toISOString()
  } catch {
    return undefined
  }
}

const wrong = (text: string): UsageError =>
  new UsageError(
    `invalid argument "${text}" for "--window" flag: expected a duration until now (30s), calls (120..180) or times (14:46:20..14:46:30)`
  )
