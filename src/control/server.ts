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

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  {handlers, streams}: {handlers: Handlers; streams: Streams}
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://run')
  if (url === null) return void response.writeHead(400).end('invalid request target')
  const {pathname, searchParams} = url
  if (pathname.startsWith('/api/v1/')) return handlers.api(request, response)
  const id = searchParams.get('id') ?? ''
  const version = searchParams.get('version') ?? ''
  switch (`${request.method ?? ''} ${pathname}`) {
    case 'GET /run':
      response.end(JSON.stringify(handlers.list()))
      return
    case 'POST /stop':
      // The response starts now and ends with the process: its end tells the client that the run has exited.
      response.writeHead(200).flushHeaders()
      handlers.stop()
      return
    case 'POST /apps/stop':
      response.writeHead((await handlers.stopApp(id)) ? 204 : 404).end()
      return
    case 'POST /apps/restart':
      return sendText(response, await handlers.restartApp(id))
    case 'POST /apps/start':
      return sendJson(response, await handlers.startApp(id))
    case 'POST /apps/debug':
      return sendJson(response, await handlers.debugApp(id))
    case 'GET /apps/launch':
      return sendJson(response, await handlers.launch(id))
    case 'GET /apps/logs':
    // separate path: an older run would ignore `since`
    case 'GET /apps/logs-since': {
      const [tail, since] = [Number(searchParams.get('tail') ?? -1), Number(searchParams.get('since') ?? 0)]
      const asked = {tail, since, isFollowed: searchParams.has('follow'), version}
      return streams.send(response, gone => handlers.logs(id, asked, gone))
    }
    case 'GET /logs': {
      const [tail, since] = [Number(searchParams.get('tail') ?? -1), Number(searchParams.get('since') ?? 0)]
      const asked = {tail, since, isFollowed: searchParams.has('follow'), version}
      return streams.send(response, gone => handlers.runLogs(searchParams.getAll('id'), asked, gone))
    }
    case 'GET /services':
      response.end(JSON.stringify(handlers.services()))
      return
    case 'POST /services/assign':
      response.end(handlers.assign(id, version))
      return
    case 'POST /services/remove':
      response.end(await handlers.remove(id, version))
      return
    case 'POST /redis/release':
      response.writeHead((await handlers.releaseRedis(Number(searchParams.get('port')))) ? 204 : 404).end()
      return
    case 'POST /dashboard':
      return sendJson(response, await handlers.dashboard(Number(searchParams.get('port') ?? 0)))
    case 'GET /notifications':
      response.end(JSON.stringify(handlers.notifications()))
      return
    case 'GET /sidecar':
      return lease(response, handlers.leaseSidecar(id), () => withoutLease(handlers.list(), id))
    default:
      // A newer program sent this request: it knows what to tell its user.
      response.writeHead(501).end(VERSION)
  }
}

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
