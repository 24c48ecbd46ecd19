import {runtimeFolders, usableFolder} from '../../../control/folder.ts'
import type {RunControl} from '../../../control/run-control.ts'
import {homeOf} from '../../../control/server.ts'
import type {Dashboard} from '../../../model/api.generated.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {openInBrowser} from '../../../platform/open-in-browser.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {runName} from '../pick-run.ts'
import {signedLine} from '../print.ts'
import {runHere} from '../run-here.ts'
import {say} from '../say.ts'
import type {Terminal} from '../terminal.ts'

/** `dashboard`: prints the address of a run's page, and opens it. */
export const dashboard: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`dashboard takes no arguments, and got ${words[0] ?? ''}`)
  const port = flags.int('port') ?? 0
  if (port < 0 || port > 65_535 || (port === 0 && flags.names.includes('port')))
    throw new UserError(`${port} is not a port`, {explanation: 'Give a number from 1 to 65535.'})
  const run = await runHere(flags, asJson)
  const urlAt = async (at: number): Promise<string> =>
    dashboardUrl(await run.api.ask('POST /dashboard', {query: {port: at}}), flags.isSet('read-only'), at > 0)
  const url = await urlAt(port).catch(async (error: unknown) => {
    const why = messageOf(error)
    const explanation = why.includes('it is open at port') ? `Its address: ${await urlAt(0)}` : ''
    throw new UserError(`the dashboard was not opened: ${why}`, {explanation, cause: error})
  })
  say(process.stdout, 'info', `Dashboard of ${runName(run.listing)}: ${url}`, asJson)
  if (flags.isSet('no-open')) return 0
  const why = await openInBrowser(url, run.folder, process.env)
  if (why !== '') say(process.stderr, 'warning', notOpened(why), asJson)
  return 0
}

const notOpened = (why: string): string => `The browser was not opened: ${why}. Open the address yourself.`

/** `run --dashboard`: prints and opens the page of the run of this process. Prints failures as warnings: never rejects. */
export async function openOwnDashboard({control}: OwnRun, {out, err}: Terminal, asJson: boolean): Promise<void> {
  if (control === undefined) return // the run has failed to start
  const warn = (text: string): void => void err.print(signedLine('warning', text, asJson))
  try {
    const opened = await control.dashboard(0)
    const url = dashboardUrl(opened, false)
    void out.print(signedLine('info', `Dashboard: ${url}`, asJson))
    const folder = homeOf(usableFolder(runtimeFolders(process.env)), control.list().run)
    const why = await openInBrowser(url, folder, process.env)
    if (why !== '') warn(notOpened(why))
  } catch (error) {
    warn(`The dashboard was not opened: ${messageOf(error)}`)
  }
}

interface OwnRun {
  readonly control: Pick<RunControl, 'dashboard' | 'list'> | undefined
}

/** Returns the address of the page, with its host name unless the user asked for a port. The token follows `#`: browsers do not send that part. */
function dashboardUrl({port, token, readOnlyToken, nameUrl}: Dashboard, isReadOnly: boolean, byPort = false): string {
  const place = nameUrl === undefined || byPort ? `http://127.0.0.1:${port}` : nameUrl
  return `${place}/#${isReadOnly ? `look=${readOnlyToken}` : `t=${token}`}`
}
