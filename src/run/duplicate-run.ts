import {findRuns} from '../control/client.ts'
import {messageOf} from '../model/errors.ts'
import type {Plan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'

export interface DuplicateRunOptions {
  readonly plan: Plan
  /** The mark of the own run. */
  readonly run: string
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly reporter: Reporter
}

/** Tells of other runs of the same template: Dapr starts both without a word. */
export async function warnDuplicateRun({
  plan: {file, shownAs},
  run,
  shell,
  reporter
}: DuplicateRunOptions): Promise<void> {
  if (file === '') return
  try {
    const duplicates = (await findRuns(shell)).filter(
      ({listing}) => listing.templateFile === file && listing.run !== run
    )
    if (duplicates.length === 0) return
    const pids = duplicates.map(({listing}) => listing.pid.toString()).join(', ')
    reporter.warn(
      'duplicate-run',
      `${shownAs} runs already (pid ${pids}): each run calls its own apps, and stop -f ends them all`
    )
  } catch (error) {
    reporter.warn('background-task-failed', `other runs cannot be asked: ${messageOf(error)}`)
  }
}
