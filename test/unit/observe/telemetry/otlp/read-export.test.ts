import {gunzipSync} from 'node:zlib'
import t from 'tap'
import {itemsOf, type ExportedItem, type Signal} from '../../../../../src/observe/telemetry/otlp/read-export.ts'
import {readLogRecord, readSpan} from '../../../../../src/observe/telemetry/otlp/take-export.ts'
import {spanDetails, type ReceivedSpan} from '../../../../../src/observe/telemetry/otlp/received.ts'
import {knownBodies, knownBytes, type KnownBody, type KnownPair} from '../../../../rig/otlp-known.ts'

const sender = {app: 'a', isApp: true}

/** As they are before gRPC or gzip wrap them. */
function messageOf(known: KnownBody): Buffer {
  const bytes = knownBytes(known)
  if (known.body.endsWith('.gz')) return gunzipSync(bytes)
  return known.body.endsWith('.grpc.pb') ? bytes.subarray(5) : bytes
}

const items = (known: KnownBody, signal: Signal): readonly ExportedItem[] => [
  ...itemsOf(signal, messageOf(known), known.body.endsWith('.txt'))
]

/** A value as it is kept: texts as they are, what has parts as JSON. */
function plain({value}: KnownPair): unknown {
  const {stringValue, intValue, doubleValue, boolValue, arrayValue} = value
  if (arrayValue !== undefined)
    return (arrayValue as {readonly values: readonly KnownPair['value'][]}).values.map(each =>
      plain({key: '', value: each})
    )
  return stringValue ?? boolValue ?? String(intValue ?? doubleValue)
}
const textOf = (pair: KnownPair): string => {
  const value = plain(pair)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

for (const known of knownBodies().filter(({holds}) => holds.resourceSpans !== undefined))
  t.test(`spans of ${known.body}`, async t => {
    const expected = known.holds.resourceSpans?.flatMap(({scopeSpans}) =>
      scopeSpans.flatMap(({scope, spans}) => spans.map(span => ({scope: scope.name, span})))
    )
    const found = items(known, 'traces')
    t.equal(found.length, expected?.length)
    t.ok(found.length > 0)
    for (const [index, {scope, span}] of expected?.entries() ?? []) {
      const now = Number(span.endTimeUnixNano) / 1e6 + 1000
      const read: ReceivedSpan | undefined = found[index] && readSpan(found[index].message, {scope, sender, now})
      t.match(read, {
        traceId: span.traceId,
        spanId: span.spanId,
        parentId: span.parentSpanId ?? '',
        name: span.name,
        kind: span.kind,
        isFailed: span.status?.code === 2,
        startedAt: Number(span.startTimeUnixNano) / 1e6,
        endedAt: Number(span.endTimeUnixNano) / 1e6
      })
      t.equal(found[index]?.scope, scope)
      const pairs = (span.attributes ?? []).map(pair => [pair.key, textOf(pair)])
      t.same(read && spanDetails(read).attributes, pairs)
    }
  })

for (const known of knownBodies().filter(({holds}) => holds.resourceLogs !== undefined))
  t.test(`log records of ${known.body}`, async t => {
    const expected =
      known.holds.resourceLogs?.flatMap(({scopeLogs}) => scopeLogs.flatMap(({logRecords}) => logRecords)) ?? []
    const found = items(known, 'logs')
    t.equal(found.length, expected.length)
    for (const [index, record] of expected.entries()) {
      const message = found[index]?.message ?? {}
      const read = readLogRecord(message, {scope: '', sender, now: Date.now()})
      if (record.traceId === undefined) t.equal(read, undefined)
      else
        t.match(read, {
          traceId: record.traceId,
          spanId: record.spanId ?? '',
          severity: record.severityNumber ?? 0,
          text: record.body?.stringValue ?? ''
        })
    }
  })
