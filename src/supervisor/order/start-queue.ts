import {neverOpened, standingOf} from './progress.ts'
import type {AppRuntime} from '../app-runtime.ts'

/** The part of an app that the start order needs. */
export type Startable = Pick<
  AppRuntime,
  | 'id'
  | 'name'
  | 'plan'
  | 'app'
  | 'progress'
  | 'sidecar'
  | 'pid'
  | 'fault'
  | 'isGivenUp'
  | 'start'
  | 'waits'
  | 'giveUp'
  | 'reset'
  | 'sleep'
  | 'startAsleep'
  | 'isDebugged'
>

export interface StartQueueOptions {
  /** All apps of the run. */
  readonly runtimes: () => readonly Startable[]
  /** Ids of apps that could not be opened. */
  readonly lost: () => readonly string[]
  /** Called when all dependencies are met. */
  readonly start: (runtime: Startable) => void
  /** Called while it still waits for some of these. */
  readonly waits: (runtime: Startable, needed: readonly Startable[]) => void
  /** Called when a dependency can only be met if the user starts it again; `why` is a complete sentence. */
  readonly giveUp: (runtime: Startable, why: string) => void
}

/**
 * The apps that wait for others. An app leaves the queue when its dependencies are met. An app that was given up stays: its
 * dependency may be started again.
 */
export class StartQueue {
  readonly #options: StartQueueOptions
  readonly #waiting = new Set<Startable>()

  constructor(options: StartQueueOptions) {
    this.#options = options
  }

  add(runtimes: readonly Startable[]): void {
    for (const runtime of runtimes) this.#waiting.add(runtime)
  }

  /** Removes an app that an edit or the user closes. */
  remove(runtime: Startable): void {
    this.#waiting.delete(runtime)
  }

  /** Starts the apps that need not wait any more. Must be called after each state change of an app. */
  look(): void {
    if (this.#waiting.size === 0) return
    const byId = Map.groupBy(this.#options.runtimes(), ({id}) => id)
    for (const runtime of this.#waiting) this.#lookAt(runtime, byId)
  }

  #lookAt(runtime: Startable, byId: ReadonlyMap<string, readonly Startable[]>): void {
    const {dependsOn} = runtime.plan
    const ids = new Set(dependsOn.map(({id}) => id))
    // an app checked before may have been given up
    const needed = [...ids].flatMap(id => byId.get(id) ?? [])
    const lost = this.#options.lost().filter(id => ids.has(id) && !byId.has(id))
    const standing = standingOf(dependsOn, [...needed.map(each => each.progress), ...lost.map(neverOpened)])
    if (runtime.isGivenUp) {
      if (standing.kind === 'never') return
      runtime.reset()
    }
    const {isAsleep} = runtime.sleep
    if (runtime.app.state.phase !== 'idle' && !isAsleep) {
      this.#waiting.delete(runtime) // it was stopped in the meantime
      return
    }
    if (standing.kind === 'waits') {
      runtime.waits(standing.why, standing.ids)
      return this.#options.waits(runtime, needed)
    }
    if (isAsleep) this.#waiting.delete(runtime)
    if (standing.kind === 'never')
      return this.#options.giveUp(runtime, `"${runtime.id}" was not started: it depends on ${standing.why}`)
    this.#waiting.delete(runtime)
    this.#options.start(runtime)
  }
}
