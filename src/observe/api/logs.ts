import type * as Api from '../../model/api.generated.ts'
import type {ServerResponse} from 'node:http'
import {setImmediate as turn} from 'node:timers/promises'
import type {LogsQuery} from '../../control/run-control.ts'
import {readTime} from '../../model/duration.ts'
import {messageOf} from '../../model/errors.ts'
import {readLine} from '../logging/headed-lines.ts'
import {lineBatches, linesIn} from '../../model/text-lines.ts'
import {decoded} from '../../model/bytes.ts'
import {AT_LEAST, Levels} from '../../model/line-level.ts'
import {ownOf} from '../../model/own.ts'
import {instanceName} from '../../model/plan.ts'
import type {LogBatch} from '../logging/run-log.ts'
import {writeTo} from '../../proxy/net/http1/write-to.ts'
import type {ApiRequest} from './route.ts'
import type {RunFacts} from './run-facts.ts'
import {isNamed, noSuchApp, type AppName} from './apps.ts'
import {lineView} from './line-view.ts'
import {ApiProblem, wholeIn} from './problem.ts'

const NDJSON = 'application/x-ndjson'

/** Header with the place in the log at which an answer ends: `from` of the next request. */
const PLACE = 'pillion-log-place'
/** Maximum number of characters of the log to read in one turn of the event loop. */
const TURN_SIZE = 64 * 1024

/** Sends the lines of several apps (`app=shop`, repeatable), or of all in order. With `from`, a place in the run's log, sends the later lines in memory. */
export async function sendRunLogs(context: RunFacts, asked: ApiRequest): Promise<undefined> {
  const ids = asked.query.getAll('app')
  const version = asked.query.get('version') ?? ''
  if (wantsBytes(asked)) {
    const {control} = context
    const texts = control.runLogs(ids, {...logsQuery(asked.query), version}, asked.gone)
    return sendBytes(texts ?? noSuchAppOf(control.list().apps, ids, version), asked)
  }
  return asked.query.has('from') ? sendStretch(context, ids, asked) : send(context, ids, version, asked)
}

/** Sends at most `limit` lines of the batches `from` up to `to`, without the first `skip` lines; then the number of lines left. Throws an ApiProblem. */
async function sendStretch(
  {control, runLog}: RunFacts,
  ids: readonly string[],
  {query, request, response}: ApiRequest
): Promise<undefined> {
  const {apps} = control.list()
  const version = query.get('version') ?? ''
  if (ids.some(id => !apps.some(app => isNamed(app, {id, version})))) throw noSuchAppOf(apps, ids, version)
  const names = new Set(ids.flatMap(id => writersOf(apps, {id, version})))
  const log = runLog()
  const from = wholeIn(query, 'from') ?? 0
  const to = wholeIn(query, 'to') ?? log.next
  let limit = wholeIn(query, 'limit') ?? Infinity
  let skip = from < log.oldest ? 0 : (wholeIn(query, 'skip') ?? 0)
  const isJson = (request.headers.accept ?? '').includes(NDJSON)
  const typed = {'content-type': isJson ? NDJSON : 'text/plain; charset=utf-8'}
  response.writeHead(200, {...typed, [PLACE]: Math.min(to, log.next)}).flushHeaders()
  if (from < log.oldest)
    await writeTo(response, isJson ? `${JSON.stringify({note: OLDER_LINES})}\n` : `${OLDER_LINES}\n`)
  let rest: Api.LinesLeft | undefined
  let size = 0
  for (const batch of log.between(from, to)) {
    if (response.destroyed) return
    size += batch.text.length
    if (size > TURN_SIZE) {
      size = 0
      await turn()
    }
    if (ids.length > 0 && !names.has(batch.writer.name)) continue
    const count = linesIn(batch.text)
    const taken = Math.min(Math.max(0, count - skip), limit)
    if (taken > 0) await writeTo(response, linesFrom(batch, {skip, taken, isJson}))
    limit -= taken
    const left = count - skip - taken
    if (left > 0)
      rest = rest === undefined ? {left, from: batch.number, skip: skip + taken} : {...rest, left: rest.left + left}
    skip = Math.max(0, skip - count)
  }
  if (rest !== undefined) await writeTo(response, restText(rest, isJson))
  response.end()
}

/** Returns the names under which an app writes: with its version if its id has several. Without a version only the main one is meant, with `*` all. */
function writersOf(apps: readonly Api.App[], name: AppName): readonly string[] {
  const named = apps.filter(app => isNamed(app, name))
  const hasSeveral = named.some(({version}) => version !== named[0]?.version)
  return named
    .filter(({isMain}) => isMain || !hasSeveral || name.version === '*')
    .flatMap(({id, version, instance}) => [id, `${id}_${version}`].map(each => instanceName(each, instance)))
}

const OLDER_LINES = '… older lines are no longer in memory: the log files have them'

const restText = (rest: Api.LinesLeft, isJson: boolean): string =>
  isJson ? `${JSON.stringify(rest)}\n` : `… ${rest.left} lines more\n`

/** Returns some lines of a batch in the form of the response. */
function linesFrom(
  {writer, stream, time, coloured}: LogBatch,
  {skip, taken, isJson}: {readonly skip: number; readonly taken: number; readonly isJson: boolean}
): string {
  return coloured
    .split('\n')
    .slice(skip, skip + taken)
    .map(each => {
      const view = lineView({time, app: writer.name, stream}, decoded(each).replace(/\r$/, ''))
      return isJson ? `${JSON.stringify(view)}\n` : `${view.line}\n`
    })
    .join('')
}

/**
 * Sends the log of an app, as text or one JSON object per line, at the reader's pace: an app never waits for it, and a slow reader gets
 * the number of dropped lines. Throws an ApiProblem.
 */
export async function sendLogs(context: RunFacts, {id, version}: AppName, asked: ApiRequest): Promise<undefined> {
  if (!wantsBytes(asked)) return send(context, [id], version, asked)
  const texts = context.control.logs(id, {...logsQuery(asked.query), version}, asked.gone)
  return sendBytes(texts ?? noSuchAppOf(context.control.list().apps, [id], version), asked)
}

const BYTES = 'application/octet-stream'

const wantsBytes = ({request}: ApiRequest): boolean => (request.headers.accept ?? '').includes(BYTES)

/** Sends latin1 texts unchanged, so that each byte of an app arrives as written. */
async function sendBytes(texts: AsyncIterable<string> | ApiProblem, {gone, response}: ApiRequest): Promise<undefined> {
  if (texts instanceof ApiProblem) throw texts
  response.writeHead(200, {'content-type': BYTES}).flushHeaders()
  try {
    for await (const text of texts) {
      await writeTo(response, text, 'latin1')
      if (gone.aborted) return
    }
  } catch (error) {
    if (gone.aborted) return // the reader has left
    response.write(`… ${messageOf(error)}\n`)
  }
  return endOf(response)
}

/** Ends a response. Settles when all of it is sent, or the client has disconnected. */
const endOf = async (response: ServerResponse): Promise<undefined> =>
  new Promise(resolve => void response.once('close', () => resolve(undefined)).end(() => resolve(undefined)))

async function send(
  {control, runLog}: RunFacts,
  ids: readonly string[],
  version: string,
  {query, gone, request, response}: ApiRequest
): Promise<undefined> {
  const asked = logsQuery(query)
  const wanted = lineFilter(query)
  const limit = wanted === undefined ? undefined : wholeIn(query, 'limit')
  const latest = limit === undefined ? undefined : new Latest(limit, wholeIn(query, 'skip') ?? 0)
  const log = runLog()
  const before = wholeIn(query, 'before') ?? log.next
  if (before < log.oldest)
    throw new ApiProblem(
      409,
      'so much was written since that this place is no longer kept',
      'Ask for the last lines again.'
    )
  const texts = control.runLogs(ids, {...asked, version, isColoured: true, ...(!asked.isFollowed && {before})}, gone)
  if (texts === undefined) throw noSuchAppOf(control.list().apps, ids, version)
  const isJson = (request.headers.accept ?? '').includes(NDJSON)
  const typed = {'content-type': isJson ? NDJSON : 'text/plain; charset=utf-8'}
  response.writeHead(200, {...typed, [PLACE]: before}).flushHeaders()
  try {
    for await (const lines of lineBatches(texts)) {
      const found = lines.map(line => shown(line, wanted, isJson)).filter(text => text !== '')
      if (latest !== undefined) latest.take(found)
      else if (found.length > 0) await writeTo(response, found.join(''))
      if (gone.aborted) return
    }
    if (latest !== undefined) await writeTo(response, latest.text(before, isJson))
    await endOf(response)
  } catch (error) {
    if (gone.aborted) return // the reader has left
    response.destroy(error instanceof Error ? error : undefined)
  }
}

/** The latest lines that match, at most `limit`, without the last `skip` ones. */
class Latest {
  readonly #limit: number
  readonly #skip: number
  #lines: string[] = []
  #count = 0

  constructor(limit: number, skip: number) {
    this.#limit = limit
    this.#skip = skip
  }

  take(lines: readonly string[]): void {
    this.#count += lines.length
    this.#lines = [...this.#lines, ...lines].slice(-this.#limit - this.#skip)
  }

  text(from: number, isJson: boolean): string {
    const lines = this.#lines.slice(0, Math.max(0, this.#lines.length - this.#skip))
    const left = this.#count - this.#lines.length
    return lines.join('') + (left === 0 ? '' : restText({left, from, skip: this.#skip + lines.length}, isJson))
  }
}

/** Returns the problem for the first of these apps that the run does not have. */
function noSuchAppOf(apps: readonly Api.App[], ids: readonly string[], version: string): ApiProblem {
  const unknown = ids.find(id => !apps.some(app => isNamed(app, {id, version}))) ?? ids[0] ?? ''
  return noSuchApp(apps, {id: unknown, version})
}

/** Returns a line if it is wanted, else undefined. Lines of a stack trace have the level of the first line. */
type LineFilter = (line: Api.Line) => Api.Line | undefined

/** Reads which lines a query wants. Undefined if it wants all. Throws an ApiProblem. */
function lineFilter(query: URLSearchParams): LineFilter | undefined {
  const [words, level, stream] = ['grep', 'level', 'stream'].map(name => query.get(name) ?? '') as [
    string,
    string,
    string
  ]
  const levels = level === '' ? undefined : ownOf(AT_LEAST, level)
  if (level !== '' && levels === undefined)
    throw new ApiProblem(400, `level=${level} is not a level`, `Write ${Object.keys(AT_LEAST).join(', ')}.`)
  if (words === '' && level === '' && stream === '') return undefined
  const text = words.toLowerCase()
  const known = new Levels()
  return plain => {
    const line = levels === undefined ? plain : known.of(plain)
    const isWanted =
      (levels === undefined || levels.includes(line.level ?? '')) &&
      (stream === '' || line.stream === stream) &&
      line.line.toLowerCase().includes(text)
    return isWanted ? line : undefined
  }
}

function shown(headed: string, filter: LineFilter | undefined, isJson: boolean): string {
  if (headed === '') return '' // the mark between stored lines and new ones
  const line = readLine(headed)
  if (typeof line === 'string') return isJson ? `${JSON.stringify({note: decoded(line)})}\n` : `${decoded(line)}\n`
  const plain = lineView(line, decoded(line.text).replace(/\r$/, ''))
  const view = filter === undefined ? plain : filter(plain)
  if (view === undefined) return ''
  return isJson ? `${JSON.stringify(view)}\n` : `${view.line}\n`
}

function logsQuery(parameters: URLSearchParams): Omit<LogsQuery, 'version'> {
  const since = parameters.get('since') ?? ''
  const time = since === '' ? 0 : readTime(since)
  if (Number.isNaN(time))
    throw new ApiProblem(
      400,
      `since=${since} is not a time`,
      'Write since=2026-01-31T14:46:28Z, for example (ISO 8601).'
    )
  return {tail: wholeIn(parameters, 'tail') ?? -1, since: time, isFollowed: parameters.has('follow')}
}
