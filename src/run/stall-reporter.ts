import type {Clock} from '../platform/clock.ts'
import type {Reporter} from '../model/reporter.ts'
import {faultOf} from '../work/workflow/failure.ts'
import type {Instance} from '../work/workflow/instance.ts'
import {STALLED} from '../work/workflow/status.ts'

/** Time in which stalls are collected for one warning, in ms: after a save, workflows stall one after the other. */
const GATHER_MS = 500

/** Reports to the user that workflows are stalled, and why. */
export class StallReporter {
  readonly #reporter: Reporter
  readonly #clock: Clock
  /** The stalled instances by app. */
  readonly #stalled = new Map<string, Map<number, Instance>>()

  constructor(reporter: Reporter, clock: Clock) {
    this.#reporter = reporter
    this.#clock = clock
  }

  /** Notes an instance that has changed. */
  note(instance: Instance): void {
    const {app, key, status} = instance
    const known = this.#stalled.get(app)
    if (status !== STALLED) return void known?.delete(key)
    if (known !== undefined) return void known.set(key, instance)
    this.#stalled.set(app, new Map([[key, instance]]))
    this.#clock.after(GATHER_MS, () => this.#report(app))
  }

  #report(app: string): void {
    const all = [...(this.#stalled.get(app)?.values() ?? [])]
    this.#stalled.delete(app)
    const [first] = all
    if (first === undefined) return
    const {name, id} = first
    const why = `${name} ${id} of "${app}" is stalled: ${faultOf(first)}`
    const others = all.length === 2 ? 'So is 1 other' : `So are ${all.length - 1} others`
    const more = all.length === 1 ? '' : `\n   ${others} of "${app}": pillion workflow list --filter-status STALLED`
    this.#reporter.warn('workflow-stalled', `workflow ${why}${more}`)
  }
}
