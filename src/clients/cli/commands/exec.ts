import {runOnTerminal} from '../../../platform/run-on-terminal.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../command-handler.ts'
import {runHere} from '../run-here.ts'
import {launchFor, runWith} from './debug.ts'

/**
 * `exec ID -- COMMAND …`: runs a command in the folder and with the environment of an app, so that it calls other apps as this app does. Exits
 * with the command's exit code.
 */
export const exec: CommandHandler = async ({words, flags, asJson}) => {
  if (flags.isSet('here')) return execHere({words, flags, asJson})
  const [id, program, ...args] = words
  if (id === undefined || program === undefined)
    throw new UsageError('exec needs the id of an app and a command: exec shop -- npm test, or exec --here -- npm test')
  const run = await runWith({flags, asJson}, id)
  const {environment, folder} = await launchFor(run, id)
  const own = process.env['TERM']
  const env = {...environment, PILLION_EXEC: run.listing.run, ...(own !== undefined && {TERM: own})}
  return runOnTerminal({command: [program, ...args], folder, env})
}

/** `exec --here -- COMMAND …`: runs a command of the repository in this folder, with `env` of the template's `common`, and the ports that the run uses. */
async function execHere(call: CommandContext): Promise<number> {
  const [program, ...args] = call.words
  if (program === undefined) throw new UsageError('exec --here needs a command: exec --here -- npm test')
  const run = await runHere(call.flags, call.asJson)
  const {environmentHere} = await import('../command-here.ts')
  return runOnTerminal({command: [program, ...args], folder: process.cwd(), env: await environmentHere(call, run)})
}
