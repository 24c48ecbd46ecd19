import type {FoundRun} from '../control/client.ts'
import {UserError} from '../model/errors.ts'
import {findTemplate} from '../config/find.ts'
import {nameOf, templateHere} from './pick-run.ts'

/**
 * Finds the run with the Daeploy services: the run of the template that is named or in this folder, else the only run that
 * has the id, or that has any app. Undefined if there is none. Throws a UserError that names the runs if there are several.
 */
export function pickServices(
  runs: readonly FoundRun[],
  {runFile, id = ''}: {readonly runFile: string | undefined; readonly id?: string | undefined}
): FoundRun | undefined {
  const template = runFile === undefined ? templateHere() : findTemplate(runFile, process.cwd()).file
  const own = runs.filter(({listing}) => listing.templateFile === template)
  if (own.length > 0 || runFile !== undefined) return own[0]
  const having = runs.filter(({listing}) => id === '' || listing.apps.some(({appId}) => appId === id))
  if (having.length <= 1) return having[0]
  const names = having.map(({listing}) => nameOf(listing)).join(', ')
  throw new UserError(`there are several runs: ${names}`, {explanation: 'Select one with --run-file PATH.'})
}
