import type {AppPlan} from '../../model/plan.ts'
import {stopLevels} from '../../model/stop-levels.ts'
import {allOrNone} from '../../platform/in-parallel.ts'
import {systemClock, type Clock} from '../../platform/clock.ts'
import {aborted} from '../../platform/delay.ts'
import {withDeadline} from '../reload/deadline.ts'

/** An app as the stop order needs it. */
export interface Stoppable {
  readonly plan: Pick<AppPlan, 'id' | 'dependsOn'>
  /** Stops the app, and settles when it is completely gone. */
  stop(why: 'run ends'): Promise<unknown>
}

/** Maximum time for the dependents of an app to exit before the app itself is stopped, in ms. */
const MAX_LEVEL_MS = 1000
/** Maximum time from the stop of the first level to that of the last, in ms: scripts send SIGKILL to Pillion ten seconds after SIGTERM. */
const MAX_LEVELS_MS = 4000

/**
 * Stops apps in reverse `dependsOn` order, in levels: first the apps on which no other app depends. Stops a level after the previous level has
 * exited or its time is over. Settles when all apps have exited. `now`: aborted to stop all levels at once.
 */
export async function stopInOrder(
  apps: readonly Stoppable[],
  now: AbortSignal,
  clock: Clock = systemClock
): Promise<void> {
  const levels = stopLevels(apps)
  const levelMs = Math.min(MAX_LEVEL_MS, MAX_LEVELS_MS / Math.max(1, levels.length - 1))
  const deadline = {ms: levelMs, over: now, clock}
  const ending: Promise<unknown>[] = []
  for (const [index, level] of levels.entries()) {
    ending.push(...level.map(async app => app.stop('run ends')))
    if (index < levels.length - 1)
      await withDeadline(deadline, async late => Promise.race([Promise.allSettled(ending), aborted(late)]))
  }
  await allOrNone(ending)
}
