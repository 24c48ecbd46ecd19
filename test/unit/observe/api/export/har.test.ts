import {gzipSync} from 'node:zlib'
import t from 'tap'
import {curlExporter} from '../../../../../src/observe/api/export/curl.ts'
import {harExporter, spansByCall} from '../../../../../src/observe/api/export/har.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {aCall, aRequest} from '../../../../rig/made-call.ts'
import {spanView} from '../../../../../src/observe/api/trace/span-view.ts'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'
import {madeSpan} from '../../../../rig/made-span.ts'

t.test('a call that waits for its callee is blocked so far; an admitted one waits for its answer', async t => {
  const recorder = new CallRecorder(() => 1000, 64, 64 * 1024)
  const call = aCall({path: '/x'})
  recorder.started(call, aRequest(call), 1000)
  const entry = (): object => {
    const recorded = recorder.call(1)
    if (recorded === undefined) throw new Error('it is kept')
    return JSON.parse(harExporter({masked: [], placeOf: () => '', now: 3000}).text(recorded) ?? '') as object
  }
  t.match(entry(), {
    time: 2000,
    timings: {blocked: 2000, wait: 0, receive: 0},
    _pillion: {waitedMs: 2000, isOpen: true}
  })
  recorder.admitted(call, {pid: 7, protocol: 'HTTP/1.1'}, 500)
  t.match(entry(), {time: 2000, timings: {blocked: 500, wait: 1500, receive: 0}, _pillion: {waitedMs: 500}})
})

t.test('the address of a redirection is masked wherever it is', async t => {
  const recorder = new CallRecorder(() => 1000, 64, 64 * 1024)
  const call = aCall({callee: 'idp', path: '/x'})
  recorder.started(
    call,
    {...aRequest(), method: 'GET', path: '/x', target: '/x', lines: 'Referer: /y?token=S3cr3t'},
    1000
  )
  const head = 'HTTP/1.1 302 Found\r\nLocation: https://x/cb?code=S3cr3t77#access_token=S3cr3t\r\n\r\n'
  recorder.responded(call, {text: head, size: head.length})
  const recorded = recorder.call(1)
  const text = recorded && harExporter({masked: [], placeOf: () => '', now: 3000}).text(recorded)
  t.match(text, /"redirectURL":"https:\/\/x\/cb\?code=<masked, 28 characters>/)
  t.notMatch(text, /S3cr3t/)
})

t.test('the address of an endpoint that is called has no password in any format', async t => {
  for (const address of ['https://ada:S3cr3t@idp', 'https%3A%2F%2Fada%3AS3cr3t%40idp']) {
    const recorder = new CallRecorder(() => 1000, 64, 64 * 1024)
    const path = `/v1.0/invoke/${address}/method/x`
    const call = aCall({callee: 'https://ada:S3cr3t@idp', path})
    recorder.started(call, aRequest(call), 1000)
    const recorded = recorder.call(1)
    for (const exporter of [harExporter, curlExporter]) {
      const text = recorded && exporter({masked: [], placeOf: () => '127.0.0.1:7', now: 3000}).text(recorded)
      t.match(text, /idp/, exporter.name)
      t.notMatch(text, /S3cr3t/, exporter.name)
    }
  }
})

t.test('what a call has waited for has the last words of an app, without their secrets', async t => {
  const recorder = new CallRecorder(() => 1000, 64, 64 * 1024)
  const call = aCall({path: '/x'})
  recorder.started(call, aRequest(call), 1000)
  recorder.held(call, '"stock" exited with 1 at 10:00:00 and is restarting: Error: no postgres://me:S3cr3t@db/x')
  const recorded = recorder.call(1)
  const text = recorded && harExporter({masked: [], placeOf: () => '', now: 3000}).text(recorded)
  t.match(text, /is restarting: Error: no postgres:\/\/me:<masked, 6 characters>@db\/x/)
  t.notMatch(text, /S3cr3t/)
})

/** `content.size` and `bodySize` of a compressed answer of which this many bytes are kept. */
const sizes = (body: Buffer, bodyBytes: number): unknown => {
  const recorder = new CallRecorder(() => bodyBytes, 64, 64 * 1024)
  const call = aCall({path: '/x'})
  recorder.started(call, aRequest(call), 1000)
  const head = 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n'
  recorder.responded(call, {text: head, size: head.length})
  recorder.bytes(call, 'response', body, 0, body.length)
  const recorded = recorder.call(1)
  if (recorded === undefined) throw new Error('it is kept')
  const {response} = JSON.parse(harExporter({masked: [], placeOf: () => '', now: 3000}).text(recorded)) as {
    readonly response: {readonly content: {readonly size: number}; readonly bodySize: number}
  }
  return [response.content.size, response.bodySize]
}

t.test('the size of a compressed answer is that of its text; of one that is kept in part what came', async t => {
  const body = gzipSync('a'.repeat(500))
  t.same(sizes(body, 1000), [500, body.length])
  t.same(sizes(body, 20), [body.length, body.length])
})

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
