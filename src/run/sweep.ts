import {tmpdir} from 'node:os'
import {sweepWorkspaces} from '#daeploy'
import type {Environment} from '../model/environment.ts'
import {endMarked} from '../supervisor/process/end-group.ts'
import {findDead, isComplete, isTrial} from '../control/dead-runs.ts'
import type {RunFile} from '../control/run-file.ts'
import {UserError} from '../model/errors.ts'
import {aborted} from '../platform/delay.ts'
import {templateIdentity, namesInFolder} from '../platform/paths.ts'
import type {Reporter} from '../model/reporter.ts'
import type {RunContext} from './run-context.ts'

/** Time that the watchdog of a killed run may need after the grace period, in ms. */
const WATCHDOG_MS = 1000

/** Removes the rest of killed runs, if their watchdogs have not done so. Runs with uncertain data are left alone. */
export async function sweep(env: Environment, reporter: Reporter): Promise<void> {
  await endKilled(env, reporter)
  await sweepWorkspaces({env, reporter})
  if (namesInFolder(tmpdir()).some(isTrial)) await (await import('../control/trial-folder.ts')).sweepTrials(env)
}

/** Waits until a killed run of these apps is completely gone: it would have their ports and files. `over` ends the wait. */
export async function sweepFormer({plan, env, reporter}: RunContext, over: AbortSignal): Promise<void> {
  const {file, copy = '', apps} = plan
  const isFormer = ({identity: run}: Partial<RunFile> = {}): boolean =>
    run?.copy === copy &&
    templateIdentity(run.templateFile) === templateIdentity(file) &&
    apps.some(({id}) => run.appIds.includes(id))
  // a failure is reported by the sweep after the start
  await Promise.race([endKilled(env, reporter, isFormer).catch(() => undefined), aborted(over)])
}

/** Ends processes of the selected killed runs, and removes their folders. Returns at once without any. */
async function endKilled(env: Environment, reporter: Reporter, isAsked = isComplete): Promise<void> {
  const dead = await findDead(env, isAsked).catch((error: unknown) => {
    if (error instanceof UserError) return [] // a folder of runs that other users can write: other commands report it
    throw error
  })
  const endAll = dead.map(async ({marker, graceMs, spared, forget}) => {
    await endMarked({
      marker: `PILLION_RUN=${marker}`,
      spared: spared.map(each => `PILLION_LIFE=${each}`),
      timeoutMs: graceMs + WATCHDOG_MS,
      graceMs,
      ended: ({pid, command}) =>
        reporter.warn('process-ended', `ended process ${pid}, left behind by a killed run: ${command}`)
    })
    await forget()
  })
  await Promise.all(endAll)
}
