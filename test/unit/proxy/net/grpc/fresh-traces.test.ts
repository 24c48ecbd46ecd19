import t from 'tap'
import {freshTrace} from '../../../../../src/proxy/net/grpc/fresh-traces.ts'
import {traceFields} from '../../../../../src/proxy/net/grpc/trace-fields.ts'

void t.test('each trace is a new one, not sampled, and both of its forms say the same', async t => {
  const made = Array.from({length: 1000}, freshTrace)
  t.equal(new Set(made.map(({traceparent}) => traceparent.slice(3, 35))).size, made.length)
  for (const {traceparent, fields} of made) {
    t.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    if (fields !== traceFields(traceparent)) t.equal(fields, traceFields(traceparent))
  }
})
