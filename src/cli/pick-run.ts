import {existsSync} from 'node:fs'
import {resolve} from 'node:path'
import {findRuns, type FoundRun} from '../control/client.ts'
import type {RunListing} from '../control/messages.ts'
import type {RunIdentity} from '../control/run-file.ts'
import {isCalled} from '../control/listing.ts'
import {findTemplate, TEMPLATE_NAMES} from '../config/find.ts'
import {UserError} from '../model/errors.ts'
import {nearMiss} from '../model/near-miss.ts'
import type {CommandContext} from './command-handler.ts'
import {say} from './say.ts'

/** All runs of the user that respond. Folders that are skipped, and suspended runs that are not resumed, are named on stderr. */
export async function runsHere(
  asJson: boolean,
  resumes: (run: RunIdentity) => boolean = () => false
): Promise<readonly FoundRun[]> {
  const warn = (text: string): void => say(process.stderr, 'warning', text, asJson)
  return findRuns(process.env, warn, run => {
    if (resumes(run)) return 'resume'
    const name = run.templateFile === '' ? `the run of "${run.appIds.join(', ')}"` : `the run of ${run.templateFile}`
    const pid = run.pid.toString()
    warn(`${name} (pid ${pid}) is suspended: resume it with fg in its terminal, or with kill -CONT ${pid}`)
    return 'skip'
  })
}

/** The template that is used if none is named. */
export const templateHere = (): string => {
  const [usual = '', other = usual] = TEMPLATE_NAMES.map(name => resolve(name))
  return !existsSync(usual) && existsSync(other) ? other : usual
}

/** The ids that a command names: its arguments, then `--app-id`; each once. */
export const idsOf = ({words, flags}: Pick<CommandContext, 'words' | 'flags'>): readonly string[] => [
  ...new Set([...words, flags.text('app-id') ?? []].flat())
]

/** The runs of the template that `--run-file` names, all where it names none. */
export function runsOf(runs: readonly FoundRun[], runFile: string | undefined): readonly FoundRun[] {
  if (runFile === undefined) return runs
  const {file} = findTemplate(runFile, process.cwd())
  return runs.filter(({listing}) => listing.templateFile === file)
}

/** For an error about an id that no run has: what runs. */
export const whatRuns = (runs: readonly FoundRun[]): string =>
  runs.length === 0
    ? 'Nothing is running: "pillion up" starts the template of a folder.'
    : `Running: ${runs.flatMap(({listing}) => listing.apps.map(({appId}) => appId)).join(', ')}`

/** The error for an unknown id, with the most similar one. */
export function unknownId(id: string, runs: readonly FoundRun[]): string {
  const near = nearMiss(
    id,
    runs.flatMap(({listing}) => listing.apps.map(({appId}) => appId))
  )
  return `couldn't find app id ${id}${near === '' ? '' : `: did you mean "${near}"?`}`
}

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
