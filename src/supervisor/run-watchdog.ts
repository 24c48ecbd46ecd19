import {Watchdog} from './process/watchdog.ts'
import type {Plan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'

/** All that is looked for by the run's mark has the longest grace that an app has: nobody knows whose it was. */
export const longestGraceMs = ({apps}: Plan): number => Math.max(0, ...apps.map(({stop}) => stop.timeoutMs))

export interface WatchdogNeeds {
  readonly marker: string
  readonly plan: Plan
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly reporter: Reporter
}

/** The watchdog of a run, not started yet. */
export const watchdogFor = ({marker, plan, shell, reporter}: WatchdogNeeds): Watchdog =>
  new Watchdog({
    marker,
    graceMs: longestGraceMs(plan),
    searchPath: shell['PATH'] ?? '',
    lost: why =>
      reporter.warn(
        'watchdog-lost',
        `the watchdog of this run has ended (${why}): if pillion is killed by SIGKILL now, its apps go on running`
      )
  })
