import type {preparePipes} from '../process/process-pipes.ts'
import type {Emit} from '../../model/events.ts'
import type {AppRuntime} from '../app-runtime.ts'
import {closePipes} from '../../platform/pipes.ts'
import type {AppPlan} from '../../model/plan.ts'
import {EndlessWaits, type EndlessWaitsNeeds} from './endless-waits.ts'
import {neverOpened, standingOf} from './progress.ts'

export interface StartOrderOptions extends EndlessWaitsNeeds {
  /** Path of the template as the user has written it. */
  readonly shownAs: string
  readonly emit: Emit
  /** Returns the ids of apps that an edit could not open. Their dependents are not started. */
  readonly lost: () => readonly string[]
  /** Returns whether the run is stopping, so that no app may be started. */
  readonly isOver: () => boolean
}

/** Pipes for the first processes, created before the start. */
type Pipes = Awaited<ReturnType<typeof preparePipes>>

/** Whether an app's pipes are created before the start: it has a command, starts at once, and has no terminal. */
export const isPiped = ({command, dependsOn, tty, lazy}: AppPlan): boolean =>
  command.length > 0 && dependsOn.length === 0 && tty !== true && lazy !== true

/** Whether an app sleeps until its first call, instead of starting with the run. */
const startsAsleep = ({sleep, plan: {command}, isDebugged, fault}: AppRuntime): boolean =>
  sleep.beginsAsleep && command.length > 0 && !isDebugged && fault === ''

/** Starts the apps of a run: apps without dependencies at once, the others when their dependencies are met. */
export class StartOrder {
  readonly #options: StartOrderOptions
  /** Apps that wait for dependencies. A given-up app stays here, since its dependency may be started again. */
  readonly #waiting = new Set<AppRuntime>()
  readonly #endless: EndlessWaits
  /** Settles when `app-started` was emitted for all apps without dependencies. */
  #first: Promise<void> = Promise.resolve()

  constructor(options: StartOrderOptions) {
    this.#options = options
    this.#endless = new EndlessWaits(options)
  }

  /** Starts all apps without dependencies in parallel, and reports them in the order of the template. Queues the others. */
  async begin(pipes: Pipes): Promise<void> {
    const all = this.#options.runtimes()
    for (const runtime of all) this.#options.emit({type: 'sidecar-opened', app: runtime.sidecar})
    const runtimes = all.filter(runtime => !startsAsleep(runtime))
    for (const runtime of all) if (startsAsleep(runtime)) runtime.startAsleep()
    this.#queueUp(runtimes)
    for (const runtime of all) this.#reportAsleep(runtime)
    this.#first = this.#startFirst(runtimes, [...pipes])
    await this.#first
  }

  /** Starts an app that an edit has added or opened again, as the start of the run does. Instances of an app sleep and wake together. */
  async added(runtime: AppRuntime): Promise<void> {
    if (!startsAsleep(runtime)) return this.late(runtime)
    const {emit, runtimes} = this.#options
    emit({type: 'sidecar-opened', app: runtime.sidecar})
    runtime.startAsleep()
    const {id, plan} = runtime
    const others = runtimes().filter(each => each.id === id && each.plan.version === plan.version)
    if (others.some(({pid, sleep}) => pid !== 0 || sleep.isWaking)) runtime.sleep.wake('another instance')
    this.look()
    this.#reportAsleep(runtime)
  }

  /** Starts an app during the run. Settles when it has started, or waits for dependencies. */
  async late(runtime: AppRuntime): Promise<void> {
    this.#options.emit({type: 'sidecar-opened', app: runtime.sidecar})
    if (runtime.plan.dependsOn.length === 0)
      return runtime.fault === '' ? this.#startLate(runtime) : this.#refuse(runtime)
    this.#queueUp([runtime])
  }

  /** Starts an app again that has ended or was given up, as if it had not started before. */
  async again(runtime: AppRuntime): Promise<void> {
    runtime.reset()
    await this.late(runtime)
  }

  /** Starts a sleeping app after its dependencies. */
  async wake(runtime: AppRuntime): Promise<void> {
    if (this.#options.isOver()) return
    if (runtime.fault !== '') return this.#refuse(runtime)
    if (runtime.plan.dependsOn.length > 0) this.#queueUp([runtime])
    else await runtime.start(undefined)
  }

  /** Forgets an app that an edit or the user closes. */
  leave(runtime: AppRuntime): void {
    this.#waiting.delete(runtime)
  }

  /** Decides about the waiting apps again. Called after each change of an app's state. */
  look(): void {
    if (this.#options.isOver()) return this.#endless.close()
    if (this.#waiting.size === 0) return
    const byId = Map.groupBy(this.#options.runtimes(), ({id}) => id)
    for (const runtime of this.#waiting) this.#lookAt(runtime, byId)
  }

  #lookAt(runtime: AppRuntime, byId: ReadonlyMap<string, readonly AppRuntime[]>): void {
    const {dependsOn} = runtime.plan
    const ids = new Set(dependsOn.map(({id}) => id))
    // reads the progress now, since this loop may have given up an app before
    const needed = [...ids].flatMap(id => byId.get(id) ?? [])
    const lost = this.#options.lost().filter(id => ids.has(id) && !byId.has(id))
    const standing = standingOf(dependsOn, [...needed.map(each => each.progress), ...lost.map(neverOpened)])
    if (runtime.isGivenUp) {
      if (standing.kind === 'never') return
      runtime.reset()
    }
    const {isAsleep} = runtime.sleep
    if (runtime.app.state.phase !== 'idle' && !isAsleep) {
      this.#waiting.delete(runtime) // it was stopped, or has started
      return
    }
    if (standing.kind === 'waits') {
      runtime.waits(standing.why, standing.ids)
      for (const each of needed) each.sleep.wake(`"${runtime.id}" depends on it`)
      return this.#endless.look(runtime, needed)
    }
    if (isAsleep || standing.kind === 'free') this.#waiting.delete(runtime)
    if (standing.kind === 'never')
      this.#giveUp(runtime, `"${runtime.id}" was not started: it depends on ${standing.why}`)
    else if (runtime.fault !== '') this.#refuse(runtime)
    else if (isAsleep) void runtime.start(undefined)
    else void this.#startLate(runtime)
  }

  async #startFirst(runtimes: readonly AppRuntime[], pipes: Pipes[number][]): Promise<void> {
    const first = runtimes.filter(({plan}) => plan.dependsOn.length === 0)
    for (const runtime of first) if (runtime.fault !== '') this.#refuse(runtime)
    const starts = first
      .filter(({fault}) => fault === '')
      .map(each => [each, each.start(isPiped(each.plan) && !each.isDebugged ? pipes.shift() : undefined)] as const)
    for (const each of pipes) closePipes(each)
    for (const [runtime, start] of starts) {
      await start
      this.#reportStarted(runtime)
    }
  }

  #queueUp(runtimes: readonly AppRuntime[]): void {
    const waiting = runtimes.filter(({plan}) => plan.dependsOn.length > 0)
    // also wakes dependencies that have failed, to try them again
    for (const {id, plan} of waiting)
      for (const needed of this.#options.runtimes())
        if (plan.dependsOn.some(each => each.id === needed.id)) needed.sleep.wake(`"${id}" depends on it`)
    for (const runtime of waiting) this.#waiting.add(runtime)
    this.look()
  }

  /** Starts an app that has waited for its dependencies. */
  async #startLate(runtime: AppRuntime): Promise<void> {
    await Promise.all([runtime.start(undefined), this.#first])
    this.#reportStarted(runtime)
  }

  #reportStarted(runtime: AppRuntime): void {
    const {isOver, emit, shownAs} = this.#options
    if (isOver()) return
    const {sidecar, pid, plan} = runtime
    emit({type: 'app-started', app: {...sidecar, pid, logFolder: plan.logs.folder, templateShownAs: shownAs}})
  }

  #reportAsleep({sleep, sidecar, name}: AppRuntime): void {
    if (sleep.isAsleep && !sleep.isWaking) this.#options.emit({type: 'app-asleep', app: sidecar, name, idleMs: 0})
  }

  /** Gives up an app whose configuration has a fault. */
  #refuse(runtime: AppRuntime): void {
    this.#giveUp(runtime, `"${runtime.id}" was not started: ${runtime.fault}`)
  }

  #giveUp(runtime: AppRuntime, why: string): void {
    this.#options.reporter.warn('app-not-started', why)
    void runtime.giveUp(why)
  }
}
