import type * as Api from '../../model/api.generated.ts'
import {contentOf, type CallContent} from '../telemetry/recorder/call-content.ts'
import type {CallRecorder, RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {readFilter} from '../telemetry/recorder/filter.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import {ApiProblem, wholeIn} from './problem.ts'
import {Turns} from './turns.ts'
import {detailOf, rowOf} from './call-view.ts'
import type {ServerResponse} from 'node:http'
import type {RunFacts} from './run-facts.ts'

export const MAX_ROWS = 1000
const ROWS = 100

export interface CallsQuery {
  /** A filter (`observe/telemetry/recorder/filter.ts`); '': all calls. */
  readonly q: string
  /** Only calls before this number; 0: from the latest one. */
  readonly before: number
  readonly after: number
  readonly limit: number
}

/** Reads the parameters of a request. `rows`: the default limit. `maxRows`: the largest. Throws a UserError. */
export function callsQuery(parameters: URLSearchParams, rows = ROWS, maxRows = MAX_ROWS): CallsQuery {
  return {
    q: parameters.get('q') ?? '',
    before: wholeIn(parameters, 'before') ?? 0,
    after: wholeIn(parameters, 'after') ?? 0,
    limit: Math.min(maxRows, wholeIn(parameters, 'limit') ?? rows)
  }
}

/** Lists the calls that a filter matches, the latest first. Lets other work run in between. Rejects with a UserError for a faulty filter. */
export async function listCalls(
  recorder: CallRecorder,
  {q, before, after, limit}: CallsQuery,
  masking: Masking
): Promise<readonly Api.Call[]> {
  const turns = new Turns(() => recorder.last)
  const matches = readFilter(q, recorder)
  const rows: Api.Call[] = []
  for (const number of recorder.numbers(before === 0 ? undefined : before)) {
    if (rows.length >= limit || number <= after) break
    await turns.next()
    const line = recorder.line(number)
    if (line === undefined) continue
    const read = (): CallContent => contentOf(recorder.call(number) ?? {})
    if (matches(line, read)) rows.push(rowOf(line, read(), masking))
  }
  return rows
}

/** Returns a call for display. Throws an ApiProblem if the call is not kept. */
export const oneCall = (recorder: CallRecorder, number: number, masking: Masking): Api.CallDetail =>
  detailOf(recordedCall(recorder, number), masking)

/** Returns a call with its bytes. Throws an ApiProblem if the call is not kept. */
export function recordedCall(recorder: CallRecorder, number: number): RecordedCall {
  const call = recorder.call(number)
  if (call !== undefined) return call
  const why =
    number > recorder.last
      ? `the latest call is number ${recorder.last}`
      : 'it is no longer kept: the recorder keeps the latest 32,768 calls'
  throw new ApiProblem(404, `there is no call ${number}: ${why}`, 'pillion calls lists them.')
}

/** Time in ms for which ended calls are collected before they are written together. */
const EVERY_MS = 50
/** Maximum number of calls written at a time. The rest are dropped and counted. */
const MAX_BATCH = 200

/**
 * Streams calls as they end, one JSON object per line, until the reader disconnects. Of more than 200 in 50 ms it sends only the first, and
 * none while the reader is behind; `{"dropped": 17}` counts the omitted calls. Throws a UserError for a faulty filter.
 */
export function followCalls({recorder, masked}: RunFacts, query: URLSearchParams, response: ServerResponse): undefined {
  const matches = readFilter(query.get('q') ?? '', recorder)
  let numbers: number[] = []
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  const droppedLine = (): string => {
    const line = dropped > 0 ? `{"dropped":${dropped}}\n` : ''
    dropped = 0
    return line
  }
  const write = (): void => {
    timer = undefined
    const masking = new Masking(masked()) // an edit of the template may have added names of secrets
    const ended = numbers
    numbers = []
    const isFull = response.writableNeedDrain
    let text = isFull ? '' : droppedLine()
    let room = isFull ? 0 : MAX_BATCH
    for (const number of ended) {
      const call = recorder.call(number)
      if (call === undefined) continue
      if (!matches(call, () => contentOf(call))) continue
      if (room-- > 0) text += `${masking.json(rowOf(call, contentOf(call), masking))}\n`
      else dropped++
    }
    if (!isFull) text += droppedLine()
    if (text !== '') response.write(text)
  }
  const stop = recorder.onEnded(number => {
    numbers.push(number)
    timer ??= setTimeout(write, EVERY_MS)
  })
  response.on('drain', () => {
    if (dropped > 0) timer ??= setTimeout(write, EVERY_MS)
  })
  response.on('close', () => {
    stop()
    clearTimeout(timer)
  })
  response.writeHead(200, {'content-type': 'application/x-ndjson'}).flushHeaders()
}
