import {ApiError} from '../../../control/api-client.ts'
import type {App} from '../../../model/api.generated.ts'
import {Attachment, typeText} from '../attach/attachment.ts'
import {detachKeysText, readDetachKeys, USUAL_DETACH_KEYS} from '../attach/detach-keys.ts'
import {launchText} from '../commands/debug.ts'
import {traceText} from '../trace-text.ts'
import type {TextPage} from './view.ts'
import type {WatchedRun} from './watched-run.ts'

/** The selected app, and the screen on which an action reports. */
interface Target {
  readonly watched: WatchedRun
  readonly app: App
  readonly width: number
  /** Shows that an action has begun. */
  readonly tell: (text: string) => void
  /** Gives `use` the terminal, and takes it back. */
  readonly lend: (use: () => Promise<void>) => Promise<void>
}

/** Settles with the result: a text for the last line, or a page. */
export type AppAction = (target: Target) => Promise<string | TextPage>

const change =
  (verb: 'restart' | 'stop' | 'start', doing: string, done: string): AppAction =>
  async ({watched, app, tell}) => {
    const name = watched.targetOf(app)
    tell(`${doing} ${name} …`)
    const {isChanged} = await watched.run.api.ask(`POST /apps/{id}/${verb}`, {at: {id: name}})
    return isChanged === false ? `${name} is ${done} already` : `${name} ${done}`
  }

/** Connects the user to the terminal of an app. */
const attach: AppAction = async ({watched, app, lend}) => {
  const {run} = watched
  const name = watched.targetOf(app)
  await typeText({run, app: name}, {text: ''}) // fails for an app without a terminal, while the table can still show the error
  const detachKeys = readDetachKeys(USUAL_DETACH_KEYS)
  const greeting = `attached to ${name}: ${detachKeysText(detachKeys)} goes back to the table\n`
  let message = ''
  await lend(async () => {
    const end = await new Attachment({run, app: name, detachKeys, greeting}).run()
    if (end === 'ended') message = `${name} has ended`
  })
  return message
}

/** Stops the process of an app, and shows how to start it in a debugger. */
const debug: AppAction = async ({watched, app, tell}) => {
  const id = watched.targetOf(app)
  const {api} = watched.run
  tell(`stopping the process of ${id} …`)
  await api.ask('POST /apps/{id}/debug', {at: {id}})
  const launch = await api.ask('GET /apps/{id}/launch', {at: {id}})
  const title = `Start ${id} in a debugger; s starts it here again`
  return {title, lines: launchText(launch, 'shell').trimEnd().split('\n')}
}

/** Shows the latest request in which an app had a part, over all its instances. */
const trace: AppAction = async ({watched, app: {id}, width}) => {
  const tree = await watched.run.api.ask('GET /trace', {query: {q: `app:${id}`}}).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  })
  if (tree === undefined) return `no calls of ${id} yet`
  const title = `The latest request in which ${id} had a part`
  return {title, lines: traceText(tree, {width}).trimEnd().split('\n')}
}

/** Actions on the selected app, by their keys. */
export const ACTION_KEYS: Readonly<Record<string, AppAction>> = {
  r: change('restart', 'restarting', 'restarted'),
  x: change('stop', 'stopping', 'stopped'),
  s: change('start', 'starting', 'started'),
  a: attach,
  d: debug,
  t: trace
}
