import t from 'tap'
import {responseRules, readHeaders} from '../../../../../src/dapr/sidecar/http/headers.ts'
import {readResponseHead} from '../../../../../src/proxy/net/http1/response-head.ts'

t.test('a sidecar evaluates its own headers, and passes the others on', t => {
  const raw = [
    'Host', 'a', 'X-A', '1', 'dapr-app-id', 'b', 'Dapr-Caller-App-Id', 'evil', 'Authorization', 'Bearer x', 'grpc-a', '2',
    'X-Bin', 'goes', 'a-bin', 'goes', 'TraceParent', 'tp', 'tracestate', 'ts', 'baggage', 'a=b', 'Baggage', 'c=d', 'Origin', 'o',
    'Sec-Fetch-Site', 's', 'dapr-api-token', 't', 'Content-Length', '007', 'Expect', 'x'
  ] // prettier-ignore
  t.match(readHeaders(raw), {
    lines:
      'X-A: 1\r\nAuthorization: Bearer x\r\nDapr-grpc-a: 2\r\nbaggage: a=b\r\nOrigin: o\r\nSec-Fetch-Site: s\r\nExpect: x\r\n',
    host: 'a',
    appId: 'b',
    authorization: 'Bearer x',
    apiToken: 't',
    traceparent: 'tp',
    tracestate: 'ts',
    baggage: ['a=b', 'c=d'],
    origin: 'o',
    fetchSite: 's',
    length: 7,
    framing: 'Content-Length: 007\r\n'
  })
  t.end()
})

t.test('the first of repeated headers counts', t => {
  t.match(readHeaders(['dapr-app-id', 'a', 'DAPR-APP-ID', 'b', 'traceparent', '1', 'traceparent', '2']), {
    appId: 'a',
    traceparent: '1',
    lines: ''
  })
  t.end()
})

t.test("named headers stay behind, a body's framing never does", t => {
  const raw = ['Connection', 'close, X-A', 'x-a', '1', 'connection', 'x-b,transfer-encoding', 'X-B', '2', 'X-C', '3']
  t.match(readHeaders([...raw, 'Transfer-Encoding', 'chunked']), {
    lines: 'X-C: 3\r\n',
    length: -1,
    framing: 'Transfer-Encoding: chunked\r\n'
  })
  t.end()
})

t.test("an app's answer loses what is gRPC's", t => {
  const text =
    'HTTP/1.1 200 OK\r\nGRPC-Status: 0\r\nx-BIN: a\r\ngrpc-trace-bin: b\r\nX-Binary: c\r\nContent-Length: 0\r\n\r\n'
  t.equal(
    readResponseHead(text, false, responseRules)?.lines,
    'Dapr-GRPC-Status: 0\r\nX-Binary: c\r\nContent-Length: 0\r\n'
  )
  t.end()
})
