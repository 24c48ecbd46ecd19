import type {IncomingMessage, ServerResponse} from 'node:http'
import {handleApi, problemOf, type ApiContext} from './api.ts'
import {followCalls} from './follow-calls.ts'

/** Serves a request under `/api/v1`, whatever listener it came to. Never throws. */
export async function serveApi(context: ApiContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://run')
  const path = url?.pathname.replace(/^\/api\/v1/, '') ?? ''
  const parameters = url?.searchParams ?? new URLSearchParams()
  try {
    if (request.method === 'GET' && path === '/calls' && parameters.has('follow'))
      return followCalls(context, parameters, response)
  } catch (error) {
    return end(response, problemOf(error))
  }
  end(response, await handleApi(context, {method: request.method ?? '', path, parameters}))
}

const end = (response: ServerResponse, {status, type, body}: ReturnType<typeof problemOf>): void =>
  void response.writeHead(status, {'content-type': type}).end(body)
