import {isCalled, type FoundRun} from '../../../control/client.ts'
import type {App, AppUrl} from '../../../model/api.generated.ts'
import {NAMELESS} from '../../../model/app-name.ts'
import {UserError} from '../../../model/errors.ts'
import {uncarriedText} from '../../../model/uncarried.ts'
import {openInBrowser} from '../../../platform/open-in-browser.ts'
import {urlOf} from '../app-table.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../command-handler.ts'
import {print} from '../print.ts'
import {dashboard} from './dashboard.ts'
import {idsOf, runFinder} from '../run-here.ts'
import {say} from '../say.ts'

/** `url ID [-o json]`: prints the address at which an app of the run is called. */
export const url: CommandHandler = async context => {
  const {run, app, address} = await placeOf(context, 'url')
  const {id, nameUrl, appPort, appProtocol, isReady} = app
  const about: AppUrl = {
    app: id,
    url: address,
    ...(nameUrl !== undefined && {nameUrl}),
    appPort,
    appProtocol,
    isReady,
    runName: run.listing.name
  }
  print(process.stdout, context.flags.text('output') === 'json' ? `${JSON.stringify(about)}\n` : `${address}\n`)
  return 0
}

/** `name ID`: prints the URL with the host name of an app, which stays the same in each run. For browsers. */
export const name: CommandHandler = async context => {
  const {app} = await appOf(context, 'name')
  if (app.nameUrl === undefined)
    throw new UserError(`app id ${app.id} has no name`, {explanation: whyNameless(app), code: 'no-port'})
  print(process.stdout, `${app.nameUrl}\n`)
  return 0
}

/** `open ID`: opens an app in the browser; without an ID the dashboard of the run. */
export const open: CommandHandler = async context => {
  if (idsOf(context).length === 0) return dashboard(context)
  const {run, app, address: place} = await placeOf(context, 'open')
  const {id, appProtocol, isReady, nameUrl: address = place} = app
  if (!address.startsWith('http'))
    throw new UserError(`app id ${id} speaks ${appProtocol}, which no browser does: it is at ${address}`)
  const tell = (kind: 'info' | 'warning', text: string): void => say(process.stderr, kind, text, context.asJson)
  print(process.stdout, `${address}\n`)
  if (!isReady) tell('info', `${id} is not ready yet: "pillion wait --for ready:${id}" waits for it`)
  const why = await openInBrowser(address, run.folder, process.env)
  if (why !== '') tell('warning', `The browser was not opened: ${why}. Open the address yourself.`)
  return 0
}

interface AppOfRun {
  readonly run: FoundRun
  readonly app: App
}

/** Returns why no host name leads to an app, and the next step. */
function whyNameless(app: App): string {
  const {appPort, appProtocol} = app
  if (appPort === 0 && app.url === '') return 'It does not listen: give it a port or autoPort: true in the template.'
  if (NAMELESS.test(appProtocol)) return `It speaks ${appProtocol}: call it at its port.`
  return 'Another run has its name, another program has the port of names (a line of "up" says so), or names are off: names: false, PILLION_NAMES=0, or CI without PILLION_NAMES=1.'
}

/** Returns the app that a command names: of its versions the main one, of its instances a ready one. */
async function appOf({words, flags, asJson}: CommandContext, verb: string): Promise<AppOfRun> {
  const [id, ...others] = idsOf({words, flags})
  if (id === undefined || others.length > 0) throw new UsageError(`${verb} needs the id of one app`)
  const run = (await runFinder(flags, asJson)).find(id)
  const all = run.listing.apps
    .filter(each => isCalled(each, id))
    .toSorted((a, b) => Number(b.isMain) - Number(a.isMain) || Number(b.isReady) - Number(a.isReady))
  const [app] = all
  if (app === undefined) throw new Error(`the run has lost ${id}`)
  return {run, app}
}

/** Returns an app with its address: a URL, or host and port if it does not speak HTTP. Throws a UserError if it is stopped or has no port. */
async function placeOf(context: CommandContext, verb: string): Promise<AppOfRun & {readonly address: string}> {
  const {run, app} = await appOf(context, verb)
  const {id} = app
  if (app.state === 'stopped') throw new UserError(`app id ${id} is stopped: "pillion start ${id}" brings it back`)
  const address = urlOf(app)
  if (address !== '') return {run, app, address: address.includes(':') ? address : `localhost:${address}`}
  const [why, explanation] =
    app.listens.length > 0
      ? ['', uncarriedText(app)]
      : [
          ': it does not listen',
          'Give it an appPort in the template, or autoPort: true. Its sidecar is called by "pillion invoke".'
        ]
  throw new UserError(`app id ${id} has no port${why}`, {explanation, code: 'no-port'})
}
