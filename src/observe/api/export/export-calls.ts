import {OUTSIDE} from '../../../model/call.ts'
import {UserError} from '../../../model/errors.ts'
import {writeTo} from '../../../proxy/net/http1/write-to.ts'
import {FLAG} from '../../telemetry/recorder/call-lines.ts'
import type {CallRecorder, RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import type {ApiContext, ApiRequest} from '../route.ts'
import {withoutWords} from '../../telemetry/recorder/callee-kinds.ts'
import {callsQuery, recordedCall, type CallsQuery} from '../calls.ts'
import {Turns} from '../turns.ts'
import type {Exporter, ExporterOptions} from './exporter.ts'
import {ownOf} from '../../../model/own.ts'
import {PIECE} from '../../telemetry/recorder/byte-tape.ts'
import {contentOf, copyOfCall} from '../../telemetry/recorder/call-content.ts'
import {readFilter} from '../../telemetry/recorder/filter.ts'

/** The calls kept at one moment. Calls in flight stay in that state. The recorder continues: calls that it overwrites before they are read are counted. */
export class CallSnapshot {
  /** The moment of the snapshot, by `performance.now()`. */
  readonly at = performance.now()
  readonly #recorder: CallRecorder
  /** The latest first. */
  readonly #numbers: readonly number[]
  readonly #underWay: ReadonlyMap<number, RecordedCall>
  /** Number of the oldest call whose bytes were kept at the moment of the snapshot. */
  readonly #firstWhole: number
  readonly #overwritten = new Set<number>()

  constructor(recorder: CallRecorder) {
    this.#recorder = recorder
    this.#numbers = recorder.numbers()
    this.#underWay = new Map(
      recorder.open().flatMap(number => {
        const call = recorder.call(number)
        return call === undefined ? [] : [[number, copyOfCall(call)]]
      })
    )
    this.#firstWhole = this.#findFirstWhole()
  }

  /** Returns the numbers of the calls that match a query, the oldest first. Lets other work run in between. Rejects with a UserError for a faulty filter. */
  async matching({q, before, after, limit}: CallsQuery, turns: Turns): Promise<readonly number[]> {
    const matches = readFilter(q, this.#recorder)
    const found: number[] = []
    for (const number of this.#numbers) {
      if (before > 0 && number >= before) continue
      if (found.length >= limit || number <= after) break
      await turns.next()
      const line = this.#underWay.get(number) ?? this.#recorder.line(number)
      if (line === undefined) this.#overwritten.add(number)
      else if (matches(line, () => contentOf(this.call(number) ?? {}))) found.push(number)
    }
    return found.toReversed()
  }

  /** Returns a call in its state at that moment. Undefined if it was overwritten. */
  call(number: number): RecordedCall | undefined {
    const call = this.#underWay.get(number) ?? this.#recorder.call(number)
    if (call === undefined || (number >= this.#firstWhole && !hasRequest(call))) this.#overwritten.add(number)
    return call
  }

  /** Describes in one line how many calls were overwritten before they were read; may be empty. */
  get overwritten(): string {
    const {size} = this.#overwritten
    if (size === 0) return ''
    const [calls, are, lack] =
      size === 1 ? ['call was', 'it is', 'lacks its'] : ['calls were', 'they are', 'lack their']
    return `${size} ${calls} overwritten before this was written: ${are} missing, or ${lack} bytes`
  }

  /** Returns the first call whose bytes are kept. The tape overwrites calls in the order of their begins, but long calls later: it takes two in a row. */
  #findFirstWhole(): number {
    const ended = this.#numbers.filter(number => !this.#underWay.has(number))
    let [low, high] = [0, ended.length] // searches how many of the latest calls are kept as a whole
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const last = ended.slice(Math.max(0, middle - 2), middle).map(number => this.#recorder.call(number))
      if (last.every(call => call !== undefined && hasRequest(call))) low = middle
      else high = middle - 1
    }
    return ended[low - 1] ?? Infinity
  }
}

const hasRequest = ({pieces}: RecordedCall): boolean => pieces.some(({kind}) => kind === PIECE.requestHead)

const LOADERS: Readonly<Record<string, () => Promise<(options: ExporterOptions) => Exporter>>> = {
  har: async () => (await import('./har.ts')).harExporter,
  curl: async () => (await import('./curl.ts')).curlExporter
}

/** Name of the trailer that reports how many calls were overwritten (RFC 9110, 6.5). */
const TRAILER = 'pillion-overwritten'

/** A limit above every number of calls. */
const ALL = 9_999_999_999

/**
 * Writes calls in a format (`/calls.har`), the oldest first: those that match a filter (`q`), or the call `number`. All are in their
 * state of one moment; the end counts calls that were overwritten before they were written. Lets other work run in between, and waits
 * for a slow reader. Throws a UserError for a faulty query, before anything is written.
 */
export async function exportCalls(
  {recorder, masked, control, work}: ApiContext,
  {at: {format = ''}, query, gone, response}: ApiRequest
): Promise<undefined> {
  const load = ownOf(LOADERS, format)
  if (load === undefined) throw new Error(`no calls are written as ${format}`)
  const turns = new Turns(() => recorder.last)
  // only HAR has the spans of apps
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
    // some resolvers do not know names below localhost
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
