import {resolve} from 'node:path'
import {findRuns, type FoundRun} from '../control/client.ts'
import type {RunListing} from '../control/messages.ts'
import {isCalled} from '../control/listing.ts'
import {UserError} from '../model/errors.ts'
import {print, statusLine} from './print.ts'

/** All runs of the user that respond. If a folder of runs is skipped, a warning on stderr names it. */
export const runsHere = async (asJson: boolean): Promise<readonly FoundRun[]> =>
  findRuns(process.env, text => print(process.stderr, statusLine('warning', text, asJson)))

/** The template that is used if none is named. */
export const templateHere = (): string => resolve('dapr.yaml')

/**
 * Finds the run of an app: the run of this folder's template if it has the app, else the only run that has it; undefined if
 * none has it. Throws a UserError that names the runs if there are several.
 */
export function pickRun(id: string, runs: readonly FoundRun[], template: string): FoundRun | undefined {
  const having = runs.filter(({listing}) => listing.apps.some(app => isCalled(app, id)))
  const own = having.filter(({listing}) => listing.templateFile === template)
  const meant = own.length > 0 ? own : having
  if (meant.length <= 1) return meant[0]
  throw new UserError(`app id ${id} is in several runs: ${meant.map(({listing}) => nameOf(listing)).join(', ')}`, {
    explanation: `Use this command in the folder of a template to select its run. To stop one whole run: kill <pid>`
  })
}

/** Names a run in messages. */
export const nameOf = ({templateFile, pid}: RunListing): string =>
  `${templateFile === '' ? 'a single run' : templateFile} (pid ${pid.toString()})`
