/** A local time in a zone. `month`: 1 is January. `weekday`: 0 is Sunday. */
export interface WallTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** A time zone of the IANA database. */
export class TimeZone {
  readonly #offsetOf: (instant: number) => number

  /** Opens a zone by its name; '': the zone of this process. Throws a RangeError for an unknown zone. */
  constructor(name: string) {
    this.#offsetOf = name === '' ? ownOffset : offsetsOf(name)
  }

  /** Returns the local time at an instant, which is in ms since 1970. */
  wallTime(instant: number): WallTime {
    const shown = new Date(instant + this.#offsetOf(instant))
    return {
      year: shown.getUTCFullYear(),
      month: shown.getUTCMonth() + 1,
      day: shown.getUTCDate(),
      weekday: shown.getUTCDay(),
      hour: shown.getUTCHours(),
      minute: shown.getUTCMinutes(),
      second: shown.getUTCSeconds()
    }
  }

  /** Whether the zone has the same offset from UTC at both instants. */
  isSteady(from: number, to: number): boolean {
    return this.#offsetOf(from) === this.#offsetOf(to)
  }

  /** Returns the first instant of a day. Month 13 is January of the next year, day 32 of January is 1 February. */
  startOfDay(year: number, month: number, day: number): number {
    const shown = Date.UTC(year, month - 1, day)
    // a local time read as UTC is off by the zone's offset, which changes at most once within a day
    const [before, after] = [-DAY_MS, DAY_MS].map(distance => shown - this.#offsetOf(shown + distance)) as [
      number,
      number
    ]
    const starts = [before, after].filter(instant => instant + this.#offsetOf(instant) === shown)
    return starts.length > 0 ? Math.min(...starts) : this.#firstAfterGap(shown, Math.min(before, after))
  }

  /** Finds the start of a day on which clocks skip midnight, minute by minute from an instant before it. */
  #firstAfterGap(shown: number, near: number): number {
    let instant = near - (near % MINUTE_MS)
    while (instant + this.#offsetOf(instant) < shown) instant += MINUTE_MS
    return instant
  }
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const QUARTER_MS = 15 * MINUTE_MS

const ownOffset = (instant: number): number => -new Date(instant).getTimezoneOffset() * MINUTE_MS

/** Returns a function that finds the offset of a zone from UTC in ms at an instant. */
function offsetsOf(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {timeZone, timeZoneName: 'longOffset'})
  const asked = (instant: number): number => {
    const name = format.formatToParts(instant).find(({type}) => type === 'timeZoneName')?.value ?? ''
    const [, sign = '', hours = '0', minutes = '0', seconds = '0'] = OFFSET.exec(name) ?? []
    const size = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS + Number(seconds) * 1000
    return sign === '-' ? -size : size
  }
  // formatting is slow: computes the offset once for each quarter of an hour, unless it changes within that quarter
  let known = Number.NaN
  let offset: number | undefined
  return instant => {
    const quarter = Math.floor(instant / QUARTER_MS)
    if (quarter !== known) {
      const [first, last] = [asked(quarter * QUARTER_MS), asked((quarter + 1) * QUARTER_MS - 1)]
      known = quarter
      offset = first === last ? first : undefined
    }
    return offset ?? asked(instant)
  }
}

/** Names of offsets by Intl: `GMT`, `GMT+05:30`, `GMT-00:01:15`. */
const OFFSET = /^GMT([+-])(\d+):(\d+)(?::(\d+))?$/
