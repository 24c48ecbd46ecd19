import type {AppPlan} from '../model/plan.ts'
import {isServed} from './process/readiness.ts'
import type {Supervised} from './process/supervised.ts'

/**
 * The minimum time between two checks of a ready app, in ms. If its port refuses connections all the same, each check would make
 * the sidecar ask the app its questions again, which are refused, and lead to the next check.
 */
const RECHECK_EVERY_MS = 250

interface Checked {
  readonly plan: AppPlan
  readonly appPort: number
  readonly app: Supervised
  readonly isListening: boolean
}

/** Checks whether a ready app still listens. */
export class PortChecks {
  readonly #checked: Checked
  #checkedAt = -Infinity // performance.now()
  /** Once for all calls that a crash breaks. */
  #looking: Promise<void> | undefined

  constructor(checked: Checked) {
    this.#checked = checked
  }

  /** A connection was refused: looks again whether it listens. */
  refused(): void {
    const now = performance.now()
    if (now - this.#checkedAt < RECHECK_EVERY_MS) return
    this.#checkedAt = now
    this.#checked.app.recheck()
  }

  /** Looks again after a broken call: below `node --watch` and similar launchers a server may end, and its launcher stays. */
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
