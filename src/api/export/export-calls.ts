import type {ServerResponse} from 'node:http'
import {UserError} from '../../model/errors.ts'
import {writeTo} from '../../net/http1/write-to.ts'
import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'
import {contentOf, type CallContent} from '../../telemetry/recorder/call-content.ts'
import {readFilter} from '../../telemetry/recorder/filter.ts'
import type {ApiContext} from '../api.ts'
import {callsQuery, recordedCall, type CallsQuery} from '../calls.ts'
import {ApiProblem} from '../problem.ts'
import {Turns} from '../turns.ts'
import type {Exporter, ExporterOptions} from './exporter.ts'

const LOADERS: Readonly<Record<string, () => Promise<(options: ExporterOptions) => Exporter>>> = {
  har: async () => (await import('./har.ts')).harExporter,
  http: async () => (await import('./http-file.ts')).httpFileExporter,
  curl: async () => (await import('./curl.ts')).curlExporter,
  otlp: async () => (await import('./otlp.ts')).otlpExporter
}

/** No limit but what is kept. */
const ALL = 9_999_999_999

/**
 * Writes calls in the format that a path names (`/calls.har`), the oldest first: those that a filter matches (`q`), or one by its
 * `number`. Takes short turns, and waits for a slow reader. Throws a UserError for a faulty query, before anything is written.
 */
export async function exportCalls(
  {recorder, masked, control}: ApiContext,
  path: string,
  parameters: URLSearchParams,
  response: ServerResponse
): Promise<void> {
  const load = Object.entries(LOADERS).find(([format]) => path === `/calls.${format}`)?.[1]
  if (load === undefined)
    throw new ApiProblem(404, `there is no ${path}`, `Formats: ${Object.keys(LOADERS).join(', ')}.`)
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const turns = new Turns(() => recorder.last)
  const one = parameters.get('number')
  const numbers =
    one === null ? await matching(recorder, callsQuery(parameters, ALL, ALL), turns) : [numberOf(recorder, one)]
  const {apps} = control.list()
  const portOf = (app: string): number => apps.find(({appId}) => appId === app)?.httpPort ?? 0
  const exporter = (await load())({masked: masked(), portOf})
  response.writeHead(200, {'content-type': exporter.type})
  let isFirst = true
  let text = exporter.before
  for (const number of numbers) {
    if (turns.isOver) {
      await writeTo(response, text)
      text = ''
      await turns.next()
    }
    if (gone.signal.aborted) return
    const call = recorder.call(number)
    if (call === undefined) continue // its line was taken meanwhile
    text += (isFirst ? '' : exporter.between) + exporter.text(call)
    isFirst = false
  }
  response.write(text)
  response.end(exporter.after)
}

function numberOf(recorder: CallRecorder, text: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new UserError(`number=${text} is no number`, {explanation: 'Write number=7, for example.'})
  return recordedCall(recorder, Number(text)).number
}

async function matching(
  recorder: CallRecorder,
  {q, before, after, limit}: CallsQuery,
  turns: Turns
): Promise<readonly number[]> {
  const matches = readFilter(q)
  const found: number[] = []
  for (const number of recorder.numbers(before === 0 ? undefined : before)) {
    if (found.length >= limit || number <= after) break
    await turns.next()
    const line = recorder.line(number)
    const edgeOf = line && recorder.edges.at(line.edge)
    if (line === undefined || edgeOf === undefined) continue
    let content: CallContent | undefined
    const read = (): CallContent => (content ??= contentOf({pieces: recorder.call(number)?.pieces ?? []}))
    if (matches({...line, edgeOf}, read)) found.push(number)
  }
  return found.toReversed()
}
