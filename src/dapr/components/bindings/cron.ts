import {messageOf} from '../../../model/errors.ts'
import {bindingOf, type Binding, type BindingReader, type ReadOptions} from '../binding.ts'
import type {OpenComponent} from '../component.ts'
import {parseSchedule, type Schedule} from '../../../work/schedule/schedule.ts'
import {type Clock, systemClock} from '../../../platform/clock.ts'

/** Maximum time between two checks of the clock, in ms: timers stop while a machine sleeps, and its clock may be set. */
const CHECK_MS = 60_000
/** Maximum number of unanswered ticks at an app. Further ticks are dropped. */
const MAX_AT_ONCE = 100

/** Calls `fire` at each time of a schedule; once for all times during a sleep of the machine. The returned function ends that. */
export function atEachTime(
  schedule: Schedule,
  fire: () => void,
  clock: Pick<Clock, 'date' | 'after'> = systemClock
): () => void {
  let cancel: (() => void) | undefined
  const waitFrom = (start: number): void => {
    const due = schedule.next(start) ?? Infinity
    const check = (before: number): void => {
      const now = clock.date()
      const isSetBack = now < before
      if (isSetBack || now >= due) waitFrom(now)
      else cancel = clock.after(Math.min(due - now, CHECK_MS), () => check(now))
      if (now >= due) fire()
    }
    check(start)
  }
  waitFrom(clock.date())
  return () => cancel?.()
}

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

/** Sends an event at each time of the schedule. Merges the events of times at which the app does not accept events. */
class CronReader implements BindingReader {
  readonly #options: ReadOptions
  readonly #end: () => void
  readonly #handled = new Set<Promise<unknown>>()
  #isWaiting = false
  #isStopped = false

  constructor(schedule: Schedule, options: ReadOptions) {
    this.#options = options
    this.#end = atEachTime(schedule, () => {
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
