import type * as Api from '../../model/api.generated.ts'
import {callInFlight, exitSentence, endOf} from '../../model/exit-text.ts'
import {heldWorkText} from '../../work/workflow/held-work-text.ts'
import {contentOf} from '../telemetry/recorder/call-content.ts'
import type {SpanStore} from '../telemetry/otlp/span-store.ts'
import type {Death} from '../telemetry/recorder/deaths.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import {rowOf} from './call-view.ts'
import {traceIdOf} from '../../model/traceparent.ts'
import {spanDetails} from '../telemetry/otlp/received.ts'
import {exceptionText} from '../../model/thrown-at.ts'
import {maskedException} from './trace/span-view.ts'
import {tracesOf} from './trace/traces-of.ts'

const OUT_OF_MEMORY = 'An unexpected SIGKILL often means that the system ran out of memory: see dmesg'

export async function deathView(death: Death, masking: Masking, spans?: SpanStore): Promise<Api.Death> {
  const {exit, place, lines, advice} = death
  const isKilled = exit.kind === 'signal' && exit.signal === 'SIGKILL'
  return {
    ...deathFacts(death, masking),
    place: await place(),
    thrown: spans === undefined ? [] : thrownBefore(death, masking, spans),
    lines: await lines(),
    hint: isKilled ? OUT_OF_MEMORY : ((await advice?.()) ?? '')
  }
}

/** Returns the facts of a death that are known without reading the app's log. */
export function deathFacts(
  {number, app, name, version, exit, reason, at, livedMs, files, inside, own = [], work, earlier, finished}: Death,
  masking: Masking
): Omit<Api.Death, 'place' | 'thrown' | 'lines' | 'hint'> {
  const rows = inside.map(({call, forMs, count, times}) => ({
    ...rowOf(call, contentOf(call), masking),
    // the call was copied in flight, and has ended with the process
    isOpen: false,
    totalMs: forMs,
    forMs,
    count,
    times
  }))
  return {
    number,
    app,
    name,
    version,
    exit: endOf(exit),
    text: exitSentence({
      name,
      exit: endOf(exit),
      livedMs: exit.kind === 'spawn-error' ? undefined : livedMs,
      calls: [...rows, ...own],
      work: work.map(heldWorkText)
    }),
    reason,
    at: new Date(at).toISOString(),
    livedMs,
    files,
    inside: rows,
    ...(own.length > 0 && {own: own.map(callInFlight)}),
    work,
    earlier,
    finished: finished.map(call => rowOf(call, contentOf(call), masking))
  }
}

/** How long before its end an app may report the cause, in ms. */
const LAST_MS = 5000
const MAX_THROWN = 5

/** Returns the exceptions that an app has reported in the traces of the calls that were in flight, or shortly before its end; the latest first. */
function thrownBefore({app, at, inside}: Death, masking: Masking, spans: SpanStore): readonly Api.SpanException[] {
  const traces = new Set(inside.map(({call}) => traceIdOf(tracesOf(call).wentWith)))
  const found: {readonly at: number; readonly exception: Api.SpanException}[] = []
  for (const [id, {spans: own, logs}] of spans.traces) {
    const isOf = (each: {readonly app: string}, moment: number): boolean =>
      each.app === app && (traces.has(id) || (moment >= at - LAST_MS && moment <= at))
    for (const span of own.values()) {
      // parsing details takes long, so only those of matching spans are parsed
      const exception = isOf(span, span.endedAt) ? spanDetails(span).exception : undefined
      if (exception !== undefined) found.push({at: span.endedAt, exception})
    }
    for (const log of logs)
      if (log.exception !== '' && isOf(log, log.at))
        found.push({at: log.at, exception: JSON.parse(log.exception) as Api.SpanException})
  }
  const latest = found.toSorted((a, b) => b.at - a.at).map(({exception}) => maskedException(exception, masking))
  return [...new Map(latest.map(each => [exceptionText(each), each])).values()].slice(0, MAX_THROWN)
}
