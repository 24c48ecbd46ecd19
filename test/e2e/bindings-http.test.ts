import {once} from 'node:events'
import {createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {buffer} from 'node:stream/consumers'
import t, {type Test} from 'tap'
import {encode} from '../../src/proxy/net/grpc/message-codec.ts'
import {InvokeBindingRequest} from '../../src/model/dapr/messages/binding.generated.ts'
import {echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'
import {failure, openInvoke} from './bindings-shop.ts'

const serve = async (t: Test, listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Tells what it got; `/status/N` answers with N, `/to/N` leads to `/end` by it. */
const openEcho = async (t: Test): Promise<string> =>
  serve(t, (request, response) => {
    const {method = '', url = '', headers} = request
    const [, , status = '200'] = url.split('/')
    const echo = async (): Promise<void> => {
      const body = (await buffer(request)).toString()
      response.setHeader('x-many', ['a', 'b'])
      response.setHeader('constructor', 'a name that every object has')
      response.setHeader('connection', 'keep-alive, X-Hop')
      response.setHeader('keep-alive', 'timeout=5')
      response.setHeader('x-hop', 'of this connection')
      if (url.startsWith('/to/')) response.setHeader('location', '/end')
      response.writeHead(/^\/(?:status|to)\//.test(url) ? Number(status) : 200, {'content-type': 'text/x-echo'})
      response.end(JSON.stringify({method, url, headers, body}))
    }
    void echo()
  })

t.test('operations, headers and paths of bindings.http', async t => {
  const base = await openEcho(t)
  const {invoke, run} = await openInvoke(t, {
    'resources/web.yaml': component('web', 'bindings.http', {
      url: `${base}/base/`,
      securityToken: 'secret',
      securityTokenHeader: 'X-Token'
    })
  })
  for (const [operation, method, body] of [
    ['create', 'POST', '"text"'],
    ['post', 'POST', '"text"'],
    ['put', 'PUT', '"text"'],
    ['patch', 'PATCH', '"text"'],
    ['get', 'GET', ''],
    ['delete', 'DELETE', ''],
    ['options', 'OPTIONS', ''],
    ['trace', 'TRACE', '']
  ] as const) {
    const answer = await invoke('web', {operation, data: 'text', metadata: {path: '/a?b=c'}})
    t.match(answer, {
      status: 200,
      headers: {
        'content-type': 'application/json',
        'metadata.statuscode': '200',
        'metadata.status': '200 OK',
        'metadata.content-type': 'text/x-echo',
        'metadata.x-many': 'a, b',
        'metadata.constructor': 'a name that every object has'
      }
    })
    const ofConnection = ['connection', 'keep-alive', 'transfer-encoding', 'x-hop'].map(name => `metadata.${name}`)
    for (const name of ofConnection) t.equal(answer.headers[name], undefined, name)
    const seen = JSON.parse(answer.body) as Seen
    t.match(seen, {method, url: '/base/a?b=c', body})
    t.match(seen.headers, {accept: 'application/json; charset=utf-8', 'x-token': 'secret'})
    t.equal(seen.headers['content-type'], body === '' ? undefined : 'application/json; charset=utf-8')
  }
  for (const path of ['../x', '/../x', 'a/../../x', '%2e%2e/x', '..%2fx', '.\t./x', '..\\x', 'a%5c..%5c..%5cx'])
    t.match(
      await invoke('web', {operation: 'get', metadata: {path}}),
      failure('web', `the path ${JSON.stringify(path)} leads out of ${base}/base/`),
      path
    )
  for (const path of ['a/../b', '..x/y..', '?up=..', '//a'])
    t.match(await invoke('web', {operation: 'get', metadata: {path}}), {status: 200}, path)
  t.match(await invoke('web', {operation: 'head'}), {status: 200, body: '', headers: {'metadata.statuscode': '200'}})
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const metadata = {Accept: 'text/plain', 'Content-Type': 'text/x-own', 'X-Own': 'ü', small: 'no', 'X-Token': 'own'}
  const answer = await invoke(
    'web',
    {operation: 'post', data: {a: 1}, metadata},
    {traceparent: trace, tracestate: 'a=b', baggage: 'k=v'}
  )
  const {headers, body} = JSON.parse(answer.body) as Seen
  t.equal(body, '{"a":1}')
  t.match(headers, {
    accept: 'text/plain',
    'content-type': 'text/x-own',
    'x-token': 'own',
    tracestate: 'a=b',
    baggage: 'k=v'
  })
  t.match(headers['traceparent'], /^00-0af7651916cd43dd8448eb211c80319c-/)
  t.equal(Buffer.from(String(headers['x-own']), 'latin1').toString(), 'ü')
  t.equal(headers['small'], undefined)
  const {grpc} = await run.ports('shop')
  const request = encode(InvokeBindingRequest, {name: 'web', operation: 'get'})
  const overGrpc = await echoClient(t, grpc).dapr('InvokeBinding', request, {baggage: 'k=v,l=w'})
  t.match(overGrpc, {code: 0, answer: /"baggage":"k=v,l=w"/})
})

t.test('an edit of a component cuts no call that is under way through it', async t => {
  const held = Promise.withResolvers<ServerResponse>()
  const base = await serve(t, (request, response) => {
    if (request.method === 'POST') held.resolve(response)
    else response.end('again')
  })
  const web = (responseTimeout: string): string => component('web', 'bindings.http', {url: base, responseTimeout})
  const {invoke, rig} = await openInvoke(t, {'resources/web.yaml': web('60s')})
  const call = invoke('web', {operation: 'post'})
  const target = await held.promise
  await rig.write({'resources/web.yaml': web('59s')})
  await rig.logged('shop', /Component updated: web/)
  t.match(await invoke('web', {operation: 'get'}), {status: 200, body: 'again'})
  target.end('done')
  t.match(await call, {status: 200, body: 'done'})
})

t.test('what is not 2xx, redirects, limits, and nobody there', async t => {
  const base = await openEcho(t)
  const gone = await serve(t, () => undefined)
  const {invoke, run} = await openInvoke(t, {
    'resources/web.yaml': component('web', 'bindings.http', {url: base, maxResponseBodySize: '16'}),
    'resources/gone.yaml': component('gone', 'bindings.http', {url: 'http://127.0.0.1:1/x'}),
    'resources/calm.yaml': component('calm', 'bindings.http', {url: base, errorIfNot2XX: 'false'}),
    'resources/mute.yaml': component('mute', 'bindings.http', {url: gone, responseTimeout: '100ms'})
  })
  t.match(await invoke('web', {operation: 'get', metadata: {path: 'status/404'}}), {
    ...failure('web', 'received status code 404'),
    headers: {'metadata.statuscode': '404', 'metadata.status': '404 Not Found'}
  })
  t.match(await invoke('web', {operation: 'get', metadata: {path: 'status/404', errorIfNot2XX: 'false'}}), {
    status: 200,
    headers: {'metadata.statuscode': '404'}
  })
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  for (const [path, errorIfNot2XX, code] of [
    ['status/404', '', 13],
    ['status/404', 'false', 0]
  ] as const) {
    const request = {name: 'web', operation: 'get', metadata: {path, errorIfNot2XX}, data: Buffer.alloc(0)}
    const answer = await client.callWithHead('InvokeBinding', [InvokeBindingRequest, request])
    t.match(answer, {code, head: {'metadata.statuscode': '404'}}, `${code}`)
  }
  t.match(await invoke('calm', {operation: 'get', metadata: {path: 'status/500'}}), {status: 200})
  t.match(
    await invoke('calm', {operation: 'get', metadata: {path: 'status/500', errorIfNot2XX: 'true'}}),
    failure('calm', 'received status code 500')
  )
  t.equal((await invoke('web', {operation: 'get'})).body, '{"method":"GET",')
  for (const [path, method, body] of [
    ['to/302', 'GET', ''],
    ['to/307', 'POST', '"kept"'],
    ['to/308', 'POST', '"kept"']
  ] as const)
    t.match(JSON.parse((await invoke('calm', {operation: 'post', data: 'kept', metadata: {path}})).body), {
      method,
      url: '/end',
      body
    })
  t.match(
    await invoke('gone', {operation: 'get'}),
    failure('gone', 'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused')
  )
  t.match(await invoke('mute', {operation: 'post'}), failure('mute', `Post "${gone}": context deadline exceeded`))
  t.match(await invoke('web', {operation: 'get', metadata: {'Not a name': 'x'}}), {status: 500, body: /Header name/})
})

t.test('settings that are wrong have their place', async t => {
  for (const [settings, why] of [
    [{}, 'url is missing'],
    [{url: 'example.com'}, 'url must begin with http:// or https://, and not "example.com"'],
    [{url: 'http://a', MTLSRootCA: 'none.pem'}, 'provided "MTLSRootCA" value is neither a valid file path'],
    [{url: 'http://a', maxResponseBodySize: 'much'}, 'invalid value for maxResponseBodySize: "much"']
  ] as const) {
    const rig = await openRig(t)
    await rig.write({'resources/web.yaml': component('web', 'bindings.http', settings)})
    await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
    const {code, stderr} = await rig.run(['run', '-f', '.'])
    t.equal(code, 1)
    t.ok(stderr.includes(why), stderr)
    t.match(stderr, /resources\/web\.yaml:1:\d+/)
  }
})
