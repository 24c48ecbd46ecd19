import {Once} from '../model/once.ts'
import {maySleep, type AppPlan} from '../model/plan.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {OpenSleep} from '../supervisor/app-runtime-options.ts'
import type {SleepParts} from './sleep/activity.ts'
import type {Sleeping} from './sleep/sleeping.ts'

/** The sleeping apps of a run. The first one loads the code. */
export class RunSleep {
  readonly #options: SleepParts
  readonly #loading = new Once<Sleeping>()
  #loaded: Sleeping | undefined

  constructor(options: SleepParts) {
    this.#options = options
  }

  /** Creates the sleep of an app; undefined: it never sleeps. */
  async openFor(plan: AppPlan): Promise<OpenSleep | undefined> {
    if (!maySleep(plan)) return undefined
    const sleeping = await this.#loading.do(async () =>
      (await import('./sleep/sleeping.ts')).Sleeping.open(this.#options)
    )
    this.#loaded = sleeping
    return (...given) => sleeping.sleepOf(...given)
  }

  /** Called when an app's state has changed: other apps may wait for that, or its idle time begins. */
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
