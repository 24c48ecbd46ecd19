import {UserError} from '../model/errors.ts'
import {keptLog} from '../logging/finished-log.ts'
import {TerminalText} from '../logging/terminal-text.ts'
import {findTemplate} from '../config/find.ts'
import {loadTemplate} from '../config/load.ts'
import type {CommandHandler} from './command-handler.ts'
import {pickRun, runsHere, templateHere} from './pick-run.ts'
import {statusLine} from './print.ts'
import {sinceOf} from './since.ts'
import {surroundings} from './surroundings.ts'

/** `logs --app-id ID [-f] [--tail N] [--since T] [--run-file PATH]`: of a run that processes, else the last log file of a template's app. */
export const logs: CommandHandler = async ({flags, asJson}) => {
  const id = flags.text('app-id') ?? ''
  const tail = flags.int('tail') ?? -1
  const since = flags.names.includes('since') ? sinceOf(flags.text('since') ?? '', Date.now()) : 0
  const version = flags.text('version') ?? ''
  const runFile = flags.text('run-file')
  const template = runFile === undefined ? templateHere() : findTemplate(runFile, process.cwd()).file
  const runs = await runsHere(asJson)
  const meant = runFile === undefined ? runs : runs.filter(({listing}) => listing.templateFile === template)
  const run = pickRun(id, meant, template)
  const texts =
    (await run?.logs(id, {tail, since, isFollowed: flags.isSet('follow'), version})) ??
    (await kept({id, tail, since, runFile, asJson}))
  process.stdout.on('error', () => process.exit()) // `logs | head`: whoever reads has enough
  const prefix = run?.listing.templateFile === '' ? '' : `== APP - ${id} == `
  for await (const text of shown(texts, prefix)) if (!process.stdout.write(text, 'latin1')) await drained()
  return 0
}

/** What a terminal may have of them; a pipe or a file gets them as they are. */
async function* shown(texts: AsyncIterable<string>, prefix: string): AsyncIterable<string> {
  const terminal = process.stdout.isTTY ? new TerminalText(Buffer.from(prefix).toString('latin1')) : undefined
  for await (const text of texts) yield terminal?.push(text) ?? text
  yield terminal?.end() ?? ''
}

const drained = async (): Promise<void> =>
  new Promise(resolve => {
    process.stdout.once('drain', resolve)
  })

interface Kept {
  readonly id: string
  readonly tail: number
  readonly since: number
  readonly runFile: string | undefined
  readonly asJson: boolean
}

/** What the last run of a template has left of an app. Throws a UserError where nothing is left. */
async function kept({id, tail, since, runFile, asJson}: Kept): Promise<AsyncIterable<string>> {
  const nowhere = `no run has an app "${id}"`
  let plan
  try {
    plan = loadTemplate(runFile ?? '.', surroundings(), {watch: false}).plan
  } catch (error) {
    if (runFile !== undefined || !(error instanceof UserError)) throw error
    throw new UserError(`${nowhere}; nothing is kept of a single run, and there is no template here`, {cause: error})
  }
  const log = await keptLog(plan, {id, tail, since})
  if (log?.hasOlder === true) {
    const words = 'its run has ended, and the file keeps no times: what came before is shown, too'
    process.stderr.write(statusLine('warning', words, asJson))
  }
  if (log !== undefined) return log.texts
  throw new UserError(
    plan.apps.some(app => app.id === id)
      ? `${nowhere}, and it has no log file yet`
      : `${nowhere}, nor has ${plan.shownAs}: nothing is kept of a single run`
  )
}
