import t from 'tap'
import {readLogRecord, readSpan, Rejected} from '../../../../../src/observe/telemetry/otlp/take-export.ts'
import {spanDetails} from '../../../../../src/observe/telemetry/otlp/received.ts'

const NOW = Date.parse('2026-01-31T14:46:28Z')
const reading = {scope: 's', sender: {app: 'a', isApp: true}, now: NOW}
const ids = {traceId: 'a'.repeat(32), spanId: 'b'.repeat(16)}
const nano = (ms: number): string => `${ms}000000`
const read = (span: Readonly<Record<string, unknown>>) => readSpan({...ids, ...span}, reading)
const text = (key: string, stringValue: string) => ({key, value: {stringValue}})

t.test('a span needs ids of the right length, which are not all zeros', async t => {
  for (const wrong of [
    {traceId: 'aa'},
    {spanId: 'b'.repeat(32)},
    {traceId: '0'.repeat(32)},
    {spanId: 'zz'.repeat(8)},
    {traceId: 5}
  ])
    t.throws(() => readSpan({...ids, ...wrong}, reading), Rejected)
  t.equal(read({parentSpanId: 'cc'}).parentId, '', 'a parent that can be none is none')
  t.equal(read({parentSpanId: ids.spanId}).parentId, '', 'no span stands below itself')
  t.equal(read({traceId: 'A'.repeat(32)}).traceId, ids.traceId)
})

t.test('times that cannot be are those of the arrival', async t => {
  const wrong = [
    ['0', '1'],
    [nano(Date.parse('1970-01-02')), nano(Date.parse('1970-01-03'))],
    [nano(Date.parse('2250-01-01')), nano(Date.parse('2250-01-02'))],
    ['what', {}]
  ]
  for (const [startTimeUnixNano, endTimeUnixNano] of wrong)
    t.match(read({startTimeUnixNano, endTimeUnixNano}), {startedAt: NOW, endedAt: NOW})
  const backwards = {startTimeUnixNano: nano(NOW - 10), endTimeUnixNano: nano(NOW - 20)}
  const {startedAt, endedAt} = read(backwards)
  t.match([Math.round(startedAt), endedAt], [NOW - 10, startedAt])
})

const momentsOf = (start: string, event: string): readonly number[] | undefined => {
  const events = [{name: 'retry', timeUnixNano: event}]
  const details = spanDetails(read({startTimeUnixNano: start, endTimeUnixNano: start, events}))
  return details.events?.map(({at}) => Math.round(at))
}

t.test('events keep their place in a span whose times cannot be', async t => {
  const ahead = Date.parse('2250-01-01')
  t.match(momentsOf(nano(ahead), nano(ahead + 20)), [20])
  t.match(momentsOf(nano(NOW - 30), nano(NOW - 10)), [20])
  t.match(momentsOf(nano(NOW - 30), '0'), [0], 'without a time')
  t.match(momentsOf('0', nano(NOW)), [0])
})

t.test('long values are cut, in every script, and nothing is split within a character', async t => {
  const span = read({
    name: '名'.repeat(10_000),
    attributes: [
      text('megabyte', 'x'.repeat(1024 * 1024)),
      text('emoji', `${'x'.repeat(4095)}😀`),
      text('عربي', 'עברית ไทย 한국어'),
      ...Array.from({length: 1000}, (_, index) => text(`n${index}`, 'y'))
    ]
  })
  t.ok(span.name.length < 600)
  t.ok(span.details.length < 70_000, `${span.details.length}`)
  const {attributes} = spanDetails(span)
  t.equal(attributes.length, 128)
  t.ok(attributes.every(([, value]) => value.isWellFormed() && value.length <= 4097))
  t.match(attributes[2], ['عربي', 'עברית ไทย 한국어'])
})

t.test('a value of any shape is a text', async t => {
  let deep: Readonly<Record<string, unknown>> = {stringValue: 'x'}
  for (let depth = 0; depth < 5000; depth++) deep = {arrayValue: {values: [deep]}}
  const values: readonly (readonly [unknown, string | RegExp])[] = [
    [{intValue: 3302}, '3302'],
    [{intValue: '9223372036854775807'}, '9223372036854775807'],
    [{doubleValue: 0.5}, '0.5'],
    [{boolValue: false}, 'false'],
    [{arrayValue: {values: [{stringValue: 'a'}, {intValue: '1'}]}}, '["a","1"]'],
    [{kvlistValue: {values: [{key: 'a', value: {boolValue: true}}]}}, '{"a":true}'],
    [{bytesValue: 'AAE='}, 'AAE='],
    [deep, /^\[+"…"\]+$/],
    [{}, ''],
    [null, ''],
    [7, '']
  ]
  const span = read({attributes: values.map(([value], index) => ({key: `k${index}`, value}))})
  for (const [index, [, expected]] of values.entries()) t.match(spanDetails(span).attributes[index]?.[1], expected)
})

const event = (name: string, message: string) => ({
  name,
  timeUnixNano: nano(NOW),
  attributes: [text('exception.message', message), text('exception.type', 'E')]
})

t.test('the exception of a span is that of its last such event; others stay events', async t => {
  const {exception, events} = spanDetails(
    read({events: [event('exception', 'first'), event('retry', ''), event('exception', 'last')]})
  )
  t.match(exception, {type: 'E', message: 'last', stack: ''})
  t.match(events, [{name: 'retry'}])
})

t.test('a log record without a trace is not kept; its exception is', async t => {
  t.equal(readLogRecord({body: {stringValue: 'x'}}, reading), undefined)
  const attributes = [text('exception.message', 'no price'), text('exception.stacktrace', 'at a (b.js:1)')]
  const record = readLogRecord(
    {...ids, observedTimeUnixNano: nano(NOW - 5), body: {stringValue: 'x'}, attributes},
    reading
  )
  t.match(record, {at: NOW - 5, text: 'x'})
  t.match(JSON.parse(record?.exception ?? '{}'), {type: '', message: 'no price', stack: 'at a (b.js:1)'})
})

t.test('what is neither a text nor a number is nothing', async t => {
  const odd = {toString: 1, valueOf: 1}
  const span = read({
    kind: odd,
    name: odd,
    startTimeUnixNano: odd,
    status: {code: odd},
    events: [{name: odd, timeUnixNano: odd}],
    attributes: [{key: 'map', value: {kvlistValue: {values: [{key: odd, value: {boolValue: true}}]}}}]
  })
  t.match(span, {kind: 0, name: '', startedAt: NOW, isFailed: false})
  t.match(spanDetails(span), {events: [{name: ''}], attributes: [['map', '{"":true}']]})
  t.match(readLogRecord({...ids, severityNumber: odd, timeUnixNano: odd}, reading), {severity: 0, at: NOW})
})
