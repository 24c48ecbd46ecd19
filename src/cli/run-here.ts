import type {FoundRun} from '../control/client.ts'
import {findTemplate} from '../config/find.ts'
import {UserError} from '../model/errors.ts'
import {nameOf, runsHere, templateHere} from './pick-run.ts'

/** The run of the named template, or of the one in this folder, else the only run. Throws a UserError if there is none, or there are several. */
export async function runHere(runFile: string | undefined, asJson: boolean): Promise<FoundRun> {
  const named = runFile === undefined ? undefined : findTemplate(runFile, process.cwd())
  const template = named?.file ?? templateHere()
  const runs = await runsHere(asJson)
  const own = runs.filter(({listing}) => listing.templateFile === template)
  const meant = own.length > 0 || runFile !== undefined ? own : runs
  const [run, ...others] = meant
  if (run === undefined) {
    const elsewhere =
      runs.length === 0
        ? 'Nothing is running: "pillion up" starts the template of a folder.'
        : `Running: ${runs.map(({listing}) => nameOf(listing)).join(', ')}`
    throw new UserError(named === undefined ? 'there is no run' : `there is no run of ${named.shownAs}`, {
      explanation: elsewhere
    })
  }
  if (others.length === 0) return run
  throw new UserError(`there are several runs: ${meant.map(({listing}) => nameOf(listing)).join(', ')}`, {
    explanation: 'Select one with --run-file PATH.'
  })
}
