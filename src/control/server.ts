import {rmSync} from 'node:fs'
import {mkdir, rename} from 'node:fs/promises'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {join} from 'node:path'
import {messageOf} from '../model/errors.ts'
import {VERSION} from '../model/version.ts'
import {http} from '../net/http1/node-http.ts'
import {noteSpared, writeRunFile, type RunFile} from './run-file.ts'
import type {Handlers, RunListing} from './messages.ts'
import {lease, Streams} from './streams.ts'

/** A run that other terminals can find. */
export interface Registration {
  /**
   * Removes the run from the list at once; settles when readers of logs have all their data, or have read nothing for a
   * moment. Connections that wait for the end of the run stay open until the process exits.
   */
  withdraw(): Promise<void>
  /** Processes that leave the group of this app process (the value of `PILLION_LIFE`) survive, even if we are killed. */
  spare(marker: string): void
}

/** The folder of the run with this marker. */
export const homeOf = (folder: string, marker: string): string => join(folder, marker.slice(0, 8))

/**
 * Registers a run: its socket listens first and is then renamed into place, so that no client finds a socket that does not
 * respond yet. `folder` has been checked before (`usableFolder`).
 */
export async function register(folder: string, about: RunFile, handlers: Handlers): Promise<Registration> {
  const home = homeOf(folder, about.marker)
  const streams = new Streams()
  const server = http.createServer((request, response) => {
    respond(request, response, {handlers, streams}).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end(messageOf(error))
    })
  })
  server.unref()
  try {
    await mkdir(home, {mode: 0o700})
    await writeRunFile(home, about)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(join(home, 'new'), resolve)
    })
    await rename(join(home, 'new'), join(home, 'socket'))
  } catch (error) {
    server.close()
    rmSync(home, {recursive: true, force: true})
    throw error
  }
  return {
    spare: marker => noteSpared(home, marker),
    withdraw: async () => {
      server.close()
      rmSync(home, {recursive: true, force: true})
      await streams.settled()
    }
  }
}

/** A request of another terminal. */
interface Asked {
  readonly response: ServerResponse
  readonly handlers: Handlers
  readonly streams: Streams
  readonly parameters: URLSearchParams
  /** The app or service that it concerns; '': none is named. */
  readonly id: string
  readonly version: string
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  {handlers, streams}: Pick<Asked, 'handlers' | 'streams'>
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://run')
  if (url === null) return void response.writeHead(400).end('invalid request target')
  const {pathname, searchParams: parameters} = url
  if (pathname.startsWith('/api/v1/')) return handlers.api(request, response)
  const route = ROUTES[`${request.method ?? ''} ${pathname}`]
  // A newer program sent this request: it knows what to tell its user.
  if (route === undefined) return void response.writeHead(501).end(VERSION)
  const id = parameters.get('id') ?? ''
  const version = parameters.get('version') ?? ''
  await route({response, handlers, streams, parameters, id, version})
}

const sendLogs = ({response, handlers, streams, parameters, id, version}: Asked): Promise<void> =>
  streams.send(response, gone => handlers.logs(id, wantedLines(parameters, version), gone))

const ROUTES: Readonly<Record<string, (asked: Asked) => void | Promise<void>>> = {
  'GET /run': ({response, handlers}) => void response.end(JSON.stringify(handlers.list())),
  'POST /stop': ({response, handlers}) => {
    // The response starts now and ends with the process: its end tells the client that the run has exited.
    response.writeHead(200).flushHeaders()
    handlers.stop()
  },
  'POST /apps/stop': async ({response, handlers, id}) => sendDone(response, await handlers.stopApp(id)),
  'POST /apps/restart': async ({response, handlers, id}) => sendText(response, await handlers.restartApp(id)),
  'POST /apps/start': async ({response, handlers, id}) => sendJson(response, await handlers.startApp(id)),
  'POST /apps/debug': async ({response, handlers, id}) => sendJson(response, await handlers.debugApp(id)),
  'GET /apps/launch': async ({response, handlers, id}) => sendJson(response, await handlers.launch(id)),
  'GET /apps/logs': sendLogs,
  // separate path: an older run would ignore `since`
  'GET /apps/logs-since': sendLogs,
  'GET /logs': ({response, handlers, streams, parameters, version}) =>
    streams.send(response, gone => handlers.runLogs(parameters.getAll('id'), wantedLines(parameters, version), gone)),
  'GET /services': ({response, handlers}) => void response.end(JSON.stringify(handlers.services())),
  'POST /services/assign': ({response, handlers, id, version}) => void response.end(handlers.assign(id, version)),
  'POST /services/remove': async ({response, handlers, id, version}) =>
    void response.end(await handlers.remove(id, version)),
  'POST /redis/release': async ({response, handlers, parameters}) =>
    sendDone(response, await handlers.releaseRedis(Number(parameters.get('port')))),
  'POST /dashboard': async ({response, handlers, parameters}) =>
    sendJson(response, await handlers.dashboard(Number(parameters.get('port') ?? 0))),
  'GET /notifications': ({response, handlers}) => void response.end(JSON.stringify(handlers.notifications())),
  'GET /sidecar': ({response, handlers, id}) =>
    lease(response, handlers.leaseSidecar(id), () => withoutLease(handlers.list(), id))
}

const wantedLines = (parameters: URLSearchParams, version: string) => ({
  tail: Number(parameters.get('tail') ?? -1),
  since: Number(parameters.get('since') ?? 0),
  isFollowed: parameters.has('follow'),
  version
})

const sendDone = (response: ServerResponse, isDone: boolean): void => void response.writeHead(isDone ? 204 : 404).end()

const sendText = (response: ServerResponse, text: string | undefined): void =>
  void response.writeHead(text === undefined ? 404 : 200).end(text)

const sendJson = (response: ServerResponse, body: object | undefined): void =>
  sendText(response, body === undefined ? undefined : JSON.stringify(body))

/** What is said where an app has no sidecar that could be leased. */
const withoutLease = (
  {apps}: RunListing,
  id: string
): {readonly running: readonly string[]; readonly isStopped: boolean} => ({
  running: apps.filter(({state}) => state !== 'stopped').map(({appId}) => appId),
  isStopped: apps.some(({appId, state}) => appId === id && state === 'stopped')
})
