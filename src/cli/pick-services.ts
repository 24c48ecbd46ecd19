import type {FoundRun} from '../control/client.ts'
import {UserError} from '../model/errors.ts'
import {findTemplate} from '../config/find.ts'
import {nameOf, templateHere} from './pick-run.ts'

/**
 * The run whose Daeploy services are meant: that of the template that is named, or lies here, else the only one that has
 * the id, or any service at all. Throws a UserError that names them where there are several; undefined where there is none.
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
  throw new UserError(`several runs are meant: ${names}`, {explanation: 'Name one by --run-file PATH.'})
}
