import t from 'tap'
import {sidecarLine} from '../../../../src/observe/logging/status-lines.ts'
import type {CallRecord} from '../../../../src/model/call.ts'
import type {LogEntry} from '../../../../src/model/log-entry.ts'
import {DEFAULT_API_LOGGING} from '../../../../src/files/resources/defaults.ts'
import {apiLogEntry} from '../../../../src/observe/telemetry/api-log.ts'
import {aRecord, aRequest} from '../../../rig/made-call.ts'

const call = aRecord({
  request: {...aRequest(), method: 'GET', path: '/a "b" \xc3\xa9', lines: 'User-Agent: me/1\r\n'},
  startedAt: 1000,
  endedAt: 1003.2,
  responseBytes: 7,
  isRemote: true
})
const source = {appId: 'shop', instance: 'laptop', version: '1.18.0', isJson: false}

const entryOf = (record: CallRecord): LogEntry => {
  const entry = apiLogEntry(record, DEFAULT_API_LOGGING)
  if (entry === undefined) throw new Error('it is not logged')
  return entry
}

t.test('a client may leave out the blank before a value', async t => {
  const request = {...call.request, lines: 'x-a:1\r\nuser-agent:me/2\r\n'}
  t.equal(entryOf({...call, request}).fields?.['useragent'], 'me/2')
})

t.test('a line of the log has the form of Dapr’s', async t => {
  t.equal(
    sidecarLine(entryOf(call), source, new Date(0)),
    'time="1970-01-01T00:00:00.000Z" level=info msg="HTTP API Called" app_id=shop code=200 duration=3 instance=laptop ' +
      'method="GET /a \\"b\\" é" scope=dapr.runtime.http-info size=7 type=log useragent=me/1 ver=1.18.0'
  )
})

t.test('as JSON', async t => {
  t.equal(
    sidecarLine(entryOf(call), {...source, isJson: true}, new Date(0)),
    '{"app_id":"shop","code":200,"duration":3,"instance":"laptop","level":"info","method":"GET /a \\"b\\" é",' +
      '"msg":"HTTP API Called","scope":"dapr.runtime.http-info","size":7,"time":"1970-01-01T00:00:00.000Z","type":"log",' +
      '"useragent":"me/1","ver":"1.18.0"}'
  )
})

t.test('levels are those of logrus', async t => {
  const line = sidecarLine({level: 'warn', message: 'two words', scope: 'dapr.runtime'}, source, new Date(0))
  t.match(line, 'level=warning msg="two words"')
})

t.test('without URLs a request is logged by the name of its API', async t => {
  const table: readonly (readonly [method: string, path: string, callee: string, name: string])[] = [
    ['GET', '/v1.0/invoke/stock/method/secret', 'stock', 'InvokeService/stock'],
    ['POST', '/by-header', 'stock', 'InvokeService/stock'],
    ['GET', '/v1.0/healthz', '', 'Healthz'],
    ['PUT', '/v1.0/metadata/secret', '', 'PutMetadata'],
    ['GET', '/v1.0/state/store/secret', '', 'GetState'],
    ['POST', '/v1.0/state/store', '', 'SaveState'],
    ['POST', '/v1.0-alpha1/publish/bulk/p/secret', '', 'BulkPublishEvent'],
    ['POST', '/v1.0/publish/p/secret', '', 'PublishEvent'],
    ['GET', '/v1.0/secrets/store/secret', '', 'GetSecret'],
    ['GET', '/v1.0/configuration/store/subscribe', '', 'SubscribeConfiguration'],
    ['POST', '/v1.0/actors/Cart/a b/method/secret', '', 'InvokeActor/Cart.a b'],
    ['PUT', '/v1.0/actors/Cart/1/state', '', 'ExecuteActorStateTransaction'],
    ['GET', '/v1.0/actors/Cart/1/reminders/secret', '', 'GetActorReminder'],
    ['GET', '/nothing/secret', '', 'InvokeService']
  ]
  for (const [method, path, callee, name] of table) {
    const record = {...call, call: {...call.call, callee}, request: {...aRequest(), method, path, lines: ''}}
    t.equal(apiLogEntry(record, {...DEFAULT_API_LOGGING, obfuscatesUrls: true})?.fields?.['method'], name, path)
  }
  const invoked = {
    ...call,
    call: {...call.call, callee: ''},
    request: {...aRequest(), method: 'PUT', path: '/v1.0/actors/Cart/1/method/m', lines: ''}
  }
  const entry = apiLogEntry(invoked, {...DEFAULT_API_LOGGING, obfuscatesUrls: true}, false)
  t.equal(entry?.fields?.['method'], 'InvokeActor/Cart', 'without the ids of actors')
})

t.test('health checks can be omitted', async t => {
  const logging = {...DEFAULT_API_LOGGING, omitsHealthChecks: true}
  const of = (path: string): unknown =>
    apiLogEntry({...call, request: {...aRequest(), method: 'GET', path, lines: ''}}, logging)
  t.equal(of('/v1.0/healthz'), undefined)
  t.equal(of('/v1.0/healthz/outbound'), undefined)
  t.ok(of('/v1.0/invoke/stock/method/healthz'))
  t.ok(of('/v1.0/metadata'))
})
