import {tmpdir} from 'node:os'
import {sweepWorkspaces} from '#daeploy'
import type {Environment} from '../model/environment.ts'
import {endMarked} from '../supervisor/process/end-group.ts'
import type {Orphan} from '../supervisor/process/process-tracker.ts'
import type {RunIdentity} from '../control/run-file.ts'
import {findDead, isTrial, killedRuns} from '../control/dead-runs.ts'
import {UserError} from '../model/errors.ts'
import type {Plan} from '../model/plan.ts'
import {aborted} from '../platform/delay.ts'
import {isSamePath, namesInFolder} from '../platform/paths.ts'
import type {Reporter} from '../model/reporter.ts'

/** The watchdog of a killed run may need this long after the grace period. */
const WATCHDOG_MS = 1000

export interface FormerOptions {
  readonly env: Environment
  readonly reporter: Reporter
  readonly over: AbortSignal
}

/**
 * Ends processes that killed runs have left behind, if their watchdogs have not done so, and removes their folders and
 * working copies. Returns immediately if there are none. Runs with uncertain data are left alone.
 */
export async function sweep(env: Environment, reporter: Reporter): Promise<void> {
  const dead = await findDead(env).catch(nothingFrom)
  await Promise.all(
    dead.map(async ({marker, graceMs, spared, forget}) => {
      await endMarked({
        marker: `PILLION_RUN=${marker}`,
        spared: spared.map(each => `PILLION_LIFE=${each}`),
        timeoutMs: graceMs + WATCHDOG_MS,
        graceMs,
        ended: orphan => reporter.warn('process-ended', wordsFor(orphan))
      })
      await forget()
    })
  )
  await sweepWorkspaces({env, reporter})
  if (namesInFolder(tmpdir()).some(isTrial)) await (await import('../control/trial-folder.ts')).sweepTrials(env)
}

/** If a run of these apps was killed, waits until nothing of it is left: it would have their ports and files. `over` ends the wait. */
export async function sweepFormer({file, copy = '', apps}: Plan, options: FormerOptions): Promise<void> {
  const ids = new Set(apps.map(({id}) => id))
  const isFormer = (run: RunIdentity): boolean =>
    run.copy === copy &&
    (run.templateFile === file || isSamePath(file, run.templateFile)) &&
    run.appIds.some(id => ids.has(id))
  const {env, reporter, over} = options
  // what fails is told by the sweep that follows the start
  if (killedRuns(env).some(isFormer)) await Promise.race([sweep(env, reporter).catch(() => undefined), aborted(over)])
}

/** A folder of runs that other users can write cannot be trusted; other commands report it. */
function nothingFrom(error: unknown): [] {
  if (error instanceof UserError) return []
  throw error
}

const wordsFor = ({pid, command}: Orphan): string => `ended process ${pid}, left behind by a killed run: ${command}`
