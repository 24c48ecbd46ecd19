import {maySleep, type AppPlan} from '../model/plan.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {OpenSleep} from '../supervisor/app-runtime-options.ts'
import type {Sleeping, SleepParts} from './sleep/sleeping.ts'

/** The sleeping apps of a run; loaded with the first one. */
export class RunSleep {
  readonly #options: SleepParts
  #loading: Promise<Sleeping> | undefined
  #loaded: Sleeping | undefined

  constructor(options: SleepParts) {
    this.#options = options
  }

  /** Creates the sleep of an app; undefined: it never sleeps. */
  async openFor(plan: AppPlan): Promise<OpenSleep | undefined> {
    if (!maySleep(plan)) return undefined
    this.#loading ??= import('./sleep/sleeping.ts').then(async ({Sleeping: Loaded}) => Loaded.open(this.#options))
    const sleeping = (this.#loaded = await this.#loading)
    return (...given) => sleeping.sleepOf(...given)
  }

  /** Called when the state of an app has changed: others may have waited for that, or its idle time begins. */
  onMove(runtime: AppRuntime): void {
    this.#options.starts.look()
    this.#loaded?.onMove(runtime)
  }

  /** Called when an edit of the template is in effect. */
  onEdited(): void {
    this.#loaded?.onEdited()
  }

  /** Called when work of workflows waits for an app that has no worker. */
  needsWorker(app: string): void {
    this.#loaded?.need(app, 'a workflow')
  }

  /** Called when an app has a worker of workflows. */
  hasWorker(app: string): void {
    this.#loaded?.learn(app, {hasWorkers: true})
  }
}
