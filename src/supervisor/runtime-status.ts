import type {AppState} from '../model/app-state.ts'
import type {ExitLoop} from '../model/exit-text.ts'
import {instanceName, type AppPlan} from '../model/plan.ts'
import {wallTime} from '../platform/wall-time.ts'
import {ExitHistory} from './exit-history.ts'
import {noProgress, progressed, type Progress} from './order/progress.ts'

/** Facts about an app besides the state of its process: progress for its dependents, start time, and the reason why it has not started. */
export class RuntimeStatus {
  /** Start of the process by `performance.now()`, which a change of the clock does not affect; 0: no process. */
  #bornAt = 0
  /** Time of the latest change of state. */
  movedAt = new Date()
  progress: Progress
  /** Reason why the app has not been started, or will not be; '': it was, or will be. */
  obstacle = ''
  /** Ids of the apps for which the start waits. */
  waitsFor: readonly string[] = []
  /** Whether a failed dependency has prevented the start. */
  isGivenUp = false
  readonly #exits = new ExitHistory()

  constructor(plan: AppPlan) {
    this.progress = initialProgress(plan)
  }

  /** Start time of the process, in ms since 1970; 0: no process. */
  get startedAt(): number {
    return this.#bornAt && wallTime.of(this.#bornAt)
  }

  /** Loop of exits in which the app is; null: none. */
  get loop(): ExitLoop | null {
    return this.#exits.loop(this.#bornAt, performance.now())
  }

  /** Notes that the start waits for the apps `ids`. `why`: completes "it waits until …". */
  waits(plan: AppPlan, why: string, ids: readonly string[]): void {
    this.waitsFor = ids
    this.obstacle = `"${instanceName(plan.id, plan.instance)}" is not started yet: it waits until ${why}`
  }

  /** Notes that a dependency has failed, so that the start is given up. A sleeping app tries again with its next call. */
  giveUp(why: string, isAsleep: boolean): void {
    this.obstacle = isAsleep ? '' : why
    this.waitsFor = []
    this.isGivenUp = !isAsleep
    if (isAsleep) this.progress = progressed(this.progress, {phase: 'exited', exit: undefined, asked: true})
  }

  starting(): void {
    this.obstacle = ''
    this.waitsFor = []
    // resets the state, so that dependents wait for this start and not for the previous result
    if (this.progress.state.phase === 'asleep' || this.progress.state.phase === 'exited')
      this.progress = {...this.progress, state: {phase: 'idle'}}
  }

  /** Restores the state before the first start. */
  reset(plan: AppPlan): void {
    this.replaced()
    this.isGivenUp = false
    this.obstacle = ''
    this.progress = initialProgress(plan)
  }

  /** Called when the process is being replaced: forgets earlier exits. */
  replaced(): void {
    this.#exits.clear()
  }

  /** Called when a candidate has become the current process. */
  promoted(): void {
    this.#bornAt = momentNow()
    this.#exits.clear()
  }

  /** Called when the state of the process has changed. */
  moved(state: AppState): void {
    this.movedAt = new Date()
    if (state.phase === 'backoff' && state.until < Infinity) this.#exits.add(this.#bornAt, performance.now())
    if (state.phase === 'exited') this.#exits.clear()
    if (state.phase === 'starting') this.#bornAt = state.pid === undefined ? 0 : momentNow()
    else if (['exited', 'backoff', 'asleep'].includes(state.phase)) this.#bornAt = 0
    this.progress = progressed(this.progress, state)
  }
}

export const initialProgress = ({id, command}: AppPlan): Progress => noProgress(id, command.length > 0)

/** Returns the time by `performance.now()`, and updates its time of day, which the sleep of the machine may have shifted. */
function momentNow(): number {
  wallTime.note()
  return performance.now()
}
