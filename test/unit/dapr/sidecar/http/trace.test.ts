import t from 'tap'
import {
  carriedTraceparent,
  freshTraceparent,
  isTraceparent,
  traceLines,
  traceOf,
  eventTraceparent,
  traceparentOfAll
} from '../../../../../src/dapr/sidecar/http/trace.ts'

const ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

t.test('which traces can be continued', async t => {
  const good = [`00-${ID}-${SPAN}-01`, `00-${ID}-${SPAN}-00`, `cc-${ID}-${SPAN}-01`, `cc-${ID}-${SPAN}-01-more`]
  for (const value of good) t.equal(isTraceparent(value), true, value)
  const bad = [
    '',
    `ff-${ID}-${SPAN}-01`,
    `00-${ID}-${SPAN}-01-more`,
    `00-${ID}-${SPAN}`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${ID}-${'0'.repeat(16)}-01`,
    `00-${ID.toUpperCase()}-${SPAN}-01`,
    `00-${ID}0-${SPAN}-01`,
    ` 00-${ID}-${SPAN}-01`
  ]
  for (const value of bad) t.equal(isTraceparent(value), false, value)
})

t.test('new traces are valid, unsampled and all different', async t => {
  const made = Array.from({length: 1000}, freshTraceparent)
  t.ok(made.every(each => isTraceparent(each) && each.endsWith('-00')))
  t.equal(new Set(made.map(each => each.slice(3, 35))).size, 1000)
  t.equal(new Set(made.map(each => each.slice(36, 52))).size, 1000)
})

t.test('a state travels with a valid trace alone, and not when it is too long', async t => {
  const trace = `00-${ID}-${SPAN}-01`
  t.equal(traceLines(traceOf(trace, 'a=b')), `Traceparent: ${trace}\r\nTracestate: a=b\r\n`)
  t.equal(traceLines(traceOf(trace, 'x'.repeat(513))), `Traceparent: ${trace}\r\n`)
  t.match(traceLines(traceOf('bad', 'a=b')), /^Traceparent: 00-[^\r]*\r\n$/)
})

const event = (fields: Readonly<Record<string, unknown>>, traceparent?: string) => ({fields, traceparent})

t.test('what a message carries is passed on, in a batch the last one; that of a span takes precedence', async t => {
  const traces = ['1', '2', '3'].map(digit => `00-${ID}-${digit.repeat(16)}-01`)
  const [first = '', second = '', third = ''] = traces
  t.strictSame([first, 'bad', undefined, 7].map(carriedTraceparent), [first, '', '', ''])
  t.equal(eventTraceparent(event({traceparent: first, traceid: second})), first)
  t.equal(eventTraceparent(event({traceid: second})), second)
  t.equal(eventTraceparent(event({traceparent: first}, third)), third)
  t.equal(eventTraceparent(event({})), '')
  const entries = [event({traceparent: first}), event({traceparent: second}, third), event({})]
  const batch = entries.map(each => ({entryId: '', event: {...each, body: Buffer.alloc(0), metadata: {}}}))
  t.equal(traceparentOfAll(batch), third)
})

t.test('the traceparent of an event that would become lines of a head is none', async t => {
  const traceparent = `01-${'a'.repeat(32)}-${'b'.repeat(16)}-00`
  t.equal(eventTraceparent({fields: {traceparent: `${traceparent}-more`}}), `${traceparent}-more`)
  for (const end of ['\u010d\u010aX-Injected: 1', '\u2028', ' x'])
    t.equal(eventTraceparent({fields: {traceparent: `${traceparent}-${end}`}}), '', JSON.stringify(end))
})
