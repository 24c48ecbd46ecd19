import type {Clock} from '../../platform/clock.ts'
import {after, latest} from '../times.ts'
import {ActorError, type ActorAnswer, type ActorRequest} from './actor-host.ts'
import type {Agenda, Due} from './agenda.ts'
import {timesOf, type FiringTimes, type FiringRequest} from './firing-spec.ts'
import type {TurnOptions} from './actor.ts'

/** Names a timer or reminder: its actor and its own name. */
export interface FiringName {
  readonly type: string
  readonly id: string
  readonly name: string
}

/** Returns the name in Dapr's errors, `type||id||name`. Two timers may share one: each part may contain `||`. */
export const fullName = ({type, id, name}: FiringName): string => `${type}||${id}||${name}`

/** Returns a unique key: names contain no control characters. */
const keyOf = ({type, id, name}: FiringName): string => `${type}\0${id}\0${name}`

/** Delay in ms above which a firing counts as missed: the machine was asleep, or the app accepted no calls. */
export const LATE_MS = 2000

interface TimersOptions {
  readonly clock: Clock
  readonly agenda: Agenda
  readonly run: (request: ActorRequest, options: TurnOptions) => Promise<ActorAnswer>
}

/** The timers of actors, in memory until the sidecar that has set them closes (Dapr: pkg/actors/timers). */
export class Timers {
  readonly #options: TimersOptions
  readonly #timers = new Map<string, Timer>()

  constructor(options: TimersOptions) {
    this.#options = options
  }

  of(type: string, id: string): readonly FiringName[] {
    const names = [...this.#timers.values()].map(({options}) => options.name)
    return names.filter(name => name.type === type && name.id === id)
  }

  countOf(type: string, owner: string): number {
    const timers = [...this.#timers.values()]
    return timers.filter(({options}) => options.owner === owner && options.name.type === type).length
  }

  /** Sets a timer, or replaces it. `owner`: the instance whose sidecar sets it. Throws a FiringFault. */
  set(name: FiringName, request: FiringRequest, owner: string): void {
    const times = timesOf('timer', fullName(name), request, this.#options.clock.date())
    this.delete(name)
    const key = keyOf(name)
    const timer = new Timer({...this.#options, name, request, times, owner, ended: () => this.#timers.delete(key)})
    this.#timers.set(key, timer)
    timer.plan(times.due)
  }

  delete(name: FiringName): void {
    this.#timers.get(keyOf(name))?.end()
  }

  /** Ends the timers of a sidecar that has ended. */
  leave(owner: string): void {
    for (const timer of this.#timers.values()) if (timer.options.owner === owner) timer.end()
  }
}

interface TimerOptions extends TimersOptions {
  readonly name: FiringName
  readonly request: FiringRequest
  readonly times: FiringTimes
  readonly owner: string
  readonly ended: () => void
}

class Timer implements Due {
  at = 0
  readonly options: TimerOptions
  /** Date of the clock's zero, in ms since 1970. Firings follow `now`, so that a change of the machine's date does not move them. */
  readonly #epoch: number
  /** The next firing, in ms since 1970. */
  #planned = 0
  #left: number
  isOver = false

  constructor(options: TimerOptions) {
    const {clock, times} = options
    this.options = options
    this.#epoch = clock.date() - clock.now()
    this.#left = times.repeats ?? Infinity
  }

  plan(at: number): void {
    const {clock, agenda, times} = this.options
    if (at >= (times.expires ?? Infinity)) return this.end()
    this.#planned = at
    this.at = Math.max(clock.now(), at - this.#epoch)
    agenda.add(this)
  }

  /** Ends the timer. A running firing continues. */
  end(): void {
    if (this.isOver) return
    this.isOver = true
    this.options.ended()
    this.options.agenda.ended()
  }

  fire(): void {
    if (!this.isOver) void this.#fire()
  }

  async #fire(): Promise<void> {
    const {clock, run, name, request, times} = this.options
    const {type, id} = name
    const {callback, dueTime, period, data} = request
    const work = {kind: 'timer', name: name.name, callback, dueTime, period, data} as const
    const date = (): number => clock.now() + this.#epoch
    let isMissed = date() - this.#planned > LATE_MS
    let begun = date()
    try {
      const answer = await run(
        {type, id, work, caller: undefined, reentrancyId: '', onStop: () => undefined},
        {
          isPatient: true,
          isWanted: () => !this.isOver,
          onBegin: wasHeld => {
            begun = date()
            isMissed ||= wasHeld
          }
        }
      )
      if (answer.kind === 'done' && answer.isCancelled) return this.end()
    } catch (error) {
      if (!(error instanceof ActorError)) throw error
    }
    if (this.isOver) return
    if (--this.#left <= 0 || times.step === undefined) return this.end()
    this.plan(after(isMissed ? latest(this.#planned, times.step, begun).at : this.#planned, times.step))
  }
}
