import {KIND, type ReceivedSpan, type SpanDetails} from '../../src/observe/telemetry/otlp/received.ts'
import {wallTime} from '../../src/platform/wall-time.ts'

const zero = {at: 0}

/** What is made is counted from now on: earlier, another test may have set the clock back. */
export function countFromNow(): void {
  wallTime.note()
  zero.at = performance.now()
}

/** The `performance.now()` of a time of what is made. */
export const moment = (ms: number): number => zero.at + ms

/** A span that an app has sent. */
export function madeSpan(
  ids: string,
  [from, until]: readonly [number, number],
  {details, ...more}: Partial<Omit<ReceivedSpan, 'details'>> & {readonly details?: Partial<SpanDetails>} = {}
): ReceivedSpan {
  const [traceId = '', spanId = '', parentId = ''] = ids.split(' ')
  return {
    app: 'shop',
    isApp: true,
    traceId: traceId.padEnd(32, '0'),
    spanId: spanId.padEnd(16, '0'),
    parentId: parentId === '' ? '' : parentId.padEnd(16, '0'),
    name: spanId,
    kind: KIND.internal,
    startedAt: wallTime.of(moment(from)),
    endedAt: wallTime.of(moment(until)),
    isFailed: false,
    details: JSON.stringify({message: '', scope: '', attributes: [], ...details}),
    ...more
  }
}
