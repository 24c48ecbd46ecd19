import t from 'tap'
import {
  childOf,
  formatTraceparent,
  formatTracestate,
  newTraceId,
  parseTraceContext,
  parseTracestate,
  rootOf
} from '../../../../../src/observe/telemetry/tracing/trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

t.test('which contexts can be continued', async t => {
  const good = [
    [`00-${TRACE}-${SPAN}-01`, 1],
    [`00-${TRACE}-${SPAN}-00`, 0],
    [`00-${TRACE}-${SPAN}-ff`, 255],
    [`cc-${TRACE}-${SPAN}-01`, 1],
    [`fe-${TRACE}-${SPAN}-01-more`, 1]
  ] as const
  for (const [text, flags] of good)
    t.strictSame(parseTraceContext(text, ''), {traceId: TRACE, spanId: SPAN, flags, tracestate: ''}, text)
  const bad = [
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}0-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `0-${TRACE}-${SPAN}-01`,
    ` 00-${TRACE}-${SPAN}-01`
  ]
  for (const text of bad) t.equal(parseTraceContext(text, 'a=b'), undefined, text)
})

t.test('a span below another has its trace, its state and an id of its own', async t => {
  const parent = parseTraceContext(`00-${TRACE}-${SPAN}-03`, 'a=b')
  if (parent === undefined) throw new Error('not read')
  const child = childOf(parent, true)
  t.match(child, {traceId: TRACE, flags: 3, tracestate: 'a=b'})
  t.not(child.spanId, SPAN)
  t.equal(childOf(parent, false).flags, 2, 'the other flags stay')
  t.equal(formatTraceparent(child), `00-${TRACE}-${child.spanId}-03`)
})

t.test('new traces are valid and all different', async t => {
  const made = Array.from({length: 1000}, () => rootOf(newTraceId(), true))
  for (const each of made)
    if (parseTraceContext(formatTraceparent(each), '') === undefined) t.fail(formatTraceparent(each))
  t.equal(new Set(made.map(({traceId}) => traceId)).size, 1000)
  t.equal(new Set(made.map(({spanId}) => spanId)).size, 1000)
  t.equal(rootOf(TRACE, false).flags, 0)
})

t.test('tracestate', async t => {
  const table: readonly (readonly [string, string])[] = [
    ['', ''],
    ['a=b', 'a=b'],
    ['a=b, c=d ,,', 'a=b,c=d'],
    ['tenant@system=x', 'tenant@system=x'],
    ['a=b,a=c', ''],
    ['A=b', ''],
    ['a', ''],
    ['a=', ''],
    ['a=b=c', ''],
    ['a=\x7f', ''],
    [Array.from({length: 33}, (_, n) => `a${n}=b`).join(','), '']
  ]
  for (const [text, read] of table) t.equal(parseTracestate(text), read, text)
  const context = rootOf(TRACE, true)
  t.equal(formatTracestate({...context, tracestate: 'a=b'}), 'a=b')
  t.equal(formatTracestate({...context, tracestate: `a=${'x'.repeat(511)}`}), '', 'too long to be sent')
})
