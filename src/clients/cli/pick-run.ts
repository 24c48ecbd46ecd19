import {dirname, join, relative} from 'node:path'
import {findTemplate, nearestTemplate} from '../../files/config/find.ts'
import {type FoundRun, isCalled} from '../../control/client.ts'
import {startingRuns} from '../../control/starting-runs.ts'
import type {RunListing} from '../../control/run-control.ts'
import {UserError} from '../../model/errors.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {isSamePath, isSameTemplate} from '../../platform/paths.ts'
import type {GivenFlags} from './given-flags.ts'
import {HAS_TERMINAL, hintOf, UP} from './say.ts'

/** Facts about a command that select its run, besides the id of an app. */
export interface RunPlace {
  readonly folder: string
  /** The template at or above the folder, or the one that `--run-file` names, if there is one. */
  readonly template: string | undefined
  /** The value of `--run-file`, for messages; may be empty. */
  readonly typed: string
  /** The name of the run, wherever it is (`--name`). Without it any run of the place is meant. */
  readonly name?: string | undefined
  /** The marker of the run that started this command. Its own template wins over other runs of the same one. */
  readonly startedBy?: string | undefined
}

/** Returns the place of a command with these flags. Throws a UserError if the template that `--run-file` names is not there. */
export const commandPlace = (flags: GivenFlags): RunPlace => ({
  ...runPlace(flags.text('run-file')),
  name: flags.text('name')
})

/** Returns the place of a command: its folder, or the template that `--run-file` names. Throws a UserError if that is not there. */
export function runPlace(runFile: string | undefined, cwd = process.cwd()): RunPlace {
  const startedBy = process.env['PILLION_RUN'] ?? process.env['PILLION_EXEC']
  if (runFile === undefined) return {folder: cwd, template: nearestTemplate(cwd), typed: '', startedBy}
  const {file, folder, shownAs} = findTemplate(runFile, cwd)
  return {folder, template: file, typed: shownAs}
}

/**
 * Returns groups of runs of a place, best first. With `--name`: the runs of this name; with `--run-file`: of that template; in a command of a run: that run. Otherwise: the runs of the nearest template, then those of other templates in its folder, and of single apps started there or below.
 */
export function runsAt(runs: readonly FoundRun[], place: RunPlace): readonly (readonly FoundRun[])[] {
  if (place.name !== undefined) {
    const called = runs.filter(({listing}) => listing.name === place.name)
    return [
      place.typed === '' ? called : called.filter(({listing}) => isSameTemplate(listing.template.file, place.template))
    ]
  }
  const starter = runs.find(({listing: {run}}) => run === (place.startedBy ?? ''))
  if (
    starter !== undefined &&
    place.typed === '' &&
    (place.template === undefined || isOfProject(starter.listing, place))
  )
    return [[starter]]
  const exact = runs.filter(({listing}) => isSameTemplate(listing.template.file, place.template))
  if (place.typed !== '') return [exact]
  return [exact, runs.filter(run => !exact.includes(run) && isOfProject(run.listing, place))]
}

interface WantedRuns {
  readonly id?: string | undefined
  /** Includes runs of other folders: for `stop ID`, as in Dapr. */
  readonly isAnywhere?: boolean
}

/**
 * Returns the runs that a command concerns: those of its folder, which is the folder of the nearest template above. In a folder without
 * a template and runs, a command concerns all runs.
 */
export function runsMeant(
  runs: readonly FoundRun[],
  place: RunPlace,
  {id, isAnywhere = false}: WantedRuns = {}
): readonly FoundRun[] {
  const others = place.name === undefined && (isAnywhere || place.template === undefined) ? runs : []
  const tiers = [...runsAt(runs, place), others]
  return tiers.map(tier => tier.filter(run => id === undefined || has(run, id))).find(tier => tier.length > 0) ?? []
}

/** Returns the run that a command concerns, if there is one. Throws a UserError that names them if there are several. */
export function pickRun(runs: readonly FoundRun[], place: RunPlace, wanted: WantedRuns = {}): FoundRun | undefined {
  const meant = runsMeant(runs, place, wanted)
  const [run, ...others] = meant
  if (others.length === 0) return run
  const what = wanted.id === undefined ? 'there are several runs' : `app id ${wanted.id} is in several runs`
  const flags = meant.map(({listing}) => `--name ${listing.name}`).join(' or ')
  throw new UserError(`${what}: ${namesOf(meant)}`, {explanation: `Select one with ${flags}.`, code: 'several-runs'})
}

const SELECT = 'Select one with --run-file PATH, or by using the command in its folder.'

/** Returns the error for a command without a run, with the runs elsewhere. */
export function noRun(runs: readonly FoundRun[], place: RunPlace, id?: string): UserError {
  const own = runsAt(runs, place).flat()
  const others = runs.filter(run => !own.includes(run))
  const start = own.length === 0 ? startText(place) : ''
  if (start !== '')
    return new UserError(start, {explanation: 'pillion wait --for ready waits for it.', code: 'starting'})
  if (place.name !== undefined && own.length === 0) return noneCalled(place.name, runs)
  if (runs.length === 0)
    return new UserError(id === undefined ? missing(place) : noSuchRun(id, []), {
      explanation: NOTHING_RUNS,
      code: 'no-run'
    })
  if (id === undefined || (own.length === 0 && place.template !== undefined))
    return new UserError(missing(place, others), {explanation: otherRuns(others, place), code: 'no-run'})
  const seen = own.length > 0 ? own : runs
  const having = others.filter(run => has(run, id))
  const explanation =
    own.length === 0 || having.length === 0 ? whatRuns(seen) : hintOf(whatRuns(seen), otherRuns(having))
  return new UserError(noSuchRun(id, seen), {explanation, code: 'no-such-app'})
}

/** Returns the error for a name that no run has. */
export function noneCalled(name: string, runs: readonly FoundRun[]): UserError {
  const names = runs.map(({listing}) => listing.name)
  const near = nearMiss(name, names)
  return new UserError(`no run is called "${name}"${near === '' ? '' : `: did you mean "${near}"?`}`, {
    explanation: names.length === 0 ? NOTHING_RUNS : `Running: ${names.join(', ')}`,
    code: 'no-such-run'
  })
}

function missing({template, typed}: RunPlace, others: readonly FoundRun[] = []): string {
  if (typed !== '') return `there is no run of ${typed}`
  return template === undefined || others.length === 0
    ? 'there is no run'
    : `nothing runs here: ${template} is not running`
}

/** Names the runs elsewhere, and the next step. A caller without a terminal, such as an agent, gets the command that starts its own template. */
function otherRuns(others: readonly FoundRun[], {template, typed}: Partial<RunPlace> = {}): string {
  const isOwn = template !== undefined && typed === '' && !HAS_TERMINAL
  const hint = isOwn ? `"${UP}" starts this one.` : SELECT
  return others.length === 0 ? '' : `Running elsewhere: ${namesOf(others)}. ${hint}`
}

/** Returns the text that follows an empty answer: the template of this folder starts, or does not run while others do; '': neither. */
export function elsewhere(runs: readonly FoundRun[], place: RunPlace): string {
  if (runsAt(runs, place).flat().length > 0) return ''
  const start = startText(place)
  const isOther = runs.length > 0 && place.template !== undefined && place.name === undefined
  return start === '' && isOther ? hintOf(missing(place, runs), otherRuns(runs, place)) : start
}

/** Returns the text for a run of this place that is starting and not listed yet; '': there is none. */
export function startText({template, name}: RunPlace): string {
  if (template === undefined) return ''
  const start = startingRuns(process.env).find(
    each => isSameTemplate(each.templateFile, template) && (name === undefined || each.copy === name)
  )
  if (start === undefined) return ''
  return `${shownPath(template)} is starting (pid ${start.pid})${start.preparing === undefined ? '' : `: ${start.preparing}`}`
}

const NOTHING_RUNS = `Nothing is running: "${UP}" starts the template of a folder.`

/** Returns a template as messages name it: from the current folder on. */
export const shownPath = (template: string): string => relative(process.cwd(), template)

/** Names the runs and apps, for an error about an unknown id. */
export const whatRuns = (runs: readonly FoundRun[]): string =>
  runs.length === 0 ? NOTHING_RUNS : `Running: ${idsIn(runs).join(', ')}`

/** Returns the message for an unknown id, with the most similar one. */
export function noSuchRun(id: string, runs: readonly FoundRun[]): string {
  const near = nearMiss(id, idsIn(runs))
  return `couldn't find app id ${id}${near === '' ? '' : `: did you mean "${near}"?`}`
}

const idsIn = (runs: readonly FoundRun[]): readonly string[] => [
  ...new Set(runs.flatMap(({listing}) => listing.apps.map(({id}) => id)))
]

const has = ({listing}: FoundRun, id: string): boolean => listing.apps.some(app => isCalled(app, id))

/** Names a run in messages. */
export function runName({template: {file}, pid, apps: [app]}: RunListing): string {
  const single = app === undefined ? 'a single run' : `the single run of "${app.id}"`
  return `${file === '' ? single : file} (pid ${pid})`
}

const namesOf = (runs: readonly FoundRun[]): string => runs.map(({listing}) => runName(listing)).join(', ')

/** Whether a run is of a template in the place's folder, or runs a single app that was started in the place's project. */
function isOfProject({template: {file}, folder}: RunListing, place: RunPlace): boolean {
  const project = place.template ?? join(place.folder, NO_TEMPLATE)
  if (file !== '') return isSamePath(dirname(file), dirname(project))
  return isSamePath(nearestTemplate(folder) ?? join(folder, NO_TEMPLATE), project)
}

const NO_TEMPLATE = '-'
