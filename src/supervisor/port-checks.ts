import type {AppPlan} from '../model/plan.ts'
import {isServed} from './process/readiness.ts'
import type {Supervised} from './process/supervised.ts'

/**
 * Minimum time between two checks of a ready app, in ms. After each check the sidecar asks the app for its topics and actors again. If the
 * port still refuses connections, these requests lead to the next check, endlessly.
 */
const RECHECK_EVERY_MS = 250

interface Checked {
  readonly plan: AppPlan
  readonly appPort: number
  readonly app: Supervised
  readonly isListening: boolean
}

/** Checks whether a ready app still listens, after a call has failed. */
export class PortChecks {
  readonly #checked: Checked
  #checkedAt = -Infinity // by performance.now()
  /** Check in progress, shared by all calls that one crash has broken; undefined: none. */
  #looking: Promise<void> | undefined

  constructor(checked: Checked) {
    this.#checked = checked
  }

  /** Called when the app has refused a connection. Makes the app not ready until its port accepts connections. */
  refused(): void {
    const now = performance.now()
    if (now - this.#checkedAt < RECHECK_EVERY_MS) return
    this.#checkedAt = now
    this.#checked.app.recheck()
  }

  /** Called when the app has closed the connection of a call: under a launcher such as `node --watch`, the server may have exited. */
  async broken(): Promise<void> {
    await (this.#looking ??= this.#refusedIfGone().finally(() => (this.#looking = undefined)))
  }

  async #refusedIfGone(): Promise<void> {
    const {app, plan, appPort, isListening} = this.#checked
    if (appPort === 0 || !isListening) return
    const isThere = await isServed(plan, appPort)
    if (!isThere && app === this.#checked.app) this.refused()
  }
}
