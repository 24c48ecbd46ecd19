import type {FoundRun} from '../../control/client.ts'
import {messageOf, UserError} from '../../model/errors.ts'
import {sweep} from '../../run/sweep.ts'
import {findTemplate} from '../../config/find.ts'
import type {CommandHandler} from '../command-handler.ts'
import {idsOf, pickRun, runsHere, templateHere, unknownId} from '../pick-run.ts'
import type {Reporter} from '../../model/reporter.ts'
import {say} from '../say.ts'
import {isTemplatePath} from '../template-named.ts'
import {UsageError} from '../usage-error.ts'

/** `stop -f PATH`, `stop [--app-id] ID …`: returns when everything named has ended. Succeeds if nothing is running: scripts stop twice. */
export const stop: CommandHandler = async ({flags, words, asJson}) => {
  const runFile = flags.text('run-file')
  const wanted = runFile === undefined ? undefined : await templateToStop(runFile, asJson)
  const ids = idsOf({words, flags})
  if (wanted === undefined && ids.length === 0)
    say(process.stderr, 'warning', 'Nothing is named, so nothing is stopped: pillion stop ID, or pillion down', asJson)
  const runs = await runsHere(asJson, ({templateFile, appIds}) =>
    wanted === undefined ? ids.some(id => appIds.includes(id)) : templateFile === wanted
  )
  if (wanted !== undefined) {
    const warn: Reporter['warn'] = (code, text) => say(process.stderr, 'warning', text, asJson, code)
    await Promise.all([stopTemplate(wanted, runs, asJson), sweep({env: process.env, reporter: {warn}})])
    return 0
  }
  const version = flags.text('version')
  const stops = ids.map(async id => stopApp(id, runs, {asJson, version}))
  return Math.max(0, ...(await Promise.all(stops)))
}

/** The error for a template that is not there names what could be meant. */
async function templateToStop(runFile: string, asJson: boolean): Promise<string> {
  try {
    return findTemplate(runFile, process.cwd()).file
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const files = (await runsHere(asJson)).map(({listing}) => listing.templateFile).filter(file => file !== '')
    if (files.length === 0) throw error
    const commands = [...new Set(files)].map(file => `pillion stop -f ${file}\n`)
    throw new UserError(error.message, {explanation: `What runs is stopped by:\n${commands.join('')}`, cause: error})
  }
}

/** `down`: `stop -f .` */
export const down: CommandHandler = async context => {
  const {words, flags} = context
  const [first] = words
  if (first === undefined) return stop({...context, flags: flags.or({'run-file': '.'})})
  const meant = isTemplatePath(first) ? `down -f ${first}` : `stop ${words.join(' ')}`
  throw new UsageError(`down takes no arguments: did you mean pillion ${meant}?`)
}

async function stopTemplate(file: string, runs: readonly FoundRun[], asJson: boolean): Promise<void> {
  const meant = runs.filter(run => run.listing.templateFile === file)
  if (meant.length === 0) {
    const message = `Failed to stop Dapr and app processes: couldn't find apps with run file "${file}"`
    say(process.stderr, 'failure', message, asJson)
    return
  }
  await Promise.all(meant.map(async run => run.stop()))
  say(process.stdout, 'success', 'Dapr and app processes stopped successfully', asJson)
}

/** Stops one app. Returns 1 if the id is ambiguous. An unknown id counts as success. */
async function stopApp(
  id: string,
  runs: readonly FoundRun[],
  {asJson, version}: {asJson: boolean; version: string | undefined}
): Promise<number> {
  const fail = (why: string): void => say(process.stderr, 'failure', `failed to stop app id ${id}: ${why}`, asJson)
  try {
    const tell = (text: string): void => say(process.stdout, 'success', text, asJson)
    const run = pickRun(id, runs, templateHere())
    if (run === undefined) fail(unknownId(id, runs))
    else if (version !== undefined) {
      const why = await run.remove(id, version)
      if (why !== '') throw new UserError(why)
      tell(`app stopped successfully: ${id} ${version}`)
    } else if (await run.stopApp(id)) tell(`app stopped successfully: ${id}`)
    else tell(`app is already stopped: ${id}`)
    return 0
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    fail(messageOf(error))
    return 1
  }
}
