import {messageOf} from '../../../model/errors.ts'
import {bindingOf, type Binding, type BindingReader, type ReadOptions} from '../binding.ts'
import type {OpenComponent} from '../component.ts'
import {parseSchedule, type Schedule} from '../../../work/schedule/schedule.ts'
import {type Clock, systemClock} from '../../../platform/clock.ts'

interface Entry {
  readonly schedule: Schedule
  readonly fire: () => void
  /** Milliseconds since 1970. */
  due: number
}

/** Delay between two looks at the time, in ms: timers stop while a machine sleeps, and its clock may be set. */
const LOOK_MS = 60_000
/** Maximum number of unanswered ticks at an app. Further ticks are dropped. */
const MAX_AT_ONCE = 100

/** All schedules of a run, on a single timer for the next tick. */
export class Timetable {
  readonly #clock: Pick<Clock, 'date' | 'after'>
  readonly #entries = new Set<Entry>()
  #cancel: (() => void) | undefined
  #wakesAt = Infinity
  #checkedAt = 0

  constructor(clock: Pick<Clock, 'date' | 'after'> = systemClock) {
    this.#clock = clock
  }

  /** Calls `fire` each time. Several missed times during a sleep of the machine count once. The returned function ends it. */
  add(schedule: Schedule, fire: () => void): () => void {
    const now = this.#clock.date()
    this.#checkedAt = Math.max(this.#checkedAt, now)
    const entry = {schedule, fire, due: schedule.next(now) ?? Infinity}
    this.#entries.add(entry)
    this.#arm()
    return () => {
      this.#entries.delete(entry)
      if (this.#entries.size === 0) this.#disarm()
    }
  }

  #arm(): void {
    let next = Infinity
    for (const {due} of this.#entries) if (due < next) next = due
    const now = this.#clock.date()
    const wakesAt = Math.min(next, now + LOOK_MS)
    if (this.#cancel !== undefined && this.#wakesAt <= wakesAt) return
    this.#disarm()
    this.#wakesAt = wakesAt
    this.#cancel = this.#clock.after(Math.max(0, wakesAt - now), () => this.#wake())
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#wakesAt = Infinity
  }

  #wake(): void {
    this.#disarm()
    const now = this.#clock.date()
    // a clock that was set back leaves times of a schedule far ahead
    const isSetBack = now < this.#checkedAt
    this.#checkedAt = now
    for (const entry of this.#entries) {
      const isDue = entry.due <= now
      if (isDue || isSetBack) entry.due = entry.schedule.next(now) ?? Infinity
      if (isDue) entry.fire()
    }
    if (this.#entries.size > 0) this.#arm()
  }
}

/** The timetable of all apps and components of this process. */
const TIMETABLE = new Timetable()

/** `bindings.cron`: sends an event at each time of a schedule (components-contrib: bindings/cron). */
export const open: OpenComponent<Binding> = options => {
  const {properties} = options
  const text = properties.text('schedule')
  if (text === '') properties.fault('schedule', 'schedule not set')
  let schedule: Schedule
  try {
    schedule = parseSchedule(text)
  } catch (error) {
    properties.fault('schedule', `invalid schedule format '${text}': ${messageOf(error)}`)
  }
  const input = {read: async (reader: ReadOptions) => Promise.resolve(new CronReader(schedule, reader))}
  return Promise.resolve(bindingOf(options, {input}))
}

/** Merges ticks that fall due while the app takes no events into one event. */
class CronReader implements BindingReader {
  readonly #options: ReadOptions
  readonly #end: () => void
  readonly #handled = new Set<Promise<unknown>>()
  #isWaiting = false
  #isStopped = false

  constructor(schedule: Schedule, options: ReadOptions) {
    this.#options = options
    this.#end = TIMETABLE.add(schedule, () => {
      if (this.#isWaiting || this.#handled.size >= MAX_AT_ONCE) return
      const handled = this.#fire()
      this.#handled.add(handled)
      void handled.finally(() => this.#handled.delete(handled))
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#end()
    await Promise.all(this.#handled)
  }

  async #fire(): Promise<void> {
    const {ready, handle} = this.#options
    const metadata = {timeZone: 'Local', readTimeUTC: goTime(new Date())}
    this.#isWaiting = true
    await ready()
    this.#isWaiting = false
    if (!this.#isStopped) await handle({data: Buffer.alloc(0), metadata})
  }
}

/** Formats a time as Go does: `2026-11-20 15:07:56.002 +0000 UTC`. */
const goTime = (time: Date): string =>
  `${time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '')} +0000 UTC`
