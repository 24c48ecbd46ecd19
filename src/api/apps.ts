import type * as Api from '../model/api.generated.ts'
import type {ListedApp} from '../control/messages.ts'
import {nearMiss} from '../model/near-miss.ts'
import {appViews} from './app-view.ts'
import {ApiProblem} from './problem.ts'
import type {ApiRequest} from './route.ts'
import type {RunControl, RunFacts} from './run-facts.ts'

/** An app as addresses name it: `shop`, `shop.2` (an instance), `shop@1.0.0` (a version; '': not given). */
export interface AppName {
  readonly id: string
  readonly version: string
}

/** Reads the `{id}` of a path. Throws an ApiProblem if its percent-encoding is broken. */
export function readAppName({id: segment = ''}: ApiRequest['at']): AppName {
  let text: string
  try {
    text = decodeURIComponent(segment)
  } catch {
    throw new ApiProblem(400, `${segment} is not an app name`, 'Percent-encode it (RFC 3986).')
  }
  const at = text.lastIndexOf('@')
  return at > 0 ? {id: text.slice(0, at), version: text.slice(at + 1)} : {id: text, version: ''}
}

/** Whether a name means this instance. */
export const isNamed = (app: ListedApp, {id, version}: AppName): boolean =>
  (app.appId === id || `${app.appId}.${app.instance.toString()}` === id) && (version === '' || app.version === version)

/** The instances with this name. Throws an ApiProblem if there are none. */
export function appsNamed(apps: readonly ListedApp[], name: AppName): readonly ListedApp[] {
  const named = apps.filter(app => isNamed(app, name))
  if (named.length === 0) throw noSuchApp(apps, name)
  return named
}

export function noSuchApp(apps: readonly Pick<ListedApp, 'appId'>[], {id, version}: AppName): ApiProblem {
  const ids = [...new Set(apps.map(({appId}) => appId))]
  const near = nearMiss(id, ids)
  const which = version === '' || !ids.includes(id) ? `no app "${id}"` : `no version ${version} of "${id}"`
  return new ApiProblem(
    404,
    `the run has ${which}`,
    near === '' || near === id ? `It has: ${ids.join(', ')}.` : `Did you mean "${near}"?`
  )
}

/** What can be done with an app. */
type Action = 'restart' | 'stop' | 'start'

/** Does it; the result is what the app is then. Throws an ApiProblem if it cannot be done. */
export async function act({control, recorder}: RunFacts, action: Action, name: AppName): Promise<Api.Apps> {
  const {id, version} = name
  appsNamed(control.list().apps, name)
  if (version !== '') throw new ApiProblem(400, `${action} concerns all versions of "${id}"`, `Leave out @${version}.`)
  const why = await whyNot(control, action, id)
  if (why !== '') throw new ApiProblem(409, `"${id}" was not ${DONE[action]}: ${why}`)
  return {apps: appViews(appsNamed(control.list().apps, name), recorder)}
}

const DONE: Readonly<Record<Action, string>> = {restart: 'restarted', stop: 'stopped', start: 'started'}

/** '' = it was done. */
async function whyNot(control: RunControl, action: Action, id: string): Promise<string> {
  if (action === 'restart') return (await control.restartApp(id)) ?? GONE
  if (action === 'stop') return (await control.stopApp(id)) ? '' : 'it is stopped already'
  return (await control.startApp(id))?.why ?? GONE
}

const GONE = 'it has left the run'
