import {standingOf} from './progress.ts'
import type {AppRuntime} from '../app-runtime.ts'

/** An app as its start sees it. */
export type Startable = Pick<
  AppRuntime,
  'id' | 'plan' | 'app' | 'progress' | 'sidecar' | 'pid' | 'start' | 'waits' | 'giveUp' | 'fault'
>

export interface StartQueueOptions {
  readonly runtimes: readonly Startable[]
  /** Everything that it depends on is there. */
  readonly start: (runtime: Startable) => void
  /** What it depends on will never be there; the sentence that says why. */
  readonly giveUp: (runtime: Startable, why: string) => void
}

/** The apps that wait for others. Each leaves as soon as its own dependencies are met, or can no longer be. */
export class StartQueue {
  readonly #options: StartQueueOptions
  readonly #waiting: Set<Startable>

  constructor(options: StartQueueOptions) {
    this.#options = options
    this.#waiting = new Set(options.runtimes.filter(({plan}) => plan.dependsOn.length > 0))
  }

  /** To be called after each move of an app. */
  look(): void {
    const all = this.#options.runtimes.map(({progress}) => progress)
    for (const runtime of this.#waiting) this.#lookAt(runtime, standingOf(runtime.plan.dependsOn, all))
  }

  #lookAt(runtime: Startable, standing: ReturnType<typeof standingOf>): void {
    if (runtime.app.state.phase !== 'idle') {
      this.#waiting.delete(runtime) // it was stopped meanwhile
      return
    }
    if (standing.kind === 'waits') return runtime.waits(standing.why, standing.ids)
    this.#waiting.delete(runtime)
    if (standing.kind === 'free') return this.#options.start(runtime)
    this.#options.giveUp(runtime, `"${runtime.id}" is not started: it waits until ${standing.why}`)
  }
}
