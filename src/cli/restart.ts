import {UserError} from '../model/errors.ts'
import type {CommandHandler} from './command-handler.ts'
import {pickRun, runsHere, templateHere} from './pick-run.ts'
import {print, statusLine} from './print.ts'

/** `restart --app-id ID`: back when the app's new process runs. */
export const restart: CommandHandler = async ({flags, asJson}) => {
  const id = flags.text('app-id') ?? ''
  const run = pickRun(id, await runsHere(asJson), templateHere())
  const why = await run?.restartApp(id)
  if (why === undefined) throw new UserError(`failed to restart app id ${id}: couldn't find app id ${id}`)
  if (why !== '') throw new UserError(`failed to restart app id ${id}: ${why}`)
  print(process.stdout, statusLine('success', `app restarted successfully: ${id}`, asJson))
  return 0
}
