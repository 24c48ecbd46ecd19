import {endMarked} from '../supervisor/process/end-group.ts'
import type {Orphan} from '../supervisor/process/process-tracker.ts'
import {findDead} from '../control/dead-runs.ts'
import {UserError} from '../model/errors.ts'
import {sweepWorkspaces} from '../daeploy/services/left-workspaces.ts'
import type {Reporter} from '../model/reporter.ts'

export interface SweepOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly reporter: Reporter
}

/** So long after its grace the watchdog of a run that was killed may still be at work. */
const WATCHDOG_MS = 1000

/**
 * Ends what runs that were killed have left behind, should their watchdogs not have done so, and removes their folders and
 * working copies. At once when there is none. Runs of which anything is uncertain are left alone.
 */
export async function sweep({env, reporter}: SweepOptions): Promise<void> {
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
}

/** A folder of runs that is open to others: nothing in it is to be trusted, and other commands name it. */
function nothingFrom(error: unknown): [] {
  if (error instanceof UserError) return []
  throw error
}

const wordsFor = ({pid, command}: Orphan): string =>
  `ended process ${pid.toString()}, which a run that was killed had left behind: ${command}`
