import t from 'tap'
import {Sampler, isTraced, Tracer} from '../../../../../src/observe/telemetry/tracing/tracer.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

t.test('a request with a trace has its span below the caller', async t => {
  for (const rate of [0.0001, 1]) {
    const tracer = new Tracer(new Sampler(rate))
    const sampled = tracer.start(`00-${TRACE}-${SPAN}-01`, 'a=b')
    t.match(sampled, {context: {traceId: TRACE, flags: 1, tracestate: 'a=b'}, parentSpanId: SPAN, isSampled: true})
    t.not(sampled.context.spanId, SPAN)
    t.match(tracer.start(`00-${TRACE}-${SPAN}-00`, ''), {context: {flags: 0}, isSampled: false})
  }
})

t.test('a request without a valid one begins a trace', async t => {
  const tracer = new Tracer(new Sampler(1))
  for (const traceparent of ['', 'bad', `00-${TRACE}-${SPAN}`]) {
    const span = tracer.start(traceparent, 'a=b')
    t.match(span, {context: {flags: 1, tracestate: ''}, parentSpanId: '', isSampled: true})
    t.match(span.context.traceId, /^(?!0{32})[0-9a-f]{32}$/)
  }
  t.equal(new Tracer(new Sampler(0)).start('', '').isSampled, false)
})

t.test("the callee's span is below that of the caller's sidecar", async t => {
  const tracer = new Tracer(new Sampler(1))
  const first = tracer.start('', '')
  const second = tracer.startChild(first)
  t.match(second, {context: {traceId: first.context.traceId}, parentSpanId: first.context.spanId, isSampled: true})
})

t.test('health checks are not traced', async t => {
  t.equal(isTraced('/v1.0/healthz'), false)
  t.equal(isTraced('/v1.0/invoke/x/method/healthz'), false)
  t.equal(isTraced('/v1.0/invoke/x/method/health'), true)
})
