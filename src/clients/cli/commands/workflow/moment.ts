import {parseGoDuration} from '../../../../files/resources/go-duration.ts'
import {readTime} from '../../../../model/duration.ts'
import {UsageError} from '../../command-handler.ts'

/** A date, after which the time of day, and after that the zone (UTC), may be left out. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/i

/** Reads a time, or a duration of Go (`1h30m`) that is added to now, or for what is past taken off, in ms since 1970. Throws a UsageError. */
export function readMoment(text: string, flag: string, {isPast, now}: {isPast: boolean; now: number}): number {
  const duration = /[a-zµμ]$/.test(text) ? parseGoDuration(text) : ''
  if (typeof duration === 'number') return isPast ? now - duration : now + duration
  const [, day = '', hour = '00:00', zone = 'Z'] = TIME.exec(text) ?? []
  const time = readTime(`${day}T${hour}${zone}`)
  if (!Number.isNaN(time)) return time
  throw new UsageError(
    `invalid argument "${text}" for "--${flag}" flag: expected a duration (2h45m) or a time (2023-01-02T15:04:05Z)`
  )
}
