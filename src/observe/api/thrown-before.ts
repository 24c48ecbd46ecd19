import type * as Api from '../../model/api.generated.ts'
import {traceIdOf} from '../../model/traceparent.ts'
import {spanDetails} from '../telemetry/otlp/received.ts'
import type {SpanStore} from '../telemetry/otlp/span-store.ts'
import type {Death} from '../telemetry/recorder/deaths.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import {exceptionText} from '../../model/thrown-at.ts'
import {maskedException} from './trace/span-view.ts'
import {tracesOf} from './trace/traces-of.ts'

/** How long before its end an app may report the cause, in ms. */
const LAST_MS = 5000
const MAX_THROWN = 5

/** The exceptions that an app has reported in the traces of the calls that were inside, or shortly before its end; the latest first. */
export function thrownBefore(
  {app, at, inside}: Death,
  masking: Masking,
  spans: SpanStore
): readonly Api.SpanException[] {
  const traces = new Set(inside.map(({call}) => traceIdOf(tracesOf(call).wentWith)))
  const found: {readonly at: number; readonly exception: Api.SpanException}[] = []
  for (const [id, {spans: own, logs}] of spans.traces) {
    const isOf = (each: {readonly app: string}, moment: number): boolean =>
      each.app === app && (traces.has(id) || (moment >= at - LAST_MS && moment <= at))
    for (const span of own.values()) {
      // their details take long to read
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
