import {parseGoDuration} from '../model/go-duration.ts'

/** Interval between two firings. Months and days are those of the calendar (UTC). */
interface Stride {
  readonly months: number
  readonly days: number
  readonly ms: number
}

/** The repetitions of a timer, reminder or job. */
export interface Period {
  /** Interval between two firings; undefined: only one firing. */
  readonly step: Stride | undefined
  /** Number of firings, the first included; undefined: no limit. */
  readonly repeats: number | undefined
}

/** The error of an unreadable time, with Dapr's message. */
export class TimeFault extends Error {}

/** A duration of ISO 8601 in whole numbers (dapr/kit: time/iso8601.go). */
const ISO = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/
const REPEATS = /^R(\d+)(?:\/(.*))?$/s
const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/

function isoStep(text: string): Stride | undefined {
  const found = ISO.exec(text)
  if (found === null || text === 'P' || text.endsWith('T')) return undefined
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = found
    .slice(1)
    .map(part => Number((part as string | undefined) ?? 0))
  return {months: years * 12 + months, days: weeks * 7 + days, ms: ((hours * 60 + minutes) * 60 + seconds) * 1000}
}

function goStep(text: string): Stride | undefined {
  // Go does not accept a number without a unit
  const ms = /^[-+]?\d+$/.test(text) && text !== '0' ? '' : parseGoDuration(text)
  return typeof ms === 'number' ? {months: 0, days: 0, ms} : undefined
}

/** Maximum interval, half of the range of a Date: the present time plus the interval is still a valid Date. */
const MAX_STRIDE_MS = 4e15

const ifInRange = (stride: Stride | undefined): Stride | undefined =>
  stride !== undefined && Math.abs(after(0, stride)) <= MAX_STRIDE_MS ? stride : undefined

/** Reads a duration of Go or ISO 8601; undefined: neither of them, or longer than `MAX_STRIDE_MS`. */
export const strideIn = (text: string): Stride | undefined => ifInRange(isoStep(text) ?? goStep(text))

/** Adds an interval to a time in ms since 1970. */
export function after(at: number, {months, days, ms}: Stride): number {
  if (months === 0 && days === 0) return at + ms
  const date = new Date(at)
  date.setUTCMonth(date.getUTCMonth() + months, date.getUTCDate() + days)
  return date.getTime() + ms
}

/** Reads a time of RFC 3339 as Go's time.Parse does, in ms since 1970; NaN: not such a time. */
export function timeAt(text: string): number {
  const [, local = ''] = RFC3339.exec(text) ?? []
  const at = Date.parse(`${local}Z`)
  // Date.parse accepts 30 February as 2 March, Go refuses it
  const isDate = Number.isFinite(at) && new Date(at).toISOString().startsWith(local)
  return isDate ? Date.parse(text.replace(',', '.')) : Number.NaN
}

/** Reads a duration of Go or ISO 8601, counted from `now`, or a time of RFC 3339; in ms since 1970 (dapr/kit: time/parse.go). Throws a TimeFault. */
export function dueTimeOf(text: string, now: number): number {
  if (/^R\d+(?:\/|$)/.test(text)) throw new TimeFault('repetitions are not allowed')
  const step = strideIn(text)
  const at = step === undefined ? timeAt(text) : after(now, step)
  if (Number.isNaN(at)) throw new TimeFault(`unsupported time/duration format: ${text}`)
  return at
}

/** Reads a period in one of Dapr's forms: a duration, or `R3/PT1S`. Throws a TimeFault (dapr/kit: time/parse.go, ParseDuration). */
export function periodOf(text: string): Period {
  if (text === '') return {step: undefined, repeats: undefined}
  const [all = '', count = '', rest = ''] = REPEATS.exec(text) ?? []
  const step = all === '' ? strideIn(text) : rest === '' ? undefined : ifInRange(isoStep(rest))
  if (all !== '' && Number(count) === 0) throw new TimeFault('has zero repetitions')
  if (step === undefined && (all === '' || rest !== ''))
    throw new TimeFault(`parse error: unsupported duration format: ${text}`)
  const isNothing = step === undefined || (step.months === 0 && step.days === 0 && step.ms <= 0)
  return {step: isNothing ? undefined : step, repeats: all === '' ? undefined : Number(count)}
}

/** Finds the latest firing due by `now`, given a `planned` one that is due. `passed`: number of firings before it, which are dropped. */
export function latest(planned: number, step: Stride, now: number): {readonly at: number; readonly passed: number} {
  let [at, passed] = [planned, 0]
  if (step.months === 0 && step.days === 0) {
    passed = Math.max(0, Math.floor((now - planned) / step.ms))
    return {at: planned + passed * step.ms, passed}
  }
  for (let next = after(at, step); next <= now; next = after(at, step)) {
    at = next
    passed++
  }
  return {at, passed}
}
