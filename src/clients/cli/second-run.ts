import {livingRuns} from '../../control/living-runs.ts'
import type {RunIdentity} from '../../control/run-file.ts'
import {announceStart, ownStart, startingRuns} from '../../control/starting-runs.ts'
import {UserError} from '../../model/errors.ts'
import {shellQuoted} from '../../model/shell-quoted.ts'
import {isSameTemplate} from '../../platform/paths.ts'
import type {GivenFlags} from './given-flags.ts'
import {commandPlace, runPlace, shownPath} from './pick-run.ts'

/**
 * Throws a `UserError` if the template of an `up` runs already, or is about to, and no `--name` asks for a second run: its apps would have
 * the same ports and files, and commands of the folder could not tell the two apart. `run -f` starts it twice, as Dapr's CLI does. Where
 * `begins`, the run is to be that of this process: others are refused from now on.
 */
export async function refuseSecondRun(flags: GivenFlags, begins: boolean): Promise<void> {
  const [file] = flags.list('run-file')
  if (flags.text('name') !== undefined || file === '-') return
  const {template} = commandPlace(flags.with({'run-file': file}))
  if (template === undefined) return
  const of = isSameTemplate(template, runPlace(undefined).template) ? '' : ` -f ${shellQuoted(shownPath(template))}`
  const refuse = (living: readonly RunIdentity[], starting: readonly RunIdentity[]): void => {
    refuseAny(living, {template, of, what: 'is already running'})
    refuseAny(starting, {template, of, what: 'is already being started'})
  }
  if (begins) await announceStart(process.env, ownStart(template), ({living, starting}) => refuse(living, starting))
  else refuse(livingRuns(process.env), startingRuns(process.env))
}

/** `of`: how commands name the template. */
function refuseAny(
  others: readonly RunIdentity[],
  {template, of, what}: {readonly template: string; readonly of: string; readonly what: string}
): void {
  const other = others.find(({templateFile}) => isSameTemplate(templateFile, template))
  if (other === undefined) return
  throw new UserError(`${shownPath(template)} ${what} (pid ${other.pid})`, {
    explanation: `pillion down${of} ends it, pillion start${of} ID starts one of its apps, pillion up${of} --name NAME starts a second run.`
  })
}
