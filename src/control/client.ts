import type {IncomingMessage} from 'node:http'
import {dirname} from 'node:path'
import {codeOf, UserError} from '../model/errors.ts'
import {isSuspended} from '../platform/proc.ts'
import {startOf} from '../platform/process-table.ts'
import {GONE, runSockets, send, text} from './ask.ts'
import type {OnSkipped} from './folder.ts'
import {readListing} from './listing.ts'
import {readRunFile, type RunIdentity} from './run-file.ts'
import type {
  Dashboard,
  HandedOver,
  Launch,
  ListedNotification,
  ListedService,
  LogsQuery,
  RunListing,
  Start
} from './messages.ts'

/** A run whose control socket responds. */
export interface FoundRun {
  readonly listing: RunListing
  /** Ends the run; settles when its process has exited. */
  stop(): Promise<void>
  /** Stops one app and its sidecar; false if the run has no such app. Settles when both have ended. */
  stopApp(id: string): Promise<boolean>
  /** Restarts one app: '' when its new process is running, else the reason; undefined if the run has no such app. */
  restartApp(id: string): Promise<string | undefined>
  /** Starts an app that was stopped, has ended, or is in a debugger; undefined if the run has no such app. */
  startApp(id: string): Promise<Start | undefined>
  /** Ends an app's process for one in a debugger; undefined if the run has no such app. */
  debugApp(id: string): Promise<HandedOver | undefined>
  /** How an app is started; undefined if the run has no such app, or it was stopped. */
  launch(id: string): Promise<Launch | undefined>
  /** The log of one app as latin1 text; undefined if the run has no such app. */
  logs(id: string, asked: LogsQuery): Promise<AsyncIterable<string> | undefined>
  /** Lines of several apps, of all if no id is given, in the format of `Handlers.runLogs`; undefined if the run lacks one of them. */
  runLogs(ids: readonly string[], asked: LogsQuery): Promise<AsyncIterable<string> | undefined>
  /** Its Daeploy services, in template order. */
  services(): Promise<readonly ListedService[]>
  /** Makes a version the main one: '' on success, else the reason. */
  assign(name: string, version: string): Promise<string>
  /** Removes one version of a service: '' when nothing of it is left, else the reason. */
  remove(name: string, version: string): Promise<string>
  /** Lets the port of the built-in Redis go until the run ends; false if the run does not hold it. */
  releaseRedis(port: number): Promise<boolean>
  notifications(): Promise<Readonly<Record<string, ListedNotification>>>
  /** Opens its page, if it is not open yet; port 0: one of its choice. */
  dashboard(port: number): Promise<Dashboard>
  /** The folder of its control socket, which the user alone can read; it goes with the run. */
  readonly folder: string
  /** The response of its API (`/api/v1`), as it comes; default: to a GET. */
  api(
    path: string,
    request?: {readonly method: string; readonly body: string; readonly signal?: AbortSignal | undefined}
  ): Promise<IncomingMessage>
}

/** How a response is read, and what an older run lacks that does not know the request. */
interface Reading<T> {
  readonly read: (body: string) => T
  readonly feature: string
}

/** A run that does not respond in this time is left out of `list`. */
const TIMEOUT_MS = 2000

/** Told of a run that is suspended (Ctrl-Z) and cannot respond; `resume` continues its process, so that it responds again. */
export type OnSuspended = (run: RunIdentity) => 'skip' | 'resume'

/** All runs of the user that respond, oldest first. Folders without a responding socket are skipped. */
export async function findRuns(
  env: Readonly<Record<string, string | undefined>>,
  onSkipped?: OnSkipped,
  onSuspended: OnSuspended = () => 'skip'
): Promise<readonly FoundRun[]> {
  const found = await Promise.all(
    (await runSockets(env, onSkipped)).map(async ({path}) => {
      const suspended = suspendedRun(dirname(path))
      if (suspended === undefined) return ask(path)
      if (onSuspended(suspended) === 'skip') return undefined
      process.kill(suspended.pid, 'SIGCONT')
      return ask(path)
    })
  )
  return found.filter(run => run !== undefined).toSorted((a, b) => a.listing.startedAt - b.listing.startedAt)
}

/** Whose process is stopped by a signal, Ctrl-Z for instance; undefined if it is not, or the system does not tell. */
function suspendedRun(folder: string): RunIdentity | undefined {
  const identity = readRunFile(folder)?.identity
  if (identity === undefined || !isSuspended(identity.pid)) return undefined
  return startOf(identity.pid) === identity.started ? identity : undefined
}

/** The log files that living runs of the user write; undefined where one does not tell, as it is suspended or too new. */
export async function logsInUse(
  env: Readonly<Record<string, string | undefined>>
): Promise<ReadonlySet<string> | undefined> {
  try {
    const runs = await Promise.all((await runSockets(env)).map(async ({path}) => logsOf(path)))
    return new Set(runs.flat())
  } catch {
    return undefined
  }
}

async function logsOf(socketPath: string): Promise<readonly string[]> {
  try {
    const response = await send(socketPath, 'GET', '/run', AbortSignal.timeout(TIMEOUT_MS))
    return readListing(await text(response)).apps.flatMap(({appLogPath, daprdLogPath}) => [appLogPath, daprdLogPath])
  } catch (error) {
    if (GONE.has(codeOf(error))) return []
    throw error
  }
}

async function ask(socketPath: string): Promise<FoundRun | undefined> {
  let listing: RunListing
  try {
    const response = await send(socketPath, 'GET', '/run', AbortSignal.timeout(TIMEOUT_MS))
    listing = readListing(await text(response))
  } catch (error) {
    if (GONE.has(codeOf(error)) || (error instanceof Error && error.name === 'AbortError')) return undefined
    throw error
  }
  const request = async (method: string, path: string, feature: string): Promise<string> => {
    const response = await send(socketPath, method, path)
    const body = await text(response)
    refuseOld(response, {listing}, feature)
    return body
  }
  const askedOf = async <T>(
    method: string,
    path: string,
    id: string,
    {read, feature}: Reading<T>
  ): Promise<T | undefined> => {
    try {
      const response = await send(socketPath, method, `${path}?id=${encodeURIComponent(id)}`)
      const body = await text(response)
      refuseOld(response, {listing}, feature)
      return response.statusCode === 404 ? undefined : read(body)
    } catch (error) {
      if (GONE.has(codeOf(error))) throw new UserError('the run is stopping', {cause: error})
      throw error
    }
  }
  return {
    listing,
    stop: async () => {
      try {
        await text(await send(socketPath, 'POST', '/stop'))
      } catch (error) {
        if (!GONE.has(codeOf(error))) throw error
      }
    },
    stopApp: async id => {
      try {
        const response = await send(socketPath, 'POST', `/apps/stop?id=${encodeURIComponent(id)}`)
        await text(response)
        return response.statusCode === 204
      } catch (error) {
        if (GONE.has(codeOf(error))) return true // it was the last app: the run ended with it
        throw error
      }
    },
    restartApp: async id => askedOf('POST', '/apps/restart', id, {read: body => body, feature: 'restart apps'}),
    startApp: async id =>
      askedOf('POST', '/apps/start', id, {read: body => JSON.parse(body) as Start, feature: 'start single apps'}),
    debugApp: async id =>
      askedOf('POST', '/apps/debug', id, {
        read: body => JSON.parse(body) as HandedOver,
        feature: 'hand apps over to a debugger'
      }),
    launch: async id =>
      askedOf('GET', '/apps/launch', id, {
        read: body => JSON.parse(body) as Launch,
        feature: "show an app's environment"
      }),
    logs: async (id, query) => {
      const {since} = query
      const search = new URLSearchParams({id, ...queryOf(query)})
      const response = await send(socketPath, 'GET', `/apps/logs${since > 0 ? '-since' : ''}?${search.toString()}`)
      refuseOld(response, {listing}, since > 0 ? 'show logs since a time' : 'show logs')
      if (response.statusCode === 200) return textsOf(response)
      response.destroy()
      return undefined
    },
    runLogs: async (ids, query) => {
      const search = new URLSearchParams([...ids.map(id => ['id', id]), ...Object.entries(queryOf(query))])
      const response = await send(socketPath, 'GET', `/logs?${search.toString()}`)
      refuseOld(response, {listing}, 'show the logs of several apps, with times, or as JSON')
      if (response.statusCode === 200) return textsOf(response)
      response.destroy()
      return undefined
    },
    services: async () =>
      JSON.parse(await request('GET', '/services', 'list Daeploy services')) as readonly ListedService[],
    assign: async (name, version) =>
      request('POST', `/services/assign?${new URLSearchParams({id: name, version}).toString()}`, 'assign versions'),
    remove: async (name, version) => {
      try {
        const query = new URLSearchParams({id: name, version}).toString()
        return await request('POST', `/services/remove?${query}`, 'stop one version')
      } catch (error) {
        if (GONE.has(codeOf(error))) return '' // it was the last app: the run ended with it
        throw error
      }
    },
    releaseRedis: async port => {
      const response = await send(socketPath, 'POST', `/redis/release?port=${port.toString()}`)
      await text(response)
      return response.statusCode === 204 // an older run holds no Redis
    },
    folder: dirname(socketPath),
    dashboard: async port =>
      JSON.parse(await request('POST', `/dashboard?port=${port.toString()}`, 'show a dashboard')) as Dashboard,
    api: async (path, {method, body, signal} = {method: 'GET', body: ''}) => {
      const response = await send(socketPath, method, `/api/v1${path}`, signal, body)
      refuseOld(response, {listing}, 'show its calls')
      return response
    },
    notifications: async () =>
      JSON.parse(await request('GET', '/notifications', 'list notifications')) as Record<string, ListedNotification>
  }
}

const queryOf = ({tail, since, isFollowed, version}: LogsQuery): Readonly<Record<string, string>> => ({
  ...(tail >= 0 && {tail: tail.toString()}),
  ...(since > 0 && {since: since.toString()}),
  ...(isFollowed && {follow: '1'}),
  ...(version !== '' && {version})
})

/** An older run responds 501 to a request that it does not know; `feature` says what it asks for. */
function refuseOld({statusCode}: IncomingMessage, {listing}: {listing: RunListing}, feature: string): void {
  if (statusCode !== 501) return
  const {pid, version, templateFile} = listing
  const name = templateFile === '' ? 'a single run' : `the run of ${templateFile}`
  throw new UserError(`${name} (pid ${pid.toString()}) is of version ${version}, which cannot ${feature}`, {
    explanation: 'Stop it, and start it again with this version.'
  })
}

async function* textsOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('latin1')
  try {
    for await (const piece of response) yield piece as string
  } catch (error) {
    if (!GONE.has(codeOf(error))) throw error // the run was killed: there is no more output
  }
}
