import {resolve} from 'node:path'
import {findRuns, type FoundRun} from '../control/client.ts'
import type {RunListing} from '../control/messages.ts'
import {isCalled} from '../control/listing.ts'
import {UserError} from '../model/errors.ts'
import {print, statusLine} from './print.ts'

/** All runs of the user that answer; a folder of runs that is skipped is named on stderr. */
export const runsHere = async (asJson: boolean): Promise<readonly FoundRun[]> =>
  findRuns(process.env, text => print(process.stderr, statusLine('warning', text, asJson)))

/** The template that is meant where none is named. */
export const templateHere = (): string => resolve('dapr.yaml')

/**
 * The run that an app's id means: the one of this folder's template, else the only one that has it; undefined where none
 * has. Throws a UserError that names them where there are several.
 */
export function pickRun(id: string, runs: readonly FoundRun[], template: string): FoundRun | undefined {
  const having = runs.filter(({listing}) => listing.apps.some(app => isCalled(app, id)))
  const own = having.filter(({listing}) => listing.templateFile === template)
  const meant = own.length > 0 ? own : having
  if (meant.length <= 1) return meant[0]
  throw new UserError(`app id ${id} is in several runs: ${meant.map(({listing}) => nameOf(listing)).join(', ')}`, {
    explanation: `From the folder of a template, its run is meant. One run as a whole is ended by: kill <pid>`
  })
}

/** A run, for people. */
export const nameOf = ({templateFile, pid}: RunListing): string =>
  `${templateFile === '' ? 'a single run' : templateFile} (pid ${pid.toString()})`
