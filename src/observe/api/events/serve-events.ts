import type {ApiContext, ApiRequest} from '../route.ts'
import {readAppName, appsNamed} from '../apps.ts'
import {ApiProblem} from '../problem.ts'
import {readAfter, readTypes, type EventFormat} from './event.ts'
import {EventReader, type Via} from './event-reader.ts'
import type {RunEvents} from './run-events.ts'

/** Maximum number of readers at the same time. */
const MAX_READERS: Readonly<Record<Via, number>> = {socket: 64, page: 16}

const CONTENT_TYPES: Readonly<Record<EventFormat, string>> = {sse: 'text/event-stream', ndjson: 'application/x-ndjson'}

/** Streams events until the reader leaves or the run ends. Throws an ApiProblem. */
export function serveEvents(
  {control}: ApiContext,
  events: RunEvents,
  {query, request, response, via, gone}: ApiRequest
): undefined {
  if (gone.aborted) return undefined // checked again: the reader may have left while the code was loaded
  const types = readTypes(query.get('types'))
  const name = query.get('app') ?? ''
  const [named] = name === '' ? [] : appsNamed(control.list().apps, readAppName({id: encodeURIComponent(name)}))
  const app = named?.id ?? ''
  // an EventSource reconnects to its first URL, whose `after` is outdated
  const after = readAfter(request.headers['last-event-id']?.toString() || query.get('after'))
  const most = MAX_READERS[via]
  if (events.count(via) >= most)
    throw new ApiProblem(503, `${most} readers follow the events already`, 'Close one of them.')
  const wanted = query.get('format') ?? request.headers.accept ?? ''
  const format = wanted.includes('ndjson') ? 'ndjson' : 'sse'
  response.writeHead(200, {'content-type': CONTENT_TYPES[format], 'cache-control': 'no-store'}).flushHeaders()
  const reader = new EventReader(response, {via, format, types, app, reset: () => events.state('reset')})
  response.on('close', () => events.leave(reader))
  events.join(reader, after, query.has('once'))
  return undefined
}
