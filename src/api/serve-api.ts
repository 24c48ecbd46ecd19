import type {IncomingMessage, ServerResponse} from 'node:http'
import type {ApiContext} from './api-context.ts'
import {handleApi} from './api.ts'
import {readAppName} from './apps.ts'
import type {Via} from './events/event-reader.ts'
import {followCalls} from './follow-calls.ts'
import {sendLogs, sendRunLogs} from './logs.ts'
import {serveReplays} from './replays.ts'
import {json, notAllowed, problemOf, type ApiResponse} from './problem.ts'

/** How a request came in. */
export interface Arrival {
  readonly via: Via
  /** Its body, if it was read already. */
  readonly body?: string
}

/** Serves a request under `/api/v1`, whatever listener it came to. Never throws. */
export async function serveApi(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  {via, body: read}: Arrival = {via: 'socket'}
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://run')
  const path = url?.pathname.replace(/^\/api\/v1/, '') ?? ''
  const parameters = url?.searchParams ?? new URLSearchParams()
  const method = request.method ?? ''
  try {
    if (method === 'GET' && path === '/calls' && parameters.has('follow'))
      return followCalls(context, parameters, response)
    if (method === 'GET' && path.startsWith('/calls.')) {
      const {exportCalls} = await import('./export/export-calls.ts')
      return await exportCalls(context, path, parameters, response)
    }
    if (method === 'GET' && path === '/events') {
      const {serveEvents} = await import('./events/serve-events.ts')
      return serveEvents(context, await context.events(), {parameters, request, response, via})
    }
    if (method === 'GET' && path === '/logs') return await sendRunLogs(context, {parameters, request, response})
    const logsOf = /^\/apps\/([^/]+)\/logs$/.exec(path)?.[1]
    if (method === 'GET' && logsOf !== undefined)
      return await sendLogs(context, readAppName(logsOf), {parameters, request, response})
    const body = read ?? (method === 'GET' ? '' : await bodyOf(request))
    if (path === '/wait') return await serveWaiting(context, {method, body, response})
    if (method === 'POST' && path === '/replays') return await serveReplays(context, body, response)
    const gone = new AbortController()
    response.on('close', () => gone.abort(new Error('who asked for it has left')))
    end(response, await handleApi(context, {method, path, parameters, body, gone: gone.signal}))
  } catch (error) {
    if (response.headersSent) response.destroy()
    else end(response, problemOf(error))
  }
}

async function serveWaiting(
  {waits}: ApiContext,
  {method, body, response}: {method: string; body: string; response: ServerResponse}
): Promise<void> {
  if (method !== 'POST') return end(response, notAllowed(method, 'POST'))
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const {serveWait} = await import('./wait/serve-wait.ts')
  const context = await waits()
  const left = new Promise<void>(resolve => response.on('close', resolve))
  void context.holds(left)
  end(response, json(await serveWait(context, body, gone.signal)))
}

/** The largest request body that the API expects; the rest is dropped. */
const MAX_BODY = 64 * 1024

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  request.setEncoding('utf8')
  for await (const piece of request) if (body.length < MAX_BODY) body += piece as string
  return body
}

const end = (response: ServerResponse, {status, type, body, allow}: ApiResponse): void =>
  void response.writeHead(status, {'content-type': type, ...(allow !== undefined && {allow})}).end(body)
