import {KIND, type ReceivedSpan, type SpanDetails} from '../../src/observe/telemetry/otlp/received.ts'

/** A span that an app has sent; times are those of `performance.now()`. */
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
    startedAt: performance.timeOrigin + from,
    endedAt: performance.timeOrigin + until,
    isFailed: false,
    details: JSON.stringify({message: '', scope: '', attributes: [], ...details}),
    ...more
  }
}
