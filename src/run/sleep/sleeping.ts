import type {Triggers} from '../../model/triggers.ts'
import {canBeWoken} from '../../model/triggers.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {systemClock} from '../../platform/clock.ts'
import {AppSleep, type Sleeper} from '../../supervisor/app-sleep.ts'
import {hasReached, standingOf} from '../../supervisor/order/progress.ts'
import {planKey} from '../edits/plan-facts.ts'
import {activityOf, type SleepParts} from './activity.ts'
import {IdleClocks} from './idle-clocks.ts'

/** Wakes the sleeping apps of a run when they are needed, and lets idle ones fall asleep. */
export class Sleeping {
  readonly #parts: SleepParts
  readonly #clocks: IdleClocks
  /** Triggers of each app, as its last process has reported. */
  readonly #triggers: Map<string, Triggers>
  /** The keys of the first instances of apps that are being woken, with all their instances. */
  readonly #waking = new Set<string>()

  /** Reads the triggers of earlier runs. */
  static async open(parts: SleepParts): Promise<Sleeping> {
    return new Sleeping(parts, await parts.work.triggers())
  }

  constructor(parts: SleepParts, triggers: ReadonlyMap<string, Triggers>) {
    this.#parts = parts
    this.#triggers = new Map(triggers)
    const {context, ownerOf} = parts
    this.#clocks = new IdleClocks({
      emit: context.emit,
      over: context.lifetime.stopRequested,
      instancesOf: runtime => this.#instancesOf(runtime),
      activityOf: runtime => activityOf(runtime, parts),
      fall: async runtime => ownerOf(runtime).fall(activityOf(runtime, parts).isBusy)
    })
  }

  sleepOf(runtime: Sleeper & Pick<AppRuntime, 'id'>, starting: () => void): AppSleep {
    const {id, plan} = runtime
    const triggersNow = (): Triggers => this.#triggers.get(id) ?? {}
    if (plan.lazy === true && plan.instance === 1 && !canBeWoken(plan, triggersNow()))
      this.#parts.context.reporter.tell(`"${id}" is lazy, but starts now: it has no port at which it can be called`)
    return new AppSleep(runtime, {
      starting,
      triggers: triggersNow,
      wake: cause => this.#wake(runtime, cause),
      learn: triggers => this.learn(id, triggers)
    })
  }

  /** Wakes an app for work that waits without a limit. */
  need(app: string, cause: string): void {
    for (const {id, sleep} of this.#parts.runtimes()) if (id === app) sleep.need(cause)
  }

  /** Stores the triggers of an app, for runs in which it sleeps. */
  learn(app: string, part: Triggers): void {
    const triggers = {...this.#triggers.get(app), ...part}
    this.#triggers.set(app, triggers)
    void this.#parts.work.keepTriggers(app, triggers)
  }

  /** Called when the state of an app has changed. */
  onMove(runtime: AppRuntime): void {
    const {phase} = runtime.app.state
    this.#follow(runtime)
    const all = this.#parts.runtimes().map(({progress}) => progress)
    for (const {plan, sleep} of this.#parts.runtimes()) {
      const isOneThere = plan.dependsOn.some(each => each.id === runtime.id && hasReached(runtime.progress, each))
      if (isOneThere && standingOf(plan.dependsOn, all).kind !== 'never') sleep.retry()
    }
    if (phase !== 'asleep') return
    if (this.#parts.work.lacksWorker(runtime)) runtime.sleep.need('a workflow')
  }

  /** Called when an edit may have given a running app an `idleTimeout`. */
  onEdited(): void {
    for (const runtime of this.#parts.runtimes()) this.#follow(runtime)
  }

  #follow(runtime: AppRuntime): void {
    if (runtime.app.state.phase === 'running' && runtime.wanted.idleTimeoutMs !== undefined)
      this.#clocks.follow(runtime)
  }

  /** Starts an app, with its other instances. */
  #wake(sleeper: Sleeper, cause: string): void {
    const {context, starts, runtimes} = this.#parts
    const runtime = runtimes().find(each => each === sleeper)
    if (runtime === undefined) return
    const {id, name} = runtime
    const from = systemClock.now()
    const off = runtime.onMove(() => {
      const {state} = runtime.app
      const isUp = state.phase === 'running' && state.ready
      if (!isUp && state.phase !== 'exited' && (state.phase !== 'asleep' || runtime.sleep.isWaking)) return
      off()
      if (isUp) context.emit({type: 'app-woken', app: id, id: name, cause, tookMs: systemClock.now() - from})
    })
    void starts.wake(runtime)
    const key = planKey({...runtime.plan, instance: 0})
    // an instance that cannot start sleeps again at once: instances must not wake each other in turn
    if (this.#waking.has(key)) return
    this.#waking.add(key)
    for (const each of this.#instancesOf(runtime)) if (each !== runtime) each.sleep.wake(cause)
    this.#waking.delete(key)
  }

  /** The instances that sleep and wake together. */
  #instancesOf({id, plan: {version}}: AppRuntime): readonly AppRuntime[] {
    return this.#parts.runtimes().filter(each => each.id === id && each.plan.version === version)
  }
}
