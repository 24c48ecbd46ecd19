import {once} from 'node:events'
import type {IncomingMessage, ServerResponse} from 'node:http'
import type {LogsQuery} from '../control/messages.ts'
import {decoded, linesOf, readLine} from '../logging/headed-lines.ts'
import type {ApiContext} from './api.ts'
import {noSuchApp, type AppName} from './apps.ts'
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

/**
 * Sends the log of an app, as text or one JSON object for each line, at the reader's pace: an app never waits for it, and a
 * reader who follows too slowly is told how many lines were left out. Throws an ApiProblem.
 */
export async function sendLogs(
  {control}: ApiContext,
  {id, version}: AppName,
  {parameters, request, response}: LogsRequest
): Promise<void> {
  const asked = {...logsQuery(parameters), version}
  const words = (parameters.get('grep') ?? '').toLowerCase()
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const texts = control.runLogs([id], asked, gone.signal)
  if (texts === undefined) throw noSuchApp(control.list().apps, {id, version})
  const isJson = (request.headers.accept ?? '').includes(NDJSON)
  response.writeHead(200, {'content-type': isJson ? NDJSON : 'text/plain; charset=utf-8'}).flushHeaders()
  try {
    for await (const lines of linesOf(texts)) {
      const text = lines.map(line => shown(line, words, isJson)).join('')
      if (text !== '' && !response.write(text)) await once(response, 'drain', {signal: gone.signal})
    }
    response.end()
  } catch (error) {
    if (gone.signal.aborted) return // the reader has left
    response.destroy(error instanceof Error ? error : undefined)
  }
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
