// observe/api/ answers questions about a run, and runs its commands. The first request loads it. The control
// socket and the page are outside this module. Requests are those of `/api/v1`, described in `schema/api.yaml`: `routes.ts` has a row for each.
import type {IncomingMessage, ServerResponse} from 'node:http'
import {type ApiContext, Router} from './route.ts'
import type {Via} from './events/event-reader.ts'
import {ApiProblem, problemOf} from './problem.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import {ROUTES} from './routes.ts'

export interface Arrival {
  readonly via: Via
  /** The body, if it was read already. */
  readonly body?: string
}

const ROUTER = new Router(ROUTES)

/** Serves a request under `/api/v1` of any listener. Never throws. */
export async function serveApi(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  {via, body: read}: Arrival = {via: 'socket'}
): Promise<void> {
  const {method = '', url: target = '/'} = request
  // not parsed by `URL`, which would read `/apps/../stop`, a request about an app, as `/stop`
  const [path = ''] = target.split('?', 1)
  const gone = new AbortController()
  const masked = (value: object): string => new Masking(context.masked()).json(value)
  const leave = (): void => gone.abort(new Error('who asked for it has left'))
  // the client may have left while the code was loaded: its response will not close again, and a stream would continue until the end of the run
  if (response.destroyed && method === 'GET') return
  if (response.destroyed) leave()
  else response.on('close', leave)
  try {
    const {answer, at, isForPages, isLarge, isBytes, isPlain} = ROUTER.find(method, path.replace(/^\/api\/v1/, ''))
    if (via === 'page' && !isForPages)
      throw new ApiProblem(403, 'this is not for pages', 'The control socket of the run answers it.')
    const {'pillion-run': shown = ''} = request.headers
    if (shown !== '' && shown !== context.control.list().run)
      throw new ApiProblem(412, 'another run has begun meanwhile', 'Ask again once the page shows it.')
    const body = read ?? (method === 'GET' ? '' : await bodyOf(request, {isBytes, max: isLarge ? Infinity : MAX_BODY}))
    const query = new URLSearchParams(target.slice(path.length))
    const value = await answer(context, {at, query, body, gone: gone.signal, via, request, response})
    if (value !== undefined) end(response, 200, 'application/json', isPlain ? JSON.stringify(value) : masked(value))
  } catch (error) {
    if (response.headersSent) return void response.destroy()
    if (error instanceof ApiProblem && error.details.allow !== undefined)
      response.setHeader('allow', error.details.allow)
    const problem = problemOf(error)
    end(response, problem.status, 'application/problem+json', masked(problem))
  }
}

/** Maximum number of characters of a request body, except for routes with `isLarge`. */
const MAX_BODY = 1024 * 1024

async function bodyOf(
  request: IncomingMessage,
  {isBytes, max}: {readonly isBytes: boolean; readonly max: number}
): Promise<string> {
  let body = ''
  request.setEncoding(isBytes ? 'latin1' : 'utf8')
  for await (const piece of request) if (body.length <= max) body += piece as string
  if (body.length > max) throw new ApiProblem(413, `the body is longer than ${max} characters`)
  return body
}

const end = (response: ServerResponse, status: number, type: string, text: string): void =>
  void response.writeHead(status, {'content-type': type}).end(text)
