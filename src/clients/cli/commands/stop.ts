import {existsSync} from 'node:fs'
import {resolve} from 'node:path'
import {ApiError} from '../../../control/api-client.ts'
import {endRun, unlessGone, type FoundRun} from '../../../control/client.ts'
import {livingRuns} from '../../../control/living-runs.ts'
import type {RunIdentity} from '../../../control/run-file.ts'
import {endBySignal, startingRuns} from '../../../control/starting-runs.ts'
import {UserError} from '../../../model/errors.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {isSameTemplate} from '../../../platform/paths.ts'
import {sweep} from '../../../run/sweep.ts'
import {findTemplate, nearestTemplate} from '../../../files/config/find.ts'
import {TEMPLATE_NAMES} from '../../../model/template-name.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {
  noRun,
  noSuchRun,
  pickRun,
  commandPlace,
  runPlace,
  runsAt,
  shownPath,
  whatRuns,
  type RunPlace
} from '../pick-run.ts'
import {idsOf, runsHere} from '../run-here.ts'
import type {Reporter} from '../../../model/reporter.ts'
import {HAS_TERMINAL, say, sayError} from '../say.ts'
import {isTemplatePath} from '../template-named.ts'

/**
 * `stop -f PATH`, `stop --name NAME`, `stop [--app-id] ID … [-f PATH]`: returns when the named runs or apps have ended. With ids, `-f` and `--name` choose the run. Succeeds if nothing is running: scripts stop twice.
 */
export const stop: CommandHandler = async ({flags: all, words, asJson}) => {
  const [runFile] = all.list('run-file') // the first of several files names the run
  const flags = runFile === undefined ? all : all.with({'run-file': runFile})
  const wanted = runFile === undefined ? undefined : await templateToStop(runFile, asJson)
  if (flags.text('version') === '') throw new UsageError('--version is empty: expected a version of a service')
  const ids = idsOf({words, flags})
  if (ids.length === 0 && flags.names.includes('name')) {
    await stopNamed(commandPlace(flags), asJson)
    say(process.stdout, 'success', STOPPED, asJson)
    return 0
  }
  if (wanted === undefined && ids.length === 0)
    say(process.stderr, 'warning', 'Nothing is named, so nothing is stopped: pillion stop ID, or pillion down', asJson)
  if (wanted !== undefined && ids.length === 0) {
    const message = `Failed to stop Dapr and app processes: couldn't find apps with run file "${wanted}"`
    const stopped = await stopTemplate(wanted, asJson)
    if (stopped === undefined) say(process.stderr, 'failure', message, asJson)
    else say(process.stdout, 'success', STOPPED, asJson)
    return 0
  }
  const runs = await runsHere(asJson, ({appIds}) =>
    ids.some(id => appIds.includes(id.replace(/\.\d+$/, '')) || appIds.includes(id))
  )
  const version = flags.text('version')
  const at = {...runPlace(undefined), ...(wanted !== undefined && {template: wanted, typed: shownPath(wanted)})}
  const place = {...at, name: flags.text('name')}
  const stops = ids.map(async id => stopApp(id, runs, {asJson, version, place}))
  return Math.max(0, ...(await Promise.all(stops)))
}

/** Returns the file of a template, also of one that was deleted while it runs. The error for an unknown file lists the commands that stop the living runs. */
async function templateToStop(runFile: string, asJson: boolean): Promise<string> {
  try {
    return findTemplate(runFile, process.cwd()).file
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const deleted = ['', ...TEMPLATE_NAMES].map(name => resolve(runFile, name)).find(templateHasRun())
    if (deleted !== undefined) return deleted
    const explanation = stopCommands(await runsHere(asJson))
    throw explanation === '' ? error : new UserError(error.message, {explanation, cause: error})
  }
}

/** Returns a function that checks whether a file is the template of a run. The file may be gone, as after a change of the branch. */
function templateHasRun(): (file: string) => boolean {
  const living = livingRuns(process.env)
  return file => living.some(({templateFile}) => isSameTemplate(templateFile, file))
}

function stopCommands(runs: readonly FoundRun[]): string {
  const files = new Set(runs.map(({listing}) => listing.template.file).filter(file => file !== ''))
  const commands = commandsOf('stop', files)
  return commands === '' ? '' : `What runs is stopped by:${HAS_TERMINAL ? '\n' : ' '}${commands}`
}

/** Returns a command for each file: on lines of their own on a terminal, else in one line. */
const commandsOf = (verb: string, files: Iterable<string>): string =>
  [...files].map(file => `pillion ${verb} -f ${shellQuoted(file)}`).join(HAS_TERMINAL ? '\n' : ' or ')

/** `down`: ends the runs of the folder's template, never those of another folder. Succeeds if there is nothing to end. */
export const down: CommandHandler = async ({words, flags, asJson}) => {
  const [first] = words
  if (first !== undefined) {
    const meant = isTemplatePath(first) ? `down -f ${first}` : `stop ${words.join(' ')}`
    throw new UsageError(`down takes no arguments: did you mean pillion ${meant}?`)
  }
  const done = (apps: number): number => {
    const what = apps === 0 ? 'the run is' : apps === 1 ? '1 app' : `${apps} apps`
    say(process.stdout, 'success', `${what} stopped`, asJson)
    return 0
  }
  if (flags.names.includes('name')) return done(await stopNamed(commandPlace(flags), asJson))
  const runFile = flags.text('run-file')
  const starter = runFile === undefined ? await starterHere(asJson) : undefined
  if (starter !== undefined) {
    await endRun(starter, warnSlow(asJson))
    return done(countOf([starter]))
  }
  const hasRun = templateHasRun()
  const here = nearestTemplate(process.cwd(), file => existsSync(file) || hasRun(file))
  const template = runFile === undefined ? here : await templateToStop(runFile, asJson)
  const explanation = template === undefined ? stopCommands(await runsHere(asJson)) : ''
  if (explanation !== '')
    throw new UserError('there is no template in this folder or above it', {explanation, code: 'several-runs'})
  const stopped = template === undefined ? undefined : await stopTemplate(template, asJson)
  if (stopped !== undefined) return done(stopped)
  const what = template === undefined ? 'nothing is running' : `${shownPath(template)} is not running`
  say(process.stdout, 'info', `There is nothing to stop: ${what}`, asJson)
  return 0
}

/** Returns the run whose app or `exec` started this command, if the run is of this folder. */
async function starterHere(asJson: boolean): Promise<FoundRun | undefined> {
  const place = runPlace(undefined)
  if (place.startedBy === undefined) return undefined
  const [[run] = []] = runsAt(await runsHere(asJson), place)
  return run?.listing.run === place.startedBy ? run : undefined
}

const STOPPED = 'Dapr and app processes stopped successfully'

/** Returns the number of apps of these runs that the user had not stopped before. */
const countOf = (runs: readonly FoundRun[]): number =>
  runs.flatMap(({listing}) => listing.apps).filter(({state}) => state !== 'stopped').length

/** Ends the running or starting run of `--name`, and returns the number of its apps. Throws a UserError if there is none. */
async function stopNamed(place: RunPlace, asJson: boolean): Promise<number> {
  const isMeant = ({name, templateFile}: RunIdentity): boolean =>
    name === place.name && (place.typed === '' || isSameTemplate(templateFile, place.template))
  // a starting run gets the name only if no living run has it
  const isTaken = livingRuns(process.env).some(({name}) => name === place.name)
  const starting = isTaken ? [] : startingRuns(process.env).filter(isMeant)
  const files = new Set(starting.map(({templateFile}) => templateFile))
  if (files.size > 1)
    throw new UserError(`several runs are being started that may be called "${place.name}"`, {
      explanation: commandsOf('down', files),
      code: 'several-runs'
    })
  const wasStarting = await endBySignal(starting, warnSlow(asJson))
  const runs = await runsHere(asJson, ({name}) => name === place.name)
  const run = pickRun(runs, place)
  if (run !== undefined) await endRun(run, warnSlow(asJson))
  else if (!(await endBySignal(mute(runs).filter(isMeant), warnSlow(asJson))) && !wasStarting) throw noRun(runs, place)
  return countOf(run === undefined ? [] : [run])
}

/** Ends the runs of a template, and removes the rest of killed runs. Resolves with the number of stopped apps; undefined: the template has no run. */
async function stopTemplate(file: string, asJson: boolean): Promise<number | undefined> {
  const warn: Reporter['warn'] = (code, text) => say(process.stderr, 'warning', text, asJson, code)
  const isMeant = ({templateFile}: RunIdentity): boolean => isSameTemplate(templateFile, file)
  // starting runs first: one that finishes its start meanwhile is found among the runs
  const wasStarting = await endBySignal(startingRuns(process.env).filter(isMeant), warnSlow(asJson))
  const runs = await runsHere(asJson, isMeant)
  const meant = runs.filter(run => isSameTemplate(run.listing.template.file, file))
  const [hasEnded] = await Promise.all([
    endBySignal(mute(runs).filter(isMeant), warnSlow(asJson)),
    ...meant.map(async run => endRun(run, warnSlow(asJson))),
    sweep(process.env, {warn})
  ])
  return wasStarting || hasEnded || meant.length > 0 ? countOf(meant) : undefined
}

/** Returns the living runs that do not answer commands, such as runs of another version of Pillion. `runs`: those that answer. */
const mute = (runs: readonly FoundRun[]): readonly RunIdentity[] =>
  livingRuns(process.env).filter(({pid}) => !runs.some(({listing}) => listing.pid === pid))

/** Returns a function that warns the user of a run whose apps take long to end. */
const warnSlow =
  (asJson: boolean) =>
  (pid: number): void => {
    const text = `the run with pid ${pid} is still stopping: "pillion ps" shows its apps; "kill -9 ${pid}" ends it, and its watchdog ends its apps`
    say(process.stderr, 'warning', text, asJson)
  }

/** Stops one app. Returns 1 if that fails, as for an ambiguous id. Reports an unknown id, which counts as success. */
async function stopApp(
  id: string,
  runs: readonly FoundRun[],
  {asJson, version, place}: {asJson: boolean; version: string | undefined; place: RunPlace}
): Promise<number> {
  const fail = (error: UserError): void => sayError(error, asJson, `failed to stop app id ${id}: ${error.message}`)
  try {
    const tell = (text: string): void => say(process.stdout, 'success', text, asJson)
    const run = pickRun(runs, place, {id, isAnywhere: place.typed === ''})
    if (run === undefined) {
      const isAnywhere = place.typed === '' && place.name === undefined
      fail(
        isAnywhere
          ? new UserError(noSuchRun(id, runs), {
              explanation: whatRuns(runs),
              code: runs.length === 0 ? 'no-run' : 'no-such-app'
            })
          : noRun(runs, place, id)
      )
    } else if (version !== undefined) {
      await unlessGone(
        async () => void (await run.api.ask('DELETE /services/{name}/{version}', {at: {name: id, version}})),
        undefined
      )
      tell(`app stopped successfully: ${id} ${version}`)
    } else if (await stopIn(run, id)) {
      tell(`app stopped successfully: ${id}`)
      if (isLast(id, run)) say(process.stderr, 'info', `"${id}" was the last app of the run, which ends`, asJson)
    } else tell(`app is already stopped: ${id}`)
    return 0
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    fail(error)
    return 1
  }
}

/** Whether no other app of the template runs or may run again. */
const isLast = (id: string, {listing: {template, apps}}: FoundRun): boolean =>
  template.file !== '' && apps.every(app => app.id === id || ['exited', 'stopped', 'removed'].includes(app.state))

/** Stops an app. Resolves with false if it is stopped already. If the run ends with it, as with its last app, resolves with true. */
async function stopIn({api}: FoundRun, id: string): Promise<boolean> {
  try {
    await unlessGone(async () => void (await api.ask('POST /apps/{id}/stop', {at: {id}})), undefined)
    return true
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return false
    throw error
  }
}
