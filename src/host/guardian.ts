import {Guardian} from '../app/guardian.ts'
import type {Plan} from '../plan.ts'

/** All that is looked for by the run's mark has the longest grace that an app has: nobody knows whose it was. */
export const longestGraceMs = ({apps}: Plan): number => Math.max(0, ...apps.map(({stop}) => stop.timeoutMs))

export interface GuardianNeeds {
  readonly mark: string
  readonly plan: Plan
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly tell: (text: string) => void
}

/** The guardian of a run, not started yet. */
export const guardianFor = ({mark, plan, shell, tell}: GuardianNeeds): Guardian =>
  new Guardian({
    mark,
    graceMs: longestGraceMs(plan),
    searchPath: shell['PATH'] ?? '',
    lost: why =>
      tell(`nobody watches over this run any more (${why}): should it be killed by SIGKILL, its apps live on`)
  })
