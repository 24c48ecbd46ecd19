/** Returns a duration as `0.8 ms`, `412 ms`, `1.2 s`, `4 min`, `3 h` or `5 days`. */
export function duration(ms: number): string {
  if (ms > 0 && ms < 0.05) return '<0.1 ms'
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  const s = ms / 1000
  if (s < 10) return `${s.toFixed(1)} s`
  if (s < 120) return `${Math.round(s)} s`
  const minutes = s / 60
  if (minutes < 120) return `${Math.round(minutes)} min`
  const hours = minutes / 60
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`
}

/** Returns a past time as `just now` or, rounded down to whole seconds, as `5 s ago`; `ms`: the time since then. */
export const ago = (ms: number): string =>
  ms < 1000 ? 'just now' : `${duration(Math.max(1000, Math.floor(ms / 1000) * 1000)).replace('.0', '')} ago`

/** Returns a number as `12.6` or `2,545`. */
export const count = (value: number): string =>
  value < 100 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString('en')

/** Returns a rate in calls per second as `4.0` or `1,777`. */
export const rate = (value: number): string => (value < 100 ? value.toFixed(1) : count(value))

export const percent = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`

/** Returns a size as `747 B`, `3.8 kB` or `30 MB`. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`
  const [value, unit] = size < 1e6 ? [size / 1e3, 'kB'] : [size / 1e6, 'MB']
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toString()} ${unit}`
}

const two = (value: number): string => value.toString().padStart(2, '0')

/** Returns the time of day as `14:46:45.977`, in the browser's time zone. */
export function timeOfDay(iso: string | number): string {
  const time = new Date(iso)
  const [h, m, s] = [time.getHours(), time.getMinutes(), time.getSeconds()]
  return `${two(h)}:${two(m)}:${two(s)}.${time.getMilliseconds().toString().padStart(3, '0')}`
}

const DAY = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'})

/** Returns a time as `14:46:45.977` if it is today, `31 Jan 14:46` if it is this year, else `2027-01-31`. */
export function moment(iso: string | number): string {
  const [time, today] = [new Date(iso), new Date()]
  if (time.toDateString() === today.toDateString()) return timeOfDay(iso)
  if (time.getFullYear() === today.getFullYear()) return `${DAY.format(time)} ${timeOfDay(iso).slice(0, 5)}`
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
}
