import type {AppRuntime} from '../app-runtime.ts'
import type {Reporter} from '../../model/reporter.ts'
import {systemClock, type Clock} from '../../platform/clock.ts'

/** How long an app whose end others wait for may run and be ready before that is reported, in ms. An app that listens is hardly a one-shot app. */
const TOLD_AFTER_MS = {listens: 5000, other: 60_000}

export interface EndlessWaitsNeeds {
  readonly reporter: Reporter
  /** All apps of the run, also exited ones. */
  readonly runtimes: () => readonly AppRuntime[]
  readonly clock?: Clock
}

/** Reports, once for each app, that others wait for the end of an app that probably never ends: a server. */
export class EndlessWaits {
  readonly #needs: EndlessWaitsNeeds
  /** Cancels the timer of an app that others wait for, by its id. */
  readonly #watched = new Map<string, () => void>()

  constructor(needs: EndlessWaitsNeeds) {
    this.#needs = needs
  }

  /** Starts a timer for each dependency whose end an app awaits; `needed`: the apps that it depends on. */
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

  /** Called when the run is over. */
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

/** The ids of the apps that have to end before an app with this plan starts. */
const awaitedBy = ({dependsOn}: AppRuntime['plan']): readonly string[] =>
  dependsOn.filter(({until}) => until === 'completed').map(({id}) => id)

const listens = ({plan: {ready}}: AppRuntime): boolean => ready.kind === 'tcp' || ready.kind === 'http'

const goesOn = ({app: {state}, progress}: AppRuntime): boolean =>
  state.phase === 'running' && state.ready && !progress.hasCompleted
