import t from 'tap'
import {receivedSpans, spansWithLogs} from '../../../../../src/observe/api/export/received-spans.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {madeSpan} from '../../../../rig/made-span.ts'

const pair = (key: string, stringValue: string) => ({key, value: {stringValue}})

t.test('a log record goes out as an event of its span, with its exception, and its secrets masked', async t => {
  const retry = {name: 'retry', at: 1, attributes: []}
  const span = madeSpan('a b', [10, 30], {details: {events: [retry]}})
  const other = madeSpan('a c', [12, 14])
  const {app, isApp, traceId, spanId, startedAt} = span
  const exception = JSON.stringify({type: 'Error', message: 'no stock', stack: 'at buy (shop.js:7)'})
  const log = {
    app,
    isApp,
    traceId,
    spanId,
    at: startedAt + 5,
    severity: 17,
    text: 'GET /?token=secret failed',
    exception
  }
  const lost = {...log, spanId: ''}
  const [first, second] = spansWithLogs({spans: [span, other], logs: [log, lost]})
  t.equal(second, other)
  const [sent] = receivedSpans(first === undefined ? [] : [first], new Masking(['token']))
  t.match(sent, {
    scopeSpans: [
      {
        spans: [
          {
            events: [
              {name: 'retry'},
              {
                name: 'log',
                attributes: [
                  pair('log.body', 'GET /?token=<masked, 6 characters> failed'),
                  pair('log.severity_number', '17'),
                  pair('exception.type', 'Error'),
                  pair('exception.message', 'no stock'),
                  pair('exception.stacktrace', 'at buy (shop.js:7)')
                ]
              }
            ]
          }
        ]
      }
    ]
  })
})
