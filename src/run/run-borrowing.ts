import type {RunContext} from './run-context.ts'
import type {BorrowedCalls} from '../control/borrowed-calls.ts'
import type {PeerRuns} from '../control/peer-runs.ts'
import type {Admit} from '../proxy/gateway/admission.ts'
import {heldUntil} from '../proxy/gateway/instances.ts'
import {denyUnknown} from '../proxy/gateway/unknown-app.ts'
import type {Apps} from './apps/apps.ts'
import type {TaskLender} from './far-work.ts'

/** `plan.rest`: the copy whose apps we borrow. */
export interface RunBorrowingOptions extends Pick<RunContext, 'plan' | 'env' | 'reporter'> {
  /** What commands call this run. */
  readonly runName: () => string
  readonly peerRuns: PeerRuns
  readonly apps: () => Pick<Apps, 'isLeftOut' | 'whyStopped'>
}

/** Calls between the copies of a template: to apps that this run borrows from another copy (`--rest`), and to apps that others borrow here. */
export class RunBorrowing {
  readonly #options: RunBorrowingOptions
  /** Undefined: no other copy has borrowed an app of ours yet. */
  #borrowedCalls: BorrowedCalls | undefined

  constructor(options: RunBorrowingOptions) {
    this.#options = options
  }

  /**
   * Takes calls to ids that no running app has. An app that was stopped here is not searched for in other runs. One that was left
   * out may be called in another copy (`--rest`), also after it was started here and stopped again, but not for callers that
   * borrow here themselves.
   */
  readonly elsewhere: Admit = (call, isRefused, caller) => {
    const {peerRuns, runName} = this.#options
    const {rest} = this.#options.plan
    const apps = this.#options.apps()
    if (rest !== undefined && caller?.run === undefined && this.#isLent(call.callee))
      return peerRuns.admitIn(rest, runName())(call, isRefused)
    const why = apps.whyStopped(call.callee)
    return why === '' ? peerRuns.admit(call, isRefused) : denyUnknown(call.callee, why)
  }

  /** Finds the run for tasks of workflows for an app that is not in this run, by the same rules. */
  readonly lender: TaskLender = id => {
    const {rest} = this.#options.plan
    const apps = this.#options.apps()
    if (rest !== undefined && this.#isLent(id)) return {name: rest}
    return apps.whyStopped(id) === '' ? {name: undefined} : undefined
  }

  /** Whether an app was left out at the start and does not run here: it was never started, or was stopped again. */
  #isLent(id: string): boolean {
    const {plan, apps} = this.#options
    if (apps().isLeftOut(id)) return true
    return plan.leftOut?.some(app => app.id === id) === true && apps().whyStopped(id) !== ''
  }

  /** Wraps the calls at a sidecar whose app other copies may borrow. */
  lending(admit: Admit): Admit {
    let around: Admit | undefined
    return (call, isRefused, caller) => {
      if (this.#borrowedCalls !== undefined)
        return (around ??= this.#borrowedCalls.around(admit))(call, isRefused, caller)
      if (caller?.run === undefined) return admit(call, isRefused, caller)
      const reason = 'code is loaded that brings calls back'
      return heldUntil(this.#load(), reason, () => this.lending(admit)(call, isRefused, caller))
    }
  }

  async #load(): Promise<void> {
    const {BorrowedCalls: Calls} = await import('../control/borrowed-calls.ts')
    const {env, peerRuns, reporter} = this.#options
    this.#borrowedCalls ??= new Calls(env, peerRuns, reporter)
  }
}
