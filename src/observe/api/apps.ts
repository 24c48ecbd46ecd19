import type * as Api from '../../model/api.generated.ts'
import {isCalled} from '../../control/client.ts'
import {nearMiss} from '../../model/near-miss.ts'
import {orElse} from '../../model/or-else.ts'
import {ApiProblem} from './problem.ts'
import type {ApiRequest} from './route.ts'
import type {RunControl} from '../../control/run-control.ts'
import type {RunFacts} from './run-facts.ts'
import {endOf} from '../../model/exit-text.ts'
import {isNamedSo} from '../../model/plan.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import type {ServerResponse} from 'node:http'

/** An app as a URL names it: `shop`, `shop.2` (an instance), `shop@1.0.0` (a version; empty if not given). */
export interface AppName {
  readonly id: string
  readonly version: string
}

/** Reads the `{id}` of a path; an id may have an `@`, too. Throws an ApiProblem if its percent-encoding is broken. */
export function readAppName({id: segment = ''}: ApiRequest['at']): AppName {
  const text = orElse(() => decodeURIComponent(segment), undefined)
  if (text === undefined) throw new ApiProblem(400, `${segment} is not an app name`, 'Percent-encode it (RFC 3986).')
  const [, id = text, version = ''] = /^(.+)@(\*|\d[^@]*)$/s.exec(text) ?? []
  return {id, version}
}

/** Whether a name means this instance. */
export const isNamed = (app: Api.App, name: AppName): boolean => isCalled(app, name.id) && isVersion(name, app.version)

/** Whether a name means this version: it names this version, none, or all. */
export const isVersion = ({version}: AppName, of: string): boolean => ['', '*', of].includes(version)

/** Returns the instances with this name. Throws an ApiProblem without any. */
export function appsNamed(apps: readonly Api.App[], name: AppName): readonly Api.App[] {
  const named = apps.filter(app => isNamed(app, name))
  if (named.length === 0) throw noSuchApp(apps, name)
  return named
}

export function noSuchApp(apps: readonly Pick<Api.App, 'id'>[], {id: wanted, version}: AppName): ApiProblem {
  const ids = [...new Set(apps.map(({id}) => id))]
  const near = nearMiss(wanted, ids)
  const which = version === '' || !ids.includes(wanted) ? `no app "${wanted}"` : `no version ${version} of "${wanted}"`
  return new ApiProblem(
    404,
    `the run has ${which}`,
    near === '' || near === wanted ? `It has: ${ids.join(', ')}.` : `Did you mean "${near}"?`
  )
}

type Action = 'restart' | 'stop' | 'start' | 'debug'

/** Does an action, and returns the app after it. Throws an ApiProblem if it cannot be done. */
export async function act({control}: RunFacts, action: Action, name: AppName): Promise<Api.Apps> {
  const {id, version} = name
  appsNamed(control.list().apps, name)
  if (version !== '') throw new ApiProblem(400, `${action} concerns all versions of "${id}"`, `Leave out @${version}.`)
  const {why, isChanged} = await ACTS[action](control, id)
  if (why !== '') throw new ApiProblem(409, `"${id}" was not ${DONE[action]}: ${why}`, '', {reason: why})
  return {apps: appsNamed(control.list().apps, name), isChanged}
}

const DONE: Readonly<Record<Action, string>> = {
  restart: 'restarted',
  stop: 'stopped',
  start: 'started',
  debug: 'handed over'
}

/** The result of an action. `why`: the reason why it was not done; '': it was done. */
interface Done {
  readonly why: string
  readonly isChanged: boolean
}

const ACTS: Readonly<Record<Action, (control: RunControl, id: string) => Promise<Done>>> = {
  restart: async (control, id) => ({why: (await control.restartApp(id)) ?? GONE, isChanged: true}),
  stop: async (control, id) => ({why: (await control.stopApp(id)) ? '' : 'it is stopped already', isChanged: true}),
  start: async (control, id) => {
    const {why, outcome} = (await control.startApp(id)) ?? {why: GONE, outcome: 'failed'}
    return {why, isChanged: outcome === 'started'}
  },
  debug: async (control, id) => {
    const {why, wasDebugged} = (await control.debugApp(id)) ?? {why: GONE, wasDebugged: false}
    return {why, isChanged: !wasDebugged}
  }
}

const GONE = 'it has left the run'

/** Lists the exits of an app, the latest last. Throws an ApiProblem if the run has no such app. */
export function deathsOf({control, deaths}: RunFacts, name: AppName): Api.Deaths {
  const [{id} = name] = appsNamed(control.list().apps, name)
  const all =
    deaths?.all(id).filter(death => isNamedSo({id, name: death.name}, name.id) && isVersion(name, death.version)) ?? []
  return {
    deaths: all.map(({number, name: app, exit, at, livedMs, files, inside}) => ({
      number,
      name: app,
      exit: endOf(exit),
      at: new Date(at).toISOString(),
      livedMs,
      files,
      inside: inside.reduce((sum, {count}) => sum + count, 0)
    }))
  }
}

/** Returns the environment of an app with masked secrets. Throws an ApiProblem if the run has no such app, or it is stopped. */
export async function maskedEnvironment({control, masked}: RunFacts, name: AppName): Promise<Api.Environment> {
  const launch = await launchOf(control, name)
  const masking = new Masking(masked())
  return {
    folder: launch.folder,
    command: masking.command(launch.command),
    variables: launch.added.toSorted().map(each => [each, masking.named(each, launch.environment[each] ?? '')])
  }
}

/** Returns how a process of an app would be started now, with its secrets. Throws an ApiProblem if the run has no such app, or it is stopped. */
export async function launchOf(control: RunControl, name: AppName): Promise<Api.Launch> {
  appsNamed(control.list().apps, name)
  const launch = await control.launch(name.id, name.version)
  if (launch === undefined) throw new ApiProblem(409, `"${name.id}" is stopped: it has no environment`, 'Start it.')
  return launch
}

export const listServices = ({services}: RunControl): Api.Services => ({services: services()})

/** Makes a version of a Daeploy service the main one. Throws an ApiProblem if that is impossible. */
export const assignService = (control: RunControl, {at}: ApiRequest): Api.Services =>
  changed(control, control.assign(...serviceIn(at)))

/** Removes a version of a Daeploy service from the run. Throws an ApiProblem if that is impossible. */
export const removeService = async (control: RunControl, {at}: ApiRequest): Promise<Api.Services> =>
  changed(control, await control.remove(...serviceIn(at)))

function changed(control: RunControl, why: string): Api.Services {
  if (why !== '') throw new ApiProblem(409, why)
  return listServices(control)
}

function serviceIn({name = '', version = ''}: ApiRequest['at']): readonly [name: string, version: string] {
  try {
    return [decodeURIComponent(name), decodeURIComponent(version)]
  } catch {
    throw new ApiProblem(400, `${name}/${version} is not a service`, 'Percent-encode it (RFC 3986).')
  }
}

/** Lends the sidecar of an app to another run: the response stays open as long as the sidecar. */
export function lendSidecar(control: RunControl, {id}: AppName, {response}: ApiRequest): undefined {
  response.writeHead(200, {'content-type': 'application/x-ndjson'})
  const leased = control.leaseSidecar(id)
  if (leased === undefined) {
    write(response, withoutSidecar(control, id))
    return void response.end()
  }
  const {address, closing, ready, onChange} = leased
  let sent = ready()
  write(response, {...address, ready: sent})
  const off = onChange(() => {
    if (sent === ready()) return
    sent = ready()
    write(response, {ready: sent})
  })
  const end = (): void => {
    off()
    response.end()
  }
  response.once('close', () => {
    off()
    closing.removeEventListener('abort', end)
  })
  if (closing.aborted) end()
  else closing.addEventListener('abort', end)
  return undefined
}

const write = (response: ServerResponse, loan: Api.Loan): void => void response.write(`${JSON.stringify(loan)}\n`)

function withoutSidecar(control: RunControl, wanted: string): Api.NoSidecar {
  const {apps} = control.list()
  return {
    running: apps.filter(({state}) => state !== 'stopped').map(({id}) => id),
    isStopped: apps.some(({id, state}) => id === wanted && state === 'stopped')
  }
}
