import {readTime} from '../../model/duration.ts'
import {ownOf} from '../../model/own.ts'
import {UsageError} from './command-handler.ts'

const UNITS = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000} as const

const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
/** A longer time does not fit into a timer (setTimeout). */
const MAX_MS = 24 * UNITS.d

/**
 * Parses `--since` into ms since 1970: a duration before now (`10m`, `1h30m`, `2d`), or a date with or without a time of
 * day, in local time unless a time zone follows. Throws a UsageError.
 */
export function sinceOf(text: string, now: number): number {
  if (DURATION.test(text)) return now - durationOf(text)
  const [, day = '', hour = '00:00', zone = ''] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/i.exec(text) ?? []
  const time = readTime(`${day}T${hour}${zone}`)
  if (!Number.isNaN(time)) return time
  throw new UsageError(
    `invalid argument "${text}" for "--since" flag: expected a duration (10m, 1h30m) or a time (2006-01-02 15:04:05)`
  )
}

/** Returns the duration of a flag, in ms. Throws a UsageError, also for a number alone: templates count seconds, other programs ms. */
export function flagDuration(name: string, text: string): number {
  const ms = DURATION.test(text) ? durationOf(text) : 0
  if (ms > 0 && ms <= MAX_MS) return ms
  const example = Number(text) > 0 ? `${text}ms or ${text}s` : '90s, 5m'
  throw new UsageError(
    `invalid argument "${text}" for "--${name}" flag: expected a duration up to 24 days (${example})`
  )
}

function durationOf(text: string): number {
  let ms = 0
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)(ms|s|m|h|d)/g))
    ms += Number(amount) * (ownOf(UNITS, unit) ?? 0)
  return ms
}
