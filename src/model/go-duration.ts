import {ownOf} from './own.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5, the micro sign
  μs: 1e-3, // U+03BC, the Greek letter
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000
}

const MAX_MS = (2 ** 63 - 1) / 1e6

/** Longest delay of a Node timer, 24.8 days: with a longer one, it fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1
const PART = /^([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)/

/**
 * Milliseconds of a duration as Go's `time.ParseDuration` reads it (`1m30s`, `-1.5h`, `250us`), or Go's text for its mistake. A whole number without a unit is milliseconds, as Dapr reads it (dapr/kit, config/decode.go).
 */
export function parseGoDuration(text: string): number | string {
  if (/^[-+]?[0-9]+$/.test(text)) return Number(text)
  const invalid = `time: invalid duration ${JSON.stringify(text)}`
  let rest = text.replace(/^[-+]/, '')
  if (rest === '') return invalid
  let total = 0
  while (rest !== '') {
    const [matched = '', whole = '', point = '', fraction = '', unit = ''] = PART.exec(rest) ?? []
    if (whole === '' && fraction === '') return invalid
    if (unit === '') return `time: missing unit in duration ${JSON.stringify(text)}`
    const factor = ownOf(UNIT_MS, unit)
    if (factor === undefined) return `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`
    total += Number(`${whole || '0'}${point}${fraction}`) * factor
    rest = rest.slice(matched.length)
  }
  if (total > MAX_MS) return invalid
  // whole nanoseconds, as Go has them: 1.001 * 1000 is 1000.9999999999999
  const ms = Math.round(total * 1e6) / 1e6
  return text.startsWith('-') ? -ms : ms
}

/** Returns a duration as Go prints it (`time.Duration.String`): `1m0s`, `1.5s`, `250ms`, `0s`. */
export function formatGoDuration(ms: number): string {
  const sign = ms < 0 ? '-' : ''
  const ns = Math.round(Math.abs(ms) * 1e6)
  if (ns === 0) return '0s'
  if (ns < 1e3) return `${sign}${ns}ns`
  if (ns < 1e6) return `${sign}${decimal(ns, 3)}µs`
  if (ns < 1e9) return `${sign}${decimal(ns, 6)}ms`
  const minutes = Math.floor(ns / 60e9)
  const seconds = `${decimal(ns - minutes * 60e9, 9)}s`
  const hours = Math.floor(minutes / 60)
  if (hours > 0) return `${sign}${hours}h${minutes % 60}m${seconds}`
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : sign + seconds
}

/** Returns a whole number with its point moved left, without zeros at the end. */
function decimal(value: number, places: number): string {
  const digits = value.toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`)
}
