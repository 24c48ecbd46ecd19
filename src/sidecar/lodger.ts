import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Duplex} from 'node:stream'
import type {FastLine} from '../wire/fast-line.ts'
import type {PlainRequest} from '../wire/plain-request.ts'
import {plainValues} from './plain.ts'
import {idOfBasic} from './target.ts'

/** A plain request, for a lodger: the fields that a door takes out are told beside the lines. */
export interface LodgersCall extends Pick<
  PlainRequest,
  'method' | 'path' | 'query' | 'lines' | 'length' | 'hasLength'
> {
  readonly host: string
  readonly authorization: string
  readonly apiToken: string
}

/** Somebody else's routes on a door's port. What names an app by header or basic auth is never his. */
export interface Lodger {
  isMeant(path: string): boolean
  /** Starts a call; false, and nothing done: it is for `serve`. */
  startPlain(call: LodgersCall, line: FastLine): boolean
  serve(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): void
}

/** Whether a request of node:http is a lodger's. */
export const isLodgers = (lodger: Lodger | undefined, {url = '', headers}: IncomingMessage): lodger is Lodger =>
  lodger?.isMeant(url.split('?', 1)[0] ?? '') === true &&
  (headers['dapr-app-id'] ?? '') === '' &&
  idOfBasic(headers.authorization ?? '') === ''

/** Starts a lodger's plain request. False, and nothing done: it is not his, or not for the fast lane. */
export const startLodgers = (lodger: Lodger | undefined, request: PlainRequest, line: FastLine): boolean => {
  if (lodger?.isMeant(request.path) !== true) return false
  const {appId, host, apiToken, authorization, traceparent, tracestate} = plainValues(request)
  if (appId !== '' || authorization.startsWith('Basic ')) return false
  const {method, path, query, length, hasLength} = request
  const lines =
    request.lines +
    (traceparent === '' ? '' : `Traceparent: ${traceparent}\r\n`) +
    (tracestate === '' ? '' : `Tracestate: ${tracestate}\r\n`)
  return lodger.startPlain({method, path, query, lines, length, hasLength, host, authorization, apiToken}, line)
}
