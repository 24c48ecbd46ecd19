import {messageOf} from '../../model/errors.ts'
import {bindingOf, type Binding, type BindingReader, type ReadOptions} from '../binding.ts'
import type {OpenComponent} from '../component.ts'
import {parseSchedule, type Schedule} from './cron/schedule.ts'
import {Timetable} from './cron/timetable.ts'

/** The timetable of all apps and components of this process. */
const TIMETABLE = new Timetable()

/** `bindings.cron`: an event each time that a schedule names (components-contrib: bindings/cron). */
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
  return Promise.resolve(
    bindingOf(options, {
      input: {read: reader => Promise.resolve(new CronReader(schedule, reader))},
      close: () => Promise.resolve()
    })
  )
}

/** Times that come while the app takes no events are one event, as soon as it does. */
class CronReader implements BindingReader {
  readonly #options: ReadOptions
  readonly #end: () => void
  readonly #handled = new Set<Promise<unknown>>()
  #isWaiting = false
  #isStopped = false

  constructor(schedule: Schedule, options: ReadOptions) {
    this.#options = options
    this.#end = TIMETABLE.add(schedule, () => {
      if (this.#isWaiting) return
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

/** As Go prints a time: `2026-11-20 15:07:56.002 +0000 UTC`. */
const goTime = (time: Date): string =>
  `${time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '')} +0000 UTC`
