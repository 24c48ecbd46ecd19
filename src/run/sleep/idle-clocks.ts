import type {Emit} from '../../model/events.ts'
import {systemClock} from '../../platform/clock.ts'
import {planKey} from '../edits/plan-facts.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Activity} from './activity.ts'

export interface IdleClocksOptions {
  readonly emit: Emit
  /** Aborted when the run is to stop. */
  readonly over: AbortSignal
  /** Reads the activity of an app. */
  readonly activityOf: (runtime: AppRuntime) => Activity
  readonly instancesOf: (runtime: AppRuntime) => readonly AppRuntime[]
  /** Puts an app to sleep once its work is done, unless it is needed before. Resolves with true if it sleeps. */
  readonly fall: (runtime: AppRuntime) => Promise<boolean>
}

/** Number of checks of an app within its `idleTimeout`. */
const LOOKS = 10
const MIN_TICK_MS = 5
const MAX_TICK_MS = 1000

/** Measures for each app with an `idleTimeout` how long it was idle; then the app falls asleep, with all its instances. */
export class IdleClocks {
  readonly #options: IdleClocksOptions
  /** The clocks by the key of their first instance. */
  readonly #clocks = new Map<string, IdleClock>()

  constructor(options: IdleClocksOptions) {
    this.#options = options
  }

  /** Called when a process of the app runs. */
  follow(runtime: AppRuntime): void {
    const key = planKey({...runtime.plan, instance: 0})
    if (this.#clocks.has(key)) return
    const clock = new IdleClock(runtime, this.#options, () => this.#clocks.delete(key))
    this.#clocks.set(key, clock)
  }
}

/** Measures the idle time of an app. Two checks with equal counts and no work exclude events in between. */
class IdleClock {
  readonly #runtime: AppRuntime
  readonly #options: IdleClocksOptions
  readonly #onEnd: () => void
  #since = systemClock.now()
  #count = -1
  #isBusy = true

  constructor(runtime: AppRuntime, options: IdleClocksOptions, onEnd: () => void) {
    this.#runtime = runtime
    this.#options = options
    this.#onEnd = onEnd
    this.#wait()
  }

  get #timeoutMs(): number {
    const [first = this.#runtime] = this.#instances // an edit may have added it again
    return first.wanted.idleTimeoutMs ?? Infinity
  }

  get #instances(): readonly AppRuntime[] {
    return this.#options.instancesOf(this.#runtime)
  }

  #wait(): void {
    const {over} = this.#options
    const left = this.#since + this.#timeoutMs - systemClock.now()
    const tick = Math.min(left, this.#timeoutMs / LOOKS, MAX_TICK_MS)
    const callOff = systemClock.after(Math.max(MIN_TICK_MS, tick), () => {
      over.removeEventListener('abort', callOff)
      void this.#look()
    })
    over.addEventListener('abort', callOff)
  }

  async #look(): Promise<void> {
    const instances = this.#instances
    const isRunning = instances.some(({app: {state}}) => state.phase === 'running' || state.phase === 'starting')
    if (this.#options.over.aborted || this.#timeoutMs === Infinity || !isRunning) return this.#onEnd()
    // an instance that never sleeps would wake the others
    const mayAllSleep = instances.every(({app, sleep}) => app.state.phase === 'exited' || sleep.maySleep)
    if (mayAllSleep) this.#note(instances)
    else this.#since = systemClock.now()
    const idleMs = systemClock.now() - this.#since
    if (idleMs >= this.#timeoutMs) {
      await this.#fall(instances, idleMs)
      this.#since = systemClock.now()
    }
    this.#wait() // also for a sleeping app, which may have been started
  }

  #note(instances: readonly AppRuntime[]): void {
    const all = instances.map(each => this.#options.activityOf(each))
    const count = all.reduce((sum, each) => sum + each.count(), 0)
    const isBusy = all.some(({isBusy: isBusyNow}) => isBusyNow())
    // work of the last check may have ended just now
    if (isBusy || this.#isBusy || count !== this.#count) this.#since = systemClock.now()
    this.#isBusy = isBusy
    this.#count = count
  }

  /** Puts the instances to sleep, unless work begins first. */
  async #fall(instances: readonly AppRuntime[], idleMs: number): Promise<void> {
    const running = instances.filter(({app: {state}}) => state.phase === 'running')
    const fell = await Promise.all(running.map(async each => this.#options.fall(each)))
    const asleep = running.filter((_, at) => fell[at])
    const isWanted = asleep.length < running.length
    for (const {name, sleep, sidecar} of asleep)
      if (isWanted) sleep.wake('another instance of it is needed')
      else if (sleep.isAsleep) this.#options.emit({type: 'app-asleep', app: sidecar, name, idleMs})
  }
}
