import t from 'tap'
import {sidecarLine} from '../../../src/logging/sidecar-line.ts'
import type {CallRecord} from '../../../src/model/call.ts'
import {apiLogEntry} from '../../../src/telemetry/api-log.ts'

const call: CallRecord = {
  call: {caller: 'shop', callee: 'stock', method: 'GET', path: '/'},
  request: {method: 'GET', path: '/a "b" \xc3\xa9', lines: 'User-Agent: me/1\r\n'},
  status: 200,
  attempts: 1,
  startedAt: 1000,
  admittedAt: 0,
  connectedAt: 0,
  firstByteAt: 0,
  endedAt: 1003.2,
  requestBytes: 0,
  responseBytes: 7,
  isRemote: true,
  trace: '',
  failure: ''
}
const source = {appId: 'shop', instance: 'laptop', version: '1.18.0', isJson: false}

t.test('a line of the log has the form of Dapr’s', async t => {
  t.equal(
    sidecarLine(apiLogEntry(call), source, new Date(0)),
    'time="1970-01-01T00:00:00.000Z" level=info msg="HTTP API Called" app_id=shop code=200 duration=3 instance=laptop ' +
      'method="GET /a \\"b\\" é" scope=dapr.runtime.http-info size=7 type=log useragent=me/1 ver=1.18.0'
  )
})

t.test('as JSON', async t => {
  t.equal(
    sidecarLine(apiLogEntry(call), {...source, isJson: true}, new Date(0)),
    '{"app_id":"shop","code":200,"duration":3,"instance":"laptop","level":"info","method":"GET /a \\"b\\" é",' +
      '"msg":"HTTP API Called","scope":"dapr.runtime.http-info","size":7,"time":"1970-01-01T00:00:00.000Z","type":"log",' +
      '"useragent":"me/1","ver":"1.18.0"}'
  )
})

t.test('levels are those of logrus', async t => {
  const line = sidecarLine({level: 'warn', message: 'two words', scope: 'dapr.runtime'}, source, new Date(0))
  t.match(line, 'level=warning msg="two words"')
})
