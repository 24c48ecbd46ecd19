import {rmSync} from 'node:fs'
import {mkdir, rename} from 'node:fs/promises'
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import {join} from 'node:path'
import {messageOf} from '../errors.ts'
import type {Handlers} from './messages.ts'

/** A run that others can find. */
export interface Registration {
  /** Takes the run off the list; connections that wait for its end are left to the end of the process. */
  withdraw(): void
}

/**
 * Makes a run known: its socket listens first and gets its name by `rename`, so nobody ever sees a socket that does not
 * answer yet. `folder` is checked already (`usableFolder`); `run` names the run.
 */
export async function register(folder: string, run: string, handlers: Handlers): Promise<Registration> {
  const home = join(folder, run.slice(0, 8))
  await mkdir(home, {mode: 0o700})
  const server = createServer((request, response) => {
    answer(request, response, handlers).catch((error: unknown) => {
      response.writeHead(500).end(messageOf(error))
    })
  })
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(join(home, 'new'), resolve)
  })
  await rename(join(home, 'new'), join(home, 'socket'))
  return {
    withdraw: () => {
      server.close()
      rmSync(home, {recursive: true, force: true})
    }
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, handlers: Handlers): Promise<void> {
  const {pathname, searchParams} = new URL(request.url ?? '/', 'http://run')
  switch (`${request.method ?? ''} ${pathname}`) {
    case 'GET /run':
      response.end(JSON.stringify(handlers.list()))
      return
    case 'POST /stop':
      // The answer begins now and ends with the process: its closing is the proof that the run is gone.
      response.writeHead(200).flushHeaders()
      handlers.stop()
      return
    case 'POST /apps/stop':
      response.writeHead((await handlers.stopApp(searchParams.get('id') ?? '')) ? 204 : 404).end()
      return
    default:
      response.writeHead(404).end()
  }
}
