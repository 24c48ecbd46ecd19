import type {AppRuntime} from '../app-runtime.ts'
import type {Reporter} from '../../model/reporter.ts'
import {systemClock, type Clock} from '../../platform/clock.ts'

/** Time after which a wait for the end of an app is reported, in ms. An app that listens is probably a server, which does not end. */
const TOLD_AFTER_MS = {listens: 5000, other: 60_000}

export interface EndlessWaitsNeeds {
  readonly reporter: Reporter
  /** Returns all apps of the run, also exited ones. */
  readonly runtimes: () => readonly AppRuntime[]
  readonly clock?: Clock
}

/** Reports apps that probably never end, such as servers, although another app waits for their end. Once per app. */
export class EndlessWaits {
  readonly #needs: EndlessWaitsNeeds
  /** Cancels the timer of an app for whose end others wait, by app id. */
  readonly #watched = new Map<string, () => void>()

  constructor(needs: EndlessWaitsNeeds) {
    this.#needs = needs
  }

  /** Starts a timer for each dependency whose end an app awaits. `needed`: apps on which it depends. */
  look({plan}: AppRuntime, needed: readonly AppRuntime[]): void {
    for (const id of awaitedBy(plan)) {
      const app = needed.find(each => each.id === id && goesOn(each))
      if (app === undefined || this.#watched.has(id)) continue
      const afterMs = listens(app) ? TOLD_AFTER_MS.listens : TOLD_AFTER_MS.other
      const {clock = systemClock} = this.#needs
      const callOff = clock.after(afterMs, () => this.#tell(app, afterMs))
      this.#watched.set(id, callOff)
    }
  }

  /** Cancels the timers at the end of the run. */
  close(): void {
    for (const callOff of this.#watched.values()) callOff()
  }

  #tell(app: AppRuntime, afterMs: number): void {
    const waiting = this.#needs
      .runtimes()
      .find(({plan, app: {state}}) => state.phase === 'idle' && awaitedBy(plan).includes(app.id))
    if (waiting === undefined || !goesOn(app)) return void this.#watched.delete(app.id)
    const until = listens(app) ? 'ready' : 'started'
    const seconds = (afterMs / 1000).toString()
    this.#needs.reporter.warn(
      'endless-wait',
      `"${waiting.id}" waits until "${app.id}" ends, which has been ready for ${seconds} s: if it is a server, write dependsOn: {${app.id}: ${until}}`
    )
  }
}

/** Returns the ids of the apps that have to end before an app with this plan starts. */
const awaitedBy = ({dependsOn}: AppRuntime['plan']): readonly string[] =>
  dependsOn.filter(({until}) => until === 'completed').map(({id}) => id)

const listens = ({plan: {ready}}: AppRuntime): boolean => ready.kind === 'tcp' || ready.kind === 'http'

const goesOn = ({app: {state}, progress}: AppRuntime): boolean =>
  state.phase === 'running' && state.ready && !progress.hasCompleted
