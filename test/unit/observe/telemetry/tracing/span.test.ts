import t from 'tap'
import {attributesOf, errorOf, spanName, type TracedRequest} from '../../../../../src/observe/telemetry/tracing/span.ts'

const request: TracedRequest = {
  verb: 'GET',
  path: '/v1.0/invoke/b/method/a b',
  target: '/v1.0/invoke/b/method/a%20b?x=1',
  status: 404,
  peer: {address: '127.0.0.1', port: 5000},
  headers: [
    ['dapr-app-id', 'a'],
    ['dapr-app-id', 'b'],
    ['x-other', 'no']
  ],
  callee: 'b',
  method: 'a b'
}

t.test('the span of an invocation', async t => {
  t.equal(spanName(request), 'CallLocal/b/a b')
  t.strictSame(attributesOf(request), {
    'dapr-app-id': 'b',
    'rpc.service': 'ServiceInvocation',
    'net.peer.name': 'b',
    'dapr.invoke_method': 'a b',
    'dapr.protocol': 'http',
    'dapr.api': 'GET /v1.0/invoke/b/method/a b',
    'dapr.status_code': '404',
    'http.request.method': 'GET',
    'url.full': '/v1.0/invoke/b/method/a%20b?x=1',
    'server.address': '127.0.0.1',
    'server.port': '5000'
  })
})

const at = (verb: string, path: string): TracedRequest => ({...request, callee: '', method: '', verb, path})

t.test('spans of actors', async t => {
  const call = at('PUT', '/v1.0/actors/Cart/17/method/add')
  t.equal(spanName(call), 'CallActor/Cart/add')
  t.equal(attributesOf(call)['dapr.actor'], 'Cart.17')
  t.equal(spanName(at('GET', '/v1.0/actors/Cart/17/state/items')), 'GetActorState/Cart')
  t.equal(spanName(at('POST', '/v1.0/actors/Cart/17/reminders/expire')), 'RegisterActorReminder/Cart')
  t.equal(spanName(at('GET', '/v1.0/actors/Cart')), '/v1.0/actors/Cart')
})

t.test('the span of another request', async t => {
  const other = {...request, callee: '', method: '', path: '/v1.0/metadata'}
  t.equal(spanName(other), '/v1.0/metadata')
  t.notOk('rpc.service' in attributesOf(other))
})

t.test('which answers are errors, in the words of Go', async t => {
  const table: readonly (readonly [number, string])[] = [
    [200, ''],
    [399, ''],
    [404, 'Code(404): Not Found'],
    [413, 'Code(413): Request Entity Too Large'],
    [418, "Code(418): I'm a teapot"],
    [503, 'Code(503): Service Unavailable'],
    [509, 'Code(509): Unknown'],
    [599, 'Code(599): Unknown']
  ]
  for (const [status, error] of table) t.equal(errorOf(status), error)
})
