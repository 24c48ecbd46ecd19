import type * as Api from '../../../model/api.generated.ts'
import {decoded} from '../../../model/bytes.ts'
import {linesIn} from '../../../model/text-lines.ts'
import type {LogBatch} from '../../logging/run-log.ts'
import {isOfApp, lineView} from '../line-view.ts'
import {contentOf} from '../../telemetry/recorder/call-content.ts'
import {FLAG, isFailed, type CallLine} from '../../telemetry/recorder/call-lines.ts'
import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'
import type {Edge} from '../../telemetry/recorder/edges.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {rowOf} from '../call-view.ts'

const MAX_LINES = 400
const MAX_CHARACTERS = 64 * 1024
/** Longer lines are cut off. */
const MAX_LINE = 4096

/** A sample of the lines of all apps; `notShown`: the number of further lines of each writer. */
interface AllLines extends Omit<Api.LineSample, 'notShown'> {
  readonly notShown: ReadonlyMap<string, number>
}

/** Returns the part of a sample that one app wrote. `app`: '': all apps. */
export function linesOf({lines, notShown, ...place}: AllLines, app: string): Api.LineSample {
  const isMeant = (name: string): boolean => app === '' || isOfApp(name, app)
  const counts = [...notShown].map(([name, count]) => (isMeant(name) ? count : 0))
  return {
    ...place,
    lines: lines.filter(line => isMeant(line.app)),
    notShown: counts.reduce((sum, each) => sum + each, 0)
  }
}

/** Output of apps since the last sample: the first 400 lines, and the number of further lines. */
export class LineSamples {
  #lines: Api.Line[] = []
  #characters = 0
  #notShown = new Map<string, number>()
  #from = -1
  #to = 0

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#notShown.size === 0
  }

  add({number, writer, stream, time, coloured: text}: LogBatch): void {
    if (this.#from < 0) this.#from = number
    this.#to = number + 1
    let at = 0
    while (at < text.length && this.#lines.length < MAX_LINES && this.#characters < MAX_CHARACTERS) {
      const found = text.indexOf('\n', at)
      const end = found < 0 ? text.length : found
      const line = end - at > MAX_LINE ? `${text.slice(at, at + MAX_LINE)}...` : text.slice(at, end)
      this.#lines.push(lineView({time, app: writer.name, stream}, decoded(line).replace(/\r$/, '')))
      this.#characters += line.length
      at = end + 1
    }
    if (at === text.length) return
    const {name} = writer
    this.#notShown.set(name, (this.#notShown.get(name) ?? 0) + linesIn(at === 0 ? text : text.slice(at)))
  }

  /** Returns the lines since the last call. */
  take(): AllLines {
    const taken = {from: Math.max(0, this.#from), to: this.#to, lines: this.#lines, notShown: this.#notShown}
    this.#from = -1
    this.#lines = []
    this.#characters = 0
    this.#notShown = new Map()
    return taken
  }
}

/** Maximum number of calls in a sample, and of unusual calls that are preferred. */
const MAX_ROWS = 200
const MAX_STRIKING = 120
/** Maximum number of latest calls that are read for a sample: more would delay calls between the apps. */
const MAX_READ = 2000

/**
 * Returns some of the ended calls for display: first failed, waiting, faulted and slow ones (above the 95th percentile of their edge), then the latest. `app`: only calls from or to this one; empty for all.
 */
export function sampleCalls(
  recorder: CallRecorder,
  ended: readonly number[],
  {app, masking}: {readonly app: string; readonly masking: Masking}
): Api.CallSample {
  const slow = new Map<Edge, number>()
  const isStriking = (line: CallLine, edge: Edge): boolean => {
    if (isFailed(line) || (line.flags & (FLAG.waited | FLAG.fault)) !== 0) return true
    const p95 = slow.get(edge) ?? edge.latency.percentile(0.95)
    slow.set(edge, p95)
    return line.totalMs > p95
  }
  const striking: number[] = []
  const plain: number[] = []
  let others = 0
  for (const number of ended.slice(-MAX_READ).toReversed()) {
    const line = recorder.line(number)
    if (line === undefined) continue
    const edge = line.edgeOf
    if (app !== '' && edge.caller !== app && edge.callee !== app) others++
    else if (striking.length < MAX_STRIKING && isStriking(line, edge)) striking.push(number)
    else if (plain.length < MAX_ROWS) plain.push(number)
  }
  const chosen = [...striking, ...plain.slice(0, MAX_ROWS - striking.length)].toSorted((a, b) => a - b)
  const calls = chosen.flatMap(number => {
    const call = recorder.call(number)
    return call === undefined ? [] : [rowOf(call, contentOf(call), masking)]
  })
  return {calls, notShown: ended.length - others - calls.length}
}
