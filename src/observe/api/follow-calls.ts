import type {ServerResponse} from 'node:http'
import {contentOf} from '../telemetry/recorder/call-content.ts'
import {readFilter} from '../telemetry/recorder/filter.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import type {RunFacts} from './run-facts.ts'
import {rowOf} from './call-view.ts'

/** Calls that ended together are written together. */
const EVERY_MS = 50
/** A reader gets at most this many calls at a time, and the number of dropped ones. */
const MAX_BATCH = 200

/**
 * Streams calls as they end, one JSON object for each line, until the reader leaves. Of more than 200 in
 * 50 ms only the first ones are, and none while the reader has more to read than fits; `{"dropped": 17}` says how many were left out. Throws a UserError for a faulty filter.
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
    const masking = new Masking(masked()) // an edit of the template may have added names
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
