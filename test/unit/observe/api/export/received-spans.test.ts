import t from 'tap'
import {spansByCall} from '../../../../../src/observe/api/export/received-spans.ts'
import {spanView} from '../../../../../src/observe/api/trace/span-view.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {madeSpan} from '../../../../rig/made-span.ts'

t.test('a log record goes out as an event of its span, with its exception, and its secrets masked', async t => {
  const retry = {name: 'retry', at: 1, attributes: []}
  const span = madeSpan('a b', [10, 30], {details: {events: [retry]}})
  const {app, isApp, traceId, spanId, startedAt} = span
  const exception = JSON.stringify({type: 'Error', message: 'no stock', stack: 'at buy (shop.js:7)'})
  const text = 'GET /?token=secret failed'
  const log = {app, isApp, traceId, spanId, at: startedAt + 5, severity: 17, text, exception}
  const trace = {spans: [span, madeSpan('a c', [12, 14])], logs: [log, {...log, spanId: ''}], callAround: () => 1}
  const spansOf = spansByCall({links: {of: () => undefined}, spans: {of: () => trace}} as never)
  const [sent, other] = spansOf(1, traceId).map(each => spanView(each, new Masking(['token']), 0))
  t.match(sent?.events, [
    {name: 'retry'},
    {
      name: 'log',
      attributes: {
        'log.body': 'GET /?token=<masked, 6 characters> failed',
        'log.severity_number': '17',
        'exception.type': 'Error',
        'exception.message': 'no stock',
        'exception.stacktrace': 'at buy (shop.js:7)'
      }
    }
  ])
  t.same(other?.events, [])
})
