import type {IncomingMessage} from 'node:http'
import {dirname} from 'node:path'
import {codeOf} from '../model/errors.ts'
import {isSuspended} from '../platform/proc.ts'
import {startOf} from '../platform/process-table.ts'
import {GONE, runSockets, send, text} from './ask.ts'
import type {OnSkipped} from './folder.ts'
import {ControlSocket} from './control-socket.ts'
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

/** A run that does not respond in this time is left out of `list`: on a busy machine 2 s were not enough for one that was well. */
const TIMEOUT_MS = 5000

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
  const socket = new ControlSocket(socketPath, listing)
  return {
    listing,
    folder: dirname(socketPath),
    ...runRequests(socket),
    ...appRequests(socket),
    ...logRequests(socket),
    ...serviceRequests(socket)
  }
}

type RunRequests = Pick<FoundRun, 'stop' | 'releaseRedis' | 'dashboard' | 'api'>
type AppRequests = Pick<FoundRun, 'stopApp' | 'restartApp' | 'startApp' | 'debugApp' | 'launch'>
type LogRequests = Pick<FoundRun, 'logs' | 'runLogs'>
type ServiceRequests = Pick<FoundRun, 'services' | 'assign' | 'remove' | 'notifications'>

const runRequests = (socket: ControlSocket): RunRequests => ({
  stop: async () => {
    await socket.unlessGone(async () => text(await socket.send('POST', '/stop')), '')
  },
  releaseRedis: async port => {
    const response = await socket.send('POST', `/redis/release?port=${port.toString()}`)
    await text(response)
    return response.statusCode === 204 // an older run holds no Redis
  },
  dashboard: async port =>
    JSON.parse(await socket.text('POST', `/dashboard?port=${port.toString()}`, 'show a dashboard')) as Dashboard,
  api: async (path, {method, body, signal} = {method: 'GET', body: ''}) => {
    const response = await socket.send(method, `/api/v1${path}`, signal, body)
    socket.refuseOld(response, 'show its calls')
    return response
  }
})

const appRequests = (socket: ControlSocket): AppRequests => ({
  stopApp: async id =>
    // if it was the last app, the run ends with it
    socket.unlessGone(async () => {
      const response = await socket.send('POST', `/apps/stop?id=${encodeURIComponent(id)}`)
      await text(response)
      return response.statusCode === 204
    }, true),
  restartApp: async id => socket.ofApp('POST', '/apps/restart', id, 'restart apps'),
  startApp: async id => parsed(await socket.ofApp('POST', '/apps/start', id, 'start single apps')) as Start | undefined,
  debugApp: async id =>
    parsed(await socket.ofApp('POST', '/apps/debug', id, 'hand apps over to a debugger')) as HandedOver | undefined,
  launch: async id =>
    parsed(await socket.ofApp('GET', '/apps/launch', id, "show an app's environment")) as Launch | undefined
})

const logRequests = (socket: ControlSocket): LogRequests => ({
  logs: async (id, query) => {
    const hasSince = query.since > 0
    const search = new URLSearchParams({id, ...queryOf(query)})
    const path = `/apps/logs${hasSince ? '-since' : ''}?${search.toString()}`
    return socket.stream(path, hasSince ? 'show logs since a time' : 'show logs')
  },
  runLogs: async (ids, query) => {
    const search = new URLSearchParams([...ids.map(id => ['id', id]), ...Object.entries(queryOf(query))])
    return socket.stream(`/logs?${search.toString()}`, 'show the logs of several apps, with times, or as JSON')
  }
})

const serviceRequests = (socket: ControlSocket): ServiceRequests => ({
  services: async () =>
    JSON.parse(await socket.text('GET', '/services', 'list Daeploy services')) as readonly ListedService[],
  assign: async (name, version) =>
    socket.text('POST', `/services/assign?${versionQuery(name, version)}`, 'assign versions'),
  remove: async (name, version) =>
    // if it was the last app, the run ends with it
    socket.unlessGone(
      async () => socket.text('POST', `/services/remove?${versionQuery(name, version)}`, 'stop one version'),
      ''
    ),
  notifications: async () =>
    JSON.parse(await socket.text('GET', '/notifications', 'list notifications')) as Record<string, ListedNotification>
})

/** The JSON of a response; undefined if there is none. */
const parsed = (json: string | undefined): unknown => (json === undefined ? undefined : JSON.parse(json))

const versionQuery = (id: string, version: string): string => new URLSearchParams({id, version}).toString()

const queryOf = ({tail, since, isFollowed, version}: LogsQuery): Readonly<Record<string, string>> => ({
  ...(tail >= 0 && {tail: tail.toString()}),
  ...(since > 0 && {since: since.toString()}),
  ...(isFollowed && {follow: '1'}),
  ...(version !== '' && {version})
})
