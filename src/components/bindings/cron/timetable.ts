import {systemClock, type Clock} from '../../../platform/clock.ts'
import type {Schedule} from './schedule.ts'

interface Entry {
  readonly schedule: Schedule
  readonly fire: () => void
  /** Milliseconds since 1970. */
  due: number
}

/** How often the time is checked: a sleeping machine stops its timers, and its clock may be set. */
const LOOK_MS = 60_000

export interface TimetableOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly after: Clock['after']
}

/** All schedules of a run on one timer, which is set for the next that is due; without any there is none. */
export class Timetable {
  readonly #options: TimetableOptions
  readonly #entries = new Set<Entry>()
  #cancel: (() => void) | undefined
  #wakesAt = Infinity

  constructor(options: TimetableOptions = {now: () => Date.now(), after: (ms, fire) => systemClock.after(ms, fire)}) {
    this.#options = options
  }

  /** Calls `fire` each time; one that was slept over comes once. The returned function ends it. */
  add(schedule: Schedule, fire: () => void): () => void {
    const entry = {schedule, fire, due: schedule.next(this.#options.now()) ?? Infinity}
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
    const {now, after} = this.#options
    const wakesAt = Math.min(next, now() + LOOK_MS)
    if (this.#cancel !== undefined && this.#wakesAt <= wakesAt) return
    this.#disarm()
    this.#wakesAt = wakesAt
    this.#cancel = after(Math.max(0, wakesAt - now()), () => this.#wake())
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#wakesAt = Infinity
  }

  #wake(): void {
    this.#disarm()
    const now = this.#options.now()
    for (const entry of this.#entries) {
      if (entry.due > now) continue
      entry.due = entry.schedule.next(now) ?? Infinity
      entry.fire()
    }
    if (this.#entries.size > 0) this.#arm()
  }
}
