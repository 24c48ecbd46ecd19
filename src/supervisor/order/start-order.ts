import type {preparePipes} from '../process/supervised-app.ts'
import type {Emit} from '../../model/events.ts'
import type {Clock} from '../../platform/clock.ts'
import {closePipes} from '../../platform/pipes.ts'
import type {AppPlan} from '../../model/plan.ts'
import {EndlessWaits} from './endless-waits.ts'
import {StartQueue, type Startable} from './start-queue.ts'
import type {Reporter} from '../../model/reporter.ts'

export interface StartOrderOptions {
  /** The template as the user named it. */
  readonly shownAs: string
  readonly emit: Emit
  readonly reporter: Reporter
  /** All apps of the run, also exited ones. */
  readonly runtimes: () => readonly Startable[]
  /** The run is stopping: no app may be started. */
  readonly isOver: () => boolean
  readonly clock?: Clock
}

/** Pipes for the first processes, created in advance. */
type Pipes = Awaited<ReturnType<typeof preparePipes>>

/** Its pipes are created in advance: the app has a command, no dependencies, and no terminal. */
export const isPiped = ({command, dependsOn, tty}: AppPlan): boolean =>
  command.length > 0 && dependsOn.length === 0 && tty !== true

/** Starts the apps of a run: apps without dependencies immediately, the others when their dependencies are met. */
export class StartOrder {
  readonly #options: StartOrderOptions
  readonly #queue: StartQueue
  readonly #endless: EndlessWaits
  /** Settles when the start lines of all apps without dependencies are printed. */
  #first: Promise<void> = Promise.resolve()

  constructor(options: StartOrderOptions) {
    this.#options = options
    this.#endless = new EndlessWaits(options.reporter, options.clock)
    this.#queue = new StartQueue({
      runtimes: options.runtimes,
      start: runtime => (runtime.fault === '' ? void this.#startLate(runtime) : this.#refuse(runtime)),
      waits: (runtime, needed) => this.#endless.look(runtime, needed),
      giveUp: (runtime, why) => this.#giveUp(runtime, why)
    })
  }

  /** Starts all apps without dependencies in parallel; their start lines are printed in the template's order. */
  async begin(pipes: Pipes): Promise<void> {
    const runtimes = this.#options.runtimes()
    for (const runtime of runtimes) this.#options.emit({type: 'sidecar-opened', app: runtime.sidecar})
    this.#queueUp(runtimes)
    this.#first = this.#startFirst(runtimes, [...pipes])
    await this.#first
  }

  /** Starts an app that was added, or that starts again. Settles when it has started, or waits for others. */
  async late(runtime: Startable): Promise<void> {
    this.#options.emit({type: 'sidecar-opened', app: runtime.sidecar})
    if (runtime.plan.dependsOn.length === 0)
      return runtime.fault === '' ? this.#startLate(runtime) : this.#refuse(runtime)
    this.#queueUp([runtime])
  }

  /** An app that waits has left the run. */
  leave(runtime: Startable): void {
    this.#queue.remove(runtime)
  }

  /** To be called after each state change of an app. */
  look(): void {
    if (this.#options.isOver()) this.#endless.close()
    else this.#queue.look()
  }

  async #startFirst(runtimes: readonly Startable[], pipes: Pipes[number][]): Promise<void> {
    const first = runtimes.filter(({plan}) => plan.dependsOn.length === 0)
    for (const runtime of first) if (runtime.fault !== '') this.#refuse(runtime)
    const starts = first
      .filter(({fault}) => fault === '')
      .map(runtime => [runtime, runtime.start(isPiped(runtime.plan) ? pipes.shift() : undefined)] as const)
    for (const each of pipes) closePipes(each)
    for (const [runtime, start] of starts) {
      await start
      this.#reportStarted(runtime)
    }
  }

  #queueUp(runtimes: readonly Startable[]): void {
    this.#queue.add(runtimes.filter(({plan}) => plan.dependsOn.length > 0))
    this.look()
  }

  /** Starts an app that has waited for its dependencies. */
  async #startLate(runtime: Startable): Promise<void> {
    await Promise.all([runtime.start(undefined), this.#first])
    this.#reportStarted(runtime)
  }

  #reportStarted(runtime: Startable): void {
    const {isOver, emit, shownAs} = this.#options
    if (isOver()) return
    const {sidecar, pid, plan} = runtime
    emit({type: 'app-started', app: {...sidecar, pid, logFolder: plan.logs.folder, templateShownAs: shownAs}})
  }

  /** Gives up an app that cannot be started because of its configuration. */
  #refuse(runtime: Startable): void {
    this.#giveUp(runtime, `"${runtime.id}" was not started: ${runtime.fault}`)
  }

  #giveUp(runtime: Startable, why: string): void {
    this.#options.reporter.warn('app-not-started', why)
    void runtime.giveUp(why)
  }
}
