import type {Environment} from '../model/environment.ts'
import {Watchdog} from './process/watchdog.ts'
import type {AppPlan, Plan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'

/** Returns the longest grace period of all apps, for processes that are found by the run's marker, whose app is unknown. */
export const longestGraceMs = (apps: readonly Pick<AppPlan, 'stop'>[]): number =>
  Math.max(0, ...apps.map(({stop}) => stop.timeoutMs))

export interface WatchdogNeeds {
  readonly marker: string
  readonly plan: Plan
  readonly env: Environment
  readonly reporter: Reporter
}

/** Creates the watchdog of a run without starting it. */
export const watchdogFor = ({marker, plan, env, reporter}: WatchdogNeeds): Watchdog =>
  new Watchdog(marker, longestGraceMs(plan.apps), env, why =>
    reporter.warn(
      'watchdog-lost',
      `the watchdog of this run has exited (${why}): if Pillion is killed by SIGKILL now, its apps keep running`
    )
  )
