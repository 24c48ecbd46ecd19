import {ownOf} from './own.ts'

const UNITS: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000}
/** Maximum duration in ms: setTimeout does not accept much more. */
const MAX_MS = 24 * 86_400_000

/** Reads `500ms`, `1.5s`, `2m`, `1h` in ms; a bare number counts seconds; undefined: other texts, 0, and more than 24 days. */
export function readDuration(text: string): number | undefined {
  const [, amount = '', unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  const ms = Math.round(Number(amount) * (ownOf(UNITS, unit) ?? 0))
  return amount !== '' && ms > 0 && ms <= MAX_MS ? ms : undefined
}

/** Reads a time or a date, in ms since 1970; NaN: another text, or a date that does not exist, such as 30 February. */
export function readTime(text: string): number {
  const [day = ''] = /^\d{4}-\d\d-\d\d/.exec(text) ?? []
  const midnight = Date.parse(day)
  const isDay = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day)
  return isDay ? Date.parse(text) : Number.NaN
}

/** Formats a duration for tables and lists of facts: `0.4 ms`, `18 ms`, `2.3 s`. */
export const durationText = (ms: number): string => {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Formats a duration for sentences: `18 ms`, `12.4 s`, `3 min 5 s`. */
export function spokenDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Rounds a duration for texts: `80 ms`, `1.5 s`, `60 s`, `10 min`. */
export function roughDuration(ms: number): string {
  if (ms < 995) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${Number((ms / 1000).toFixed(1))} s`
  return ms < 119_500 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}

/** Formats a duration in one unit: `12s`, `3m`, `4h`, `2d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds <= 60) return `${seconds}s`
  if (seconds <= 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds <= 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** Formats a local time as Dapr does, with a dot before the seconds: `2006-01-02 15:04.05`. */
export function created(at: Date): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}.${two(at.getSeconds())}`
}

const two = (n: number): string => n.toString().padStart(2, '0')

/** Describes the distance of a time from now: `-5s` is past, `+2h` to come. */
export const relativeTime = (at: number, now: number): string => `${at > now ? '+' : '-'}${age(Math.abs(at - now))}`
