import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Duplex} from 'node:stream'
import type {FastConnection} from '../../../proxy/net/http1/fast-connection.ts'
import type {PlainRequest} from '../../../proxy/net/http1/plain-request.ts'
import {plainValues} from './plain-call.ts'
import {idOfBasic} from './target.ts'
import {traceLines} from './trace.ts'

/** A plain request for a mounted router. The headers that a sidecar reads itself are not among its `lines`. */
interface MountedCall extends Pick<
  PlainRequest,
  'method' | 'path' | 'query' | 'lines' | 'length' | 'hasLength' | 'text' | 'size'
> {
  readonly host: string
  readonly authorization: string
  readonly apiToken: string
}

/** Additional routes on a sidecar's port (Daeploy's manager). Requests that name an app by header or basic auth never belong to them. */
export interface MountedRouter {
  hasRoute(path: string): boolean
  /** Starts a plain call. Returns false, without effect, if node:http has to read the request for `serve`. */
  startPlain(call: MountedCall, connection: FastConnection): boolean
  serve(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void
}

/** Whether a request of node:http belongs to a mounted router. */
export const isMounted = (
  mounted: MountedRouter | undefined,
  {url = '', headers}: IncomingMessage
): mounted is MountedRouter =>
  mounted?.hasRoute(url.split('?', 1)[0] ?? '') === true &&
  (headers['dapr-app-id'] ?? '') === '' &&
  idOfBasic(headers.authorization ?? '') === ''

/** Starts a plain request of a mounted router. Returns false, without effect, if the router or the fast path refuses it. */
export const startMounted = (
  mounted: MountedRouter | undefined,
  request: PlainRequest,
  connection: FastConnection
): boolean => {
  if (mounted?.hasRoute(request.path) !== true) return false
  const {appId, host, apiToken, authorization, traceparent, tracestate} = plainValues(request)
  if (appId !== '' || authorization.startsWith('Basic ')) return false
  const {method, path, query, length, hasLength, text, size} = request
  const lines = request.lines + traceLines({traceparent, tracestate})
  return mounted.startPlain(
    {method, path, query, lines, length, hasLength, host, authorization, apiToken, text, size},
    connection
  )
}
