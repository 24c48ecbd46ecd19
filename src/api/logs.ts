import type {IncomingMessage, ServerResponse} from 'node:http'
import type {ListedApp, LogsQuery} from '../control/messages.ts'
import {decoded, linesOf, readLine} from '../logging/headed-lines.ts'
import {writeTo} from '../net/http1/write-to.ts'
import type {ApiContext} from './api.ts'
import {isNamed, noSuchApp, type AppName} from './apps.ts'
import {ApiProblem} from './problem.ts'

/** A line of a log. */
export interface LineView {
  /** ISO 8601; null: not known. */
  readonly time: string | null
  readonly app: string
  /** `stdout`, `stderr`, `status` (our lines about the app); null: not known. */
  readonly stream: string | null
  readonly line: string
}

const NDJSON = 'application/x-ndjson'

/** The lines of several apps, `app=shop`, may be repeated; without it those of all, in their order. */
export async function sendRunLogs(context: ApiContext, asked: LogsRequest): Promise<void> {
  return send(context, asked.parameters.getAll('app'), '', asked)
}

/**
 * Sends the log of an app, as text or one JSON object for each line, at the reader's pace: an app never waits for it, and a
 * reader who follows too slowly is told how many lines were left out. Throws an ApiProblem.
 */
export async function sendLogs(context: ApiContext, {id, version}: AppName, asked: LogsRequest): Promise<void> {
  return send(context, [id], version, asked)
}

async function send(
  {control}: ApiContext,
  ids: readonly string[],
  version: string,
  {parameters, request, response}: LogsRequest
): Promise<void> {
  const asked = {...logsQuery(parameters), version}
  const words = (parameters.get('grep') ?? '').toLowerCase()
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const texts = control.runLogs(ids, asked, gone.signal)
  if (texts === undefined) throw noSuchAppOf(control.list().apps, ids, version)
  const isJson = (request.headers.accept ?? '').includes(NDJSON)
  response.writeHead(200, {'content-type': isJson ? NDJSON : 'text/plain; charset=utf-8'}).flushHeaders()
  try {
    for await (const lines of linesOf(texts)) {
      const text = lines.map(line => shown(line, words, isJson)).join('')
      if (text !== '') await writeTo(response, text)
      if (gone.signal.aborted) return
    }
    response.end()
  } catch (error) {
    if (gone.signal.aborted) return // the reader has left
    response.destroy(error instanceof Error ? error : undefined)
  }
}

/** The first of these that the run does not have. */
function noSuchAppOf(apps: readonly ListedApp[], ids: readonly string[], version: string): ApiProblem {
  const [first = '', ...others] = ids
  const unknown = [first, ...others].find(id => !apps.some(app => isNamed(app, {id, version}))) ?? first
  return noSuchApp(apps, {id: unknown, version})
}

interface LogsRequest {
  readonly parameters: URLSearchParams
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

function shown(headed: string, words: string, isJson: boolean): string {
  if (headed === '') return '' // between the lines that were kept and new ones
  const line = readLine(headed)
  if (typeof line === 'string') return isJson ? `${JSON.stringify({note: decoded(line)})}\n` : `${decoded(line)}\n`
  const text = decoded(line.text).replace(/\r$/, '')
  if (words !== '' && !text.toLowerCase().includes(words)) return ''
  return isJson ? `${JSON.stringify(lineView(line, text))}\n` : `${text}\n`
}

/** `text`: decoded. */
export const lineView = (
  {time, app, stream}: {readonly time: number; readonly app: string; readonly stream: string},
  text: string
): LineView => ({
  time: time === 0 ? null : new Date(time).toISOString(),
  app,
  stream: stream === '-' ? null : stream,
  line: text
})

function logsQuery(parameters: URLSearchParams): Omit<LogsQuery, 'version'> {
  const tail = parameters.get('tail') ?? ''
  const since = parameters.get('since') ?? ''
  if (!/^\d{0,9}$/.test(tail)) throw new ApiProblem(400, `tail=${tail} is no number`, 'Write tail=100, for example.')
  const time = since === '' ? 0 : Date.parse(since)
  if (Number.isNaN(time))
    throw new ApiProblem(400, `since=${since} is no time`, 'Write since=2026-01-31T14:46:28Z, for example (ISO 8601).')
  return {tail: tail === '' ? -1 : Number(tail), since: time, isFollowed: parameters.has('follow')}
}
