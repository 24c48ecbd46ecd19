import type {RunContext} from './run-context.ts'
import {livingRuns} from '../control/living-runs.ts'
import {messageOf} from '../model/errors.ts'
import {isSameTemplate} from '../platform/paths.ts'

/** Warns about other runs of the same template, which Dapr would start without a word. */
export function warnDuplicateRun(
  {plan: {file, shownAs}, env, reporter}: Pick<RunContext, 'plan' | 'env' | 'reporter'>,
  name: string
): void {
  if (file === '') return
  try {
    const duplicates = livingRuns(env).filter(
      ({pid, templateFile}) => pid !== process.pid && isSameTemplate(templateFile, file)
    )
    if (duplicates.length === 0) return
    const pids = duplicates.map(({pid}) => pid.toString()).join(', ')
    reporter.warn(
      'duplicate-run',
      `${shownAs} is already running (pid ${pids}): each run calls its own apps, and stop -f stops all of them. This one is called ${name}: see --name`
    )
  } catch (error) {
    reporter.warn('background-task-failed', `cannot query other runs: ${messageOf(error)}`)
  }
}
