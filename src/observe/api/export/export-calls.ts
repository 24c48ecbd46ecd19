import {OUTSIDE} from '../../../model/call.ts'
import {UserError} from '../../../model/errors.ts'
import {writeTo} from '../../../proxy/net/http1/write-to.ts'
import {FLAG} from '../../telemetry/recorder/call-lines.ts'
import type {CallRecorder, RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import type {ApiContext, ApiRequest} from '../route.ts'
import {withoutWords} from '../../telemetry/recorder/called-model.ts'
import {callsQuery, recordedCall} from '../calls.ts'
import {Turns} from '../turns.ts'
import {CallSnapshot} from './call-snapshot.ts'
import type {Exporter, ExporterOptions} from './exporter.ts'
import {ownOf} from '../../../model/own.ts'

const LOADERS: Readonly<Record<string, () => Promise<(options: ExporterOptions) => Exporter>>> = {
  har: async () => (await import('./har.ts')).harExporter,
  curl: async () => (await import('./curl.ts')).curlExporter
}

/** Trailer with the number of calls that were overwritten (RFC 9110 6.5). */
const TRAILER = 'pillion-overwritten'

/** No limit. */
const ALL = 9_999_999_999

/**
 * Writes calls in a format (`/calls.har`), the oldest first: matches of a filter (`q`), or one call by its `number`. The calls are of one moment; the end counts the calls that were overwritten before they were written. Takes short turns, and waits for a slow reader. Throws a UserError for a faulty query, before anything is written.
 */
export async function exportCalls(
  {recorder, masked, control, work}: ApiContext,
  {at: {format = ''}, query, gone, response}: ApiRequest
): Promise<undefined> {
  const load = ownOf(LOADERS, format)
  if (load === undefined) throw new Error(`no calls are written as ${format}`)
  const turns = new Turns(() => recorder.last)
  // HAR has the spans of apps
  const gathered =
    format === 'har' && recorder.spans !== undefined
      ? await (await import('../trace/gather.ts')).gather(recorder, work.openWorkflows(), turns)
      : undefined
  const snapshot = new CallSnapshot(recorder)
  const one = query.get('number')
  const numbers = one === null ? await snapshot.matching(callsQuery(query, ALL, ALL), turns) : [numberOf(recorder, one)]
  const {apps} = control.list()
  const placeOf = ({flags, edgeOf: {caller, callee}}: RecordedCall): string => {
    const isPublished = (flags & FLAG.published) !== 0
    const app = apps.find(({id}) => id === (isPublished || caller === OUTSIDE ? callee : caller))
    if (app === undefined) return ''
    // not every resolver knows the names below localhost
    if (isPublished) return app.url.replace('http://', '').replace(/^localhost:/, '127.0.0.1:')
    return app.httpPort === 0 ? '' : `${app.sidecarHost ?? '127.0.0.1'}:${app.httpPort}`
  }
  const exporter = (await load())({masked: masked(), placeOf, now: snapshot.at, gathered})
  response.writeHead(200, {'content-type': exporter.type, trailer: TRAILER})
  let isFirst = true
  let text = exporter.before
  for (const number of numbers) {
    if (turns.isOver) {
      await writeTo(response, text)
      text = ''
      await turns.next()
    }
    if (gone.aborted) return undefined
    const call = snapshot.call(number)
    if (call === undefined) continue
    text += (isFirst ? '' : exporter.between) + exporter.text(withoutWords(call), call)
    isFirst = false
  }
  const {overwritten} = snapshot
  response.write(text)
  if (overwritten !== '') response.addTrailers({[TRAILER]: overwritten})
  response.end(exporter.end(overwritten))
  return undefined
}

function numberOf(recorder: CallRecorder, text: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new UserError(`number=${text} is not a number`, {explanation: 'Write number=7, for example.'})
  return recordedCall(recorder, Number(text)).number
}
