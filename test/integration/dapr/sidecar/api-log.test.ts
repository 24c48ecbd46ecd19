import http2 from 'node:http2'
import {once} from 'node:events'
import t from 'tap'
import type {CallRecord} from '../../../../src/model/call.ts'
import {ask, chunked, connect, request} from './caller.ts'
import {echoApp, openTestSidecar} from './rig.ts'

t.test('each request is told when its answer is out: what was asked, status, size, time, who', async t => {
  const {port: appPort} = await echoApp(t)
  const told: CallRecord[] = []
  const {port} = await openTestSidecar(t, {appPort, recorded: record => told.push(record), hasFastPath: true})
  const caller = await connect(t, port)
  caller.send(request({path: '/x?secret=1', lines: 'User-Agent: me/1\r\n', body: 'hello'}))
  await caller.answer()
  caller.send(chunked(['abc', 'def'], 'x-answer-chunks: 1\r\n'))
  await caller.answer()
  await ask(t, port, 'GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await ask(t, port, 'GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request({':method': 'POST', ':path': '/x', 'dapr-app-id': 'b'})
  stream.end('four')
  stream.resume()
  await once(stream, 'close')
  session.destroy()
  while (told.length < 5) await new Promise(setImmediate)
  t.strictSame(
    told.map(({request: {method, path}, status, responseBytes}) => [`${method} ${path}`, status, responseBytes]),
    [
      ['POST /v1.0/invoke/b/method/x', 200, 5],
      ['POST /v1.0/invoke/b/method/echo', 200, 6],
      ['GET /v1.0/healthz', 204, 0],
      ['GET /nothing', 404, 118],
      ['POST /x', 200, 4]
    ]
  )
  t.ok(told.every(({startedAt, endedAt}) => startedAt > 0 && endedAt >= startedAt))
  const [first] = told
  t.match(first, {call: {caller: 'a', callee: 'b', method: 'POST', path: '/x?secret=1'}, attempts: 1, requestBytes: 5})
  const {startedAt = 0, admittedAt = 0, connectedAt = 0, firstByteAt = 0, endedAt = 0} = first ?? {}
  t.ok(startedAt <= admittedAt && admittedAt <= connectedAt && connectedAt <= firstByteAt && firstByteAt <= endedAt)
  t.match(first?.trace, /^Traceparent: 00-/)
})
