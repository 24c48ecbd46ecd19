import {livingRuns} from '../../control/living-runs.ts'
import type {RunIdentity} from '../../control/run-file.ts'
import {announceStart, ownStart, startingRuns, type StartingRun} from '../../control/starting-runs.ts'
import {shellQuoted} from '../../model/shell-quoted.ts'
import {isSameTemplate} from '../../platform/paths.ts'
import {askedRun, type SecondUp} from './asked-run.ts'
import type {CommandContext} from './command-handler.ts'
import {commandPlace, runPlace, shownPath} from './pick-run.ts'

/**
 * Answers an `up` whose template, or copy of it (`--name`), runs or starts already: its apps would have the same ports and files.
 * `run -f` starts it twice, as Dapr's CLI does. Waits for the end of a run that is stopping. Resolves with the exit code. undefined: there is
 * no such run; unless `how` is `wait` or `use`, the run of this process is then announced to other commands.
 */
export async function secondUp(call: CommandContext, how: SecondUp): Promise<number | undefined> {
  const {flags} = call
  const [file] = flags.list('run-file')
  if (file === '-' || flags.text('name') === '') return undefined // an empty name is refused later, with its own message
  const {template, name} = commandPlace(flags.with({'run-file': file}))
  if (template === undefined) return undefined
  const named = name === undefined ? '' : ` --name ${name}`
  const path = shownPath(template)
  const of = `${isSameTemplate(template, runPlace(undefined).template) ? '' : ` --run-file ${shellQuoted(path)}`}${named}`
  for (;;) {
    const other = await otherRun(template, {call, begins: how !== 'wait' && how !== 'use'})
    if (other === undefined) return undefined
    const {answerSecond} = await import('./second-answer.ts')
    const code = await answerSecond(call, how, {other, shown: `${path}${named}`, of})
    if (code !== undefined) return code // otherwise, the other run has ended
  }
}

/** Finds a running or starting run with the template and copy of an `up`. With `begins`, announces this process in the same step if there is no other run. */
async function otherRun(
  template: string,
  {call, begins}: {readonly call: CommandContext; readonly begins: boolean}
): Promise<StartingRun | undefined> {
  const name = call.flags.text('name')
  const isMeant = ({templateFile, copy}: RunIdentity): boolean =>
    isSameTemplate(templateFile, template) && (name === undefined || copy === name)
  // the run without a name comes before named copies
  const meant = (runs: readonly RunIdentity[]): RunIdentity | undefined =>
    runs.filter(isMeant).toSorted((a, b) => a.copy.localeCompare(b.copy))[0]
  if (!begins) return meant([...livingRuns(process.env), ...startingRuns(process.env)])
  let other: RunIdentity | undefined
  await announceStart(process.env, {...ownStart(template, name), asked: askedRun(call)}, ({living, starting}) => {
    other = meant([...living, ...starting])
    return other !== undefined
  })
  return other
}
