import type {AppState} from '../model/app-state.ts'
import type {ExitLoop} from '../model/exit-text.ts'
import {instanceName, type AppPlan} from '../model/plan.ts'
import {wallTime} from '../platform/wall-time.ts'
import {ExitHistory} from './exit-history.ts'
import {noProgress, progressed, type Progress} from './order/progress.ts'

/** Facts about an app besides its process' state: its progress, its start time, and why it has not started. */
export class RuntimeStatus {
  /** Start of its process by `performance.now()`, which setting the clock does not change; 0 if there is none. */
  #bornAt = 0
  /** Time of the latest change of state. */
  movedAt = new Date()
  progress: Progress
  /** Why it has not been started, or never will be; '' otherwise. */
  obstacle = ''
  /** The ids of the apps that it waits for. */
  waitsFor: readonly string[] = []
  /** Whether an unmet dependency has prevented its start. */
  isGivenUp = false
  readonly #exits = new ExitHistory()

  constructor(plan: AppPlan) {
    this.progress = initialProgress(plan)
  }

  /** Start time of its process, in ms since 1970; 0 if there is none. */
  get startedAt(): number {
    return this.#bornAt && wallTime.of(this.#bornAt)
  }

  /** Null: it does not exit again and again. */
  get loop(): ExitLoop | null {
    return this.#exits.loop(this.#bornAt, performance.now())
  }

  /** Notes that it waits for the apps `ids`; `why` completes "it waits until …". */
  waits(plan: AppPlan, why: string, ids: readonly string[]): void {
    this.waitsFor = ids
    this.obstacle = `"${instanceName(plan.id, plan.instance)}" is not started yet: it waits until ${why}`
  }

  /** Notes that it starts only after its dependency. A sleeping app tries again with its next call. */
  giveUp(why: string, isAsleep: boolean): void {
    this.obstacle = isAsleep ? '' : why
    this.waitsFor = []
    this.isGivenUp = !isAsleep
    if (isAsleep) this.progress = progressed(this.progress, {phase: 'exited', exit: undefined, asked: true})
  }

  starting(): void {
    this.obstacle = ''
    this.waitsFor = []
    // dependents wait for this start, despite the last result
    if (this.progress.state.phase === 'asleep' || this.progress.state.phase === 'exited')
      this.progress = {...this.progress, state: {phase: 'idle'}}
  }

  /** Restores the state before its first start. */
  reset(plan: AppPlan): void {
    this.replaced()
    this.isGivenUp = false
    this.obstacle = ''
    this.progress = initialProgress(plan)
  }

  /** Called when its process is being replaced, or its next one has another plan. Its dependencies stay. */
  replaced(): void {
    this.#exits.clear()
  }

  /** Called when a process that was started next to its own has taken over. */
  promoted(): void {
    this.#bornAt = momentNow()
    this.#exits.clear()
  }

  /** The state of its process has changed. */
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

/** With its time of day, which no call may have shown since the machine slept. */
function momentNow(): number {
  wallTime.note()
  return performance.now()
}
