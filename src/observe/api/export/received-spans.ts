import type {ReceivedSpan} from '../../telemetry/otlp/received.ts'
import type {Masking} from '../../telemetry/recorder/masking.ts'
import {spanKindOf, spanView} from '../trace/span-view.ts'

/** Spans as their apps have sent them, in OTLP's JSON encoding, by app; what is secret is masked. */
export const receivedSpans = (spans: readonly ReceivedSpan[], masking: Masking): readonly object[] =>
  [...Map.groupBy(spans, ({app}) => app)].map(([app, own]) => ({
    resource: {attributes: [pair('service.name', app)]},
    scopeSpans: [
      ...Map.groupBy(
        own.map(span => sentSpan(span, masking)),
        ({scope}) => scope
      )
    ].map(([name, found]) => ({
      scope: {name},
      spans: found.map(({span}) => span)
    }))
  }))

function sentSpan(span: ReceivedSpan, masking: Masking): {readonly scope: string; readonly span: object} {
  const {traceId, spanId, parentId, startedAt, endedAt, isFailed} = span
  const {name, kind, scope, message, attributes, exception, events} = spanView(span, masking, 0)
  const thrown = exception && [
    pair('exception.type', exception.type),
    pair('exception.message', exception.message),
    pair('exception.stacktrace', exception.stack)
  ]
  return {
    scope,
    span: {
      traceId,
      spanId,
      ...(parentId !== '' && {parentSpanId: parentId}),
      name,
      kind: spanKindOf(kind),
      startTimeUnixNano: nano(startedAt),
      endTimeUnixNano: nano(endedAt),
      attributes: pairs(attributes),
      events: [
        ...events.map(event => ({
          name: event.name,
          timeUnixNano: nano(startedAt + event.startMs),
          attributes: pairs(event.attributes)
        })),
        ...(thrown === null ? [] : [{name: 'exception', timeUnixNano: nano(endedAt), attributes: thrown}])
      ],
      status: isFailed ? {code: 2, message} : {code: 0}
    }
  }
}

const pair = (key: string, stringValue: string): object => ({key, value: {stringValue}})
const pairs = (attributes: Readonly<Record<string, string>>): readonly object[] =>
  Object.entries(attributes).map(([key, value]) => pair(key, value))

/** Of ms since 1970; right to a microsecond. */
const nano = (ms: number): string => `${Math.round(ms * 1000)}000`
