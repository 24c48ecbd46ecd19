import {livingRuns} from '../../control/living-runs.ts'
import {UserError} from '../../model/errors.ts'
import {isSamePath} from '../../platform/paths.ts'
import type {GivenFlags} from './given-flags.ts'
import {commandPlace, shownPath} from './pick-run.ts'

/**
 * Throws a `UserError` if the template of an `up` runs already and no `--name` asks for a second run: its apps would have the same ports
 * and files, and commands of the folder could not tell the two apart. `run -f` starts it twice, as Dapr's CLI does.
 */
export function refuseSecondRun(flags: GivenFlags): void {
  const [file] = flags.list('run-file')
  if (flags.text('name') !== undefined || file === '-') return
  const {template} = commandPlace(flags.with({'run-file': file}))
  if (template === undefined) return
  const other = livingRuns(process.env).find(({templateFile}) => isSamePath(templateFile, template))
  if (other === undefined) return
  throw new UserError(`${shownPath(template)} is already running (pid ${other.pid})`, {
    explanation:
      'pillion down ends it, pillion start ID starts one of its apps, pillion up --name NAME starts a second run.'
  })
}
