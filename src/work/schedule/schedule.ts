import {parseGoDuration} from '../../model/go-duration.ts'
import {TimeZone, type WallTime} from './time-zone.ts'
import {ownOf} from '../../model/own.ts'

export interface Schedule {
  /** Returns the next firing after an instant, in ms since 1970; undefined: none within five years. */
  next(after: number): number | undefined
  /** Interval of a schedule with `@every`, in ms. Omitted: the schedule has fields. */
  readonly step?: number
}

/** A field of a cron expression. */
interface Field {
  readonly values: ReadonlySet<number>
  /** Whether the field was written as `*` or `?`. */
  readonly isAny: boolean
}

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const BOUNDS: readonly Bounds[] = [
  {min: 0, max: 59},
  {min: 0, max: 59},
  {min: 0, max: 23},
  {min: 1, max: 31},
  {min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']},
  {min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']}
]

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *'
}

const EVERY = '@every '

/** Reads a cron expression of five fields, or six with seconds first, or a descriptor (dapr/kit: cron/parser.go). Throws an Error. */
export function parseSchedule(text: string): Schedule {
  const [, zoneName, rest = ''] = /^(?:CRON_)?TZ=(\S*)(.*)$/s.exec(text) ?? [undefined, undefined, text]
  const zone = zoneOf(zoneName)
  const spec = rest.trim()
  if (spec.startsWith(EVERY)) return every(spec)
  if (spec.startsWith('@') && ownOf(DESCRIPTORS, spec) === undefined)
    throw new Error(`unrecognized descriptor: ${spec}`)
  const fields = (ownOf(DESCRIPTORS, spec) ?? spec).split(/\s+/).filter(each => each !== '')
  if (fields.length < 5 || fields.length > 6)
    throw new Error(`expected 5 to 6 fields, found ${fields.length}: [${fields.join(' ')}]`)
  if (fields.length === 5) fields.unshift('0')
  const [second, minute, hour, day, month, weekday] = BOUNDS.map((bounds, at) =>
    readField(fields[at] ?? '', bounds)
  ) as [Field, Field, Field, Field, Field, Field]
  return new FieldSchedule({second, minute, hour, day, month, weekday}, zone)
}

function zoneOf(name: string | undefined): TimeZone {
  // in Go, an empty name means UTC, and Local the zone of the process
  const known = name === '' ? 'UTC' : name === undefined || name === 'Local' ? '' : name
  try {
    return new TimeZone(known)
  } catch {
    throw new Error(`provided bad location ${known}: unknown time zone ${known}`)
  }
}

function every(spec: string): Schedule {
  const text = spec.slice(EVERY.length)
  // Go accepts no duration without a unit
  const ms =
    /^[-+]?\d+$/.test(text) && Number(text) !== 0 ? `time: missing unit in duration "${text}"` : parseGoDuration(text)
  if (typeof ms === 'string') throw new Error(`failed to parse duration ${spec}: ${ms}`)
  if (ms < 1) throw new Error(`failed to parse duration ${spec}: it must be 1ms or more`)
  return {next: after => after + ms, step: ms}
}

/** Reads a list of ranges, each with or without a step: `1-5,10/2`. */
function readField(text: string, bounds: Bounds): Field {
  const ranges = text
    .split(',')
    .filter(each => each !== '')
    .map(each => readRange(each, bounds))
  if (ranges.length === 0) throw new Error(`no value in field: ${text}`)
  return {values: new Set(ranges.flatMap(({values}) => [...values])), isAny: ranges.some(({isAny}) => isAny)}
}

function readRange(text: string, bounds: Bounds): Field {
  const [range = '', stepText, ...moreSteps] = text.split('/')
  const [low = '', high, ...moreEnds] = range.split('-')
  const isStar = low === '*' || low === '?'
  const start = isStar ? bounds.min : numberOf(low, bounds)
  if (!isStar && moreEnds.length > 0) throw new Error(`too many hyphens: ${text}`)
  let end = isStar ? bounds.max : high === undefined ? start : numberOf(high, bounds)
  if (moreSteps.length > 0) throw new Error(`too many slashes: ${text}`)
  const step = stepText === undefined ? 1 : wholeNumber(stepText)
  // `N/step` reaches to the highest value
  if (stepText !== undefined && high === undefined) end = bounds.max
  const fault = rangeFault({start, end, step}, bounds)
  if (fault !== '') throw new Error(`${fault}: ${text}`)
  const values = new Set<number>()
  for (let value = start; value <= end; value += step) values.add(value)
  return {values, isAny: isStar && step === 1}
}

function rangeFault(
  {start, end, step}: {readonly start: number; readonly end: number; readonly step: number},
  {min, max}: Bounds
): string {
  if (start < min) return `beginning of range (${start}) below minimum (${min})`
  if (end > max) return `end of range (${end}) above maximum (${max})`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end})`
  return step === 0 ? 'step of range should be a positive number' : ''
}

function numberOf(text: string, {min, names = []}: Bounds): number {
  const at = names.indexOf(text.toLowerCase())
  return at >= 0 ? at + min : wholeNumber(text)
}

function wholeNumber(text: string): number {
  if (!/^[-+]?\d+$/.test(text))
    throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (Number(text) < 0) throw new Error(`negative number (${text}) not allowed: ${text}`)
  return Number(text)
}

type Fields = Readonly<Record<'second' | 'minute' | 'hour' | 'day' | 'month' | 'weekday', Field>>

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const MAX_YEARS = 5

/** A schedule of fields in the local time of a zone. Local times that daylight saving skips do not fire (dapr/kit: cron/spec.go). */
class FieldSchedule implements Schedule {
  readonly #fields: Fields
  readonly #zone: TimeZone

  constructor(fields: Fields, zone: TimeZone) {
    this.#fields = fields
    this.#zone = zone
  }

  next(after: number): number | undefined {
    const {second, minute, hour, month} = this.#fields
    let instant = Math.floor(after / SECOND_MS + 1) * SECOND_MS
    const lastYear = this.#zone.wallTime(instant).year + MAX_YEARS
    for (;;) {
      const shown = this.#zone.wallTime(instant)
      if (shown.year > lastYear) return undefined
      // `start` may lie in the past: clocks that are put back at midnight repeat the end of a day
      const later = (start: number): number => (start > instant ? start : this.#nextHour(instant, shown))
      if (!month.values.has(shown.month)) instant = later(this.#zone.startOfDay(shown.year, shown.month + 1, 1))
      else if (!this.#isOnDay(shown)) instant = later(this.#zone.startOfDay(shown.year, shown.month, shown.day + 1))
      else if (!hour.values.has(shown.hour)) instant = this.#nextHour(instant, shown)
      else if (!minute.values.has(shown.minute)) instant += MINUTE_MS - shown.second * SECOND_MS
      else if (!second.values.has(shown.second)) instant += SECOND_MS
      else return instant
    }
  }

  /** Returns the start of the next hour, or of the next minute if clocks change before that hour. */
  #nextHour(instant: number, {minute, second}: WallTime): number {
    const minuteBegan = instant - second * SECOND_MS
    const hour = minuteBegan + HOUR_MS - minute * MINUTE_MS
    return this.#zone.isSteady(instant, hour) ? hour : minuteBegan + MINUTE_MS
  }

  /** Whether the schedule has this day. If it limits days of the month and of the week, one of both is enough. */
  #isOnDay(shown: WallTime): boolean {
    const {day, weekday} = this.#fields
    const isDay = day.values.has(shown.day)
    const isWeekday = weekday.values.has(shown.weekday)
    return day.isAny || weekday.isAny ? isDay && isWeekday : isDay || isWeekday
  }
}
