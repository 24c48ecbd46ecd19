import {readFileSync, writeFileSync} from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import {join} from 'node:path'
import type {Duplex} from 'node:stream'
import tls from 'node:tls'
import t from 'tap'
import {ask, chunked, connect, type Answer} from '../../dapr/sidecar/caller.ts'
import {echoApp, listen, rawApp, valuesOf} from '../../dapr/sidecar/rig.ts'
import type {AppResources} from '../../../../src/files/resources/app-resources.ts'
import {openScene, resource} from './scene.ts'

const TLS = join(import.meta.dirname, '../../../fixtures/tls')
const namesOf = ({snapshot}: AppResources): readonly string[] => snapshot.endpoints.map(({name}) => name)
const pem = (name: string): string => readFileSync(join(TLS, name), 'utf8')

t.test('an endpoint is called by its name: base path, query, body, and its headers replace the caller’s', async t => {
  const {port: site, seen} = await echoApp(t)
  const headers = [
    {name: 'X-Fixed', value: 'ours'},
    {name: 'X-Env', envRef: 'SITE_KEY'}
  ]
  const spec = {version: 'v1alpha1', baseURL: `http://localhost:${site}/base/`, headers}
  const {port, get, resources} = await openScene(t, [resource('site', spec)], {SITE_KEY: 'k'})
  t.match(await get('/v1.0/invoke/site/method/a/b?c=d', 'x-fixed: theirs\r\nX-Kept: 1\r\ndapr-api-token: mine\r\n'), {
    status: 200
  })
  const [first] = seen
  t.match(first, {method: 'GET', url: '/base/a/b?c=d'})
  const values = (name: string): unknown => first && valuesOf(first, name)
  t.strictSame([values('x-fixed'), values('x-env'), values('x-kept')], [['ours'], ['k'], ['1']])
  t.strictSame(values('host'), [`localhost:${site}`])
  for (const name of ['dapr-caller-app-id', 'dapr-callee-app-id', 'x-forwarded-for', 'forwarded', 'dapr-app-id'])
    t.strictSame(values(name), [], name)
  t.match((values('traceparent') as string[])[0], /^00-/)
  t.match(await ask(t, port, chunked(['in ', 'chunks'], 'x-answer-chunks: 1\r\n').replace('/b/', '/site/')), {
    status: 200,
    body: 'in chunks'
  })
  t.match(await get('/c', 'dapr-app-id: site\r\n'), {status: 200})
  t.equal(seen[2]?.url, '/base/c', 'by header')
  t.strictSame(namesOf(resources), ['site'])
})

t.test('a URL is called as it is, in every form, and its redirects are passed on', async t => {
  const {port: site, seen} = await echoApp(t, (request, response) => {
    if (request.url === '/moved') response.writeHead(302, {location: '/elsewhere'})
    response.end('ok')
  })
  const {get} = await openScene(t, [])
  const url = `http://localhost:${site}`
  t.match(await get(`/v1.0/invoke/${url}/method/hello?x=1`), {status: 200, body: 'ok'})
  t.match(await get(`/v1.0/invoke/${encodeURIComponent(url)}/method/hello`), {status: 200})
  t.match(await get('/hello', `dapr-app-id: ${url}\r\n`), {status: 200})
  t.match(await get('/hello', `dapr-app-id: ${url}/deep\r\n`), {status: 200})
  t.match(await get('/moved', `dapr-app-id: ${url}\r\n`), {status: 302, headers: {location: '/elsewhere'}})
  t.strictSame(
    seen.map(each => each.url),
    ['/hello?x=1', '/hello', '/hello', '/deep/hello', '/moved']
  )
})

t.test('no token is sent: neither the app’s, nor the sidecar’s, nor those in the environment', async t => {
  const {port: site, seen} = await echoApp(t)
  const baseUrl = `http://localhost:${site}`
  const leaky = [{name: 'X-A', envRef: 'DAPR_API_TOKEN'}]
  const {get} = await openScene(t, [resource('site', {baseUrl}), resource('leaky', {baseUrl, headers: leaky})], {
    DAPR_API_TOKEN: 'sidecar-secret',
    APP_API_TOKEN: 'app-secret'
  })
  await get('/v1.0/invoke/site/method/x', 'dapr-api-token: sidecar-secret\r\n')
  await get('/x', `dapr-app-id: ${baseUrl}\r\ndapr-api-token: sidecar-secret\r\n`)
  t.equal(seen.length, 2)
  t.notMatch(JSON.stringify(seen), /secret/)
  t.match(await get('/v1.0/invoke/leaky/method/x'), {
    status: 500,
    body: /the header X-A may not take DAPR_API_TOKEN from the environment/
  })
})

t.test('endpoints of other machines are called through the environment’s proxy; this machine is not', async t => {
  const {port: site} = await echoApp(t)
  const asked: string[] = []
  const proxy = http
    .createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`)
      response.end('from the proxy')
    })
    .on('connect', (request: http.IncomingMessage, socket: Duplex) => {
      asked.push(`CONNECT ${request.url ?? ''}`)
      const behind = net.connect(secure, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(behind).pipe(socket)
      })
    })
  const secure = await listen(
    t,
    https.createServer({key: pem('server.key'), cert: pem('server.pem')}, (_, response) => response.end('over TLS'))
  )
  const url = `http://127.0.0.1:${await listen(t, proxy)}`
  const clientTLS = {rootCA: {value: pem('ca.pem')}}
  const {get} = await openScene(
    t,
    [
      resource('far', {baseUrl: 'http://far.example/base'}),
      resource('tls', {baseUrl: 'https://far.example/', clientTLS}),
      resource('spared', {baseUrl: 'http://spared.example/'}),
      resource('near', {baseUrl: `http://localhost:${site}`})
    ],
    {HTTP_PROXY: url, https_proxy: url, NO_PROXY: 'spared.example'}
  )
  t.match(await get('/v1.0/invoke/far/method/a?b=c'), {status: 200, body: 'from the proxy'})
  t.match(await get('/v1.0/invoke/near/method/a'), {status: 200})
  t.match(await get('/v1.0/invoke/tls/method/a'), {status: 500, body: /certificate is not valid for the host/})
  t.match(await get('/v1.0/invoke/spared/method/a'), {status: 500, body: /lookup spared\.example: no such host/})
  t.match(await get('/a', 'dapr-app-id: http://url.example\r\n'), {status: 500, body: /no such host/})
  t.strictSame(asked, ['GET http://far.example/base/a?b=c', 'CONNECT far.example:443'])
})

t.test('the proxy and its exceptions are read as Go reads them', async t => {
  const {port: site} = await echoApp(t)
  const proxy = await listen(
    t,
    http.createServer((_, response) => response.end('from the proxy'))
  )
  const {get} = await openScene(
    t,
    [
      resource('far', {baseUrl: 'http://far.example'}),
      resource('sub', {baseUrl: 'http://api.spared.example'}),
      resource('above', {baseUrl: 'http://below.example'}),
      resource('port', {baseUrl: 'http://port.example:81'}),
      resource('subnet', {baseUrl: `http://0.0.0.0:${site}`}),
      resource('six', {baseUrl: 'http://[fe80::1]'})
    ],
    {
      HTTP_PROXY: `127.0.0.1:${proxy}`,
      NO_PROXY: 'Spared.example, *.below.example,port.example:80,0.0.0.0/8,0.0.0.0/99,FE80:0::1'
    }
  )
  for (const name of ['far', 'above', 'port'])
    t.match(await get(`/v1.0/invoke/${name}/method/a`), {status: 200, body: 'from the proxy'}, name)
  t.match(await get('/v1.0/invoke/sub/method/a'), {status: 500, body: /lookup api\.spared\.example: no such host/})
  t.match(await get('/v1.0/invoke/subnet/method/a'), {status: 200, body: ''})
  t.match(await get('/v1.0/invoke/six/method/a'), {status: 500}, 'an address in another spelling')
})

t.test('a proxy that is none fails the call that a redirect leads to it', async t => {
  const {port: site} = await echoApp(t, (_, response) => {
    response.writeHead(302, {location: 'https://far.example/'}).end()
  })
  const {get} = await openScene(t, [resource('site', {baseUrl: `http://localhost:${site}`})], {HTTPS_PROXY: 'http://['})
  t.match(await get('/v1.0/invoke/site/method/a'), {status: 500, body: /Invalid proxy URL/})
})

t.test('redirects of an endpoint are followed, and secret headers are only sent to its host', async t => {
  const {port: other, seen: foreign} = await echoApp(t)
  const {port: site, seen} = await echoApp(t, (request, response) => {
    const to: Record<string, readonly [number, string]> = {
      '/see': [303, '/final?q=1'],
      '/same': [307, 'final'],
      '/away': [302, `http://127.0.0.1:${other}/there`],
      '/round': [302, '/round'],
      '/file': [302, 'file:///etc/passwd']
    }
    const [status, location] = to[request.url ?? ''] ?? [200, '']
    response.writeHead(status, location === '' ? {} : {location}).end(`${request.method ?? ''} ${request.url ?? ''}`)
  })
  const spec = {baseUrl: `http://localhost:${site}`, headers: [{name: 'X-Key', value: 'secret'}]}
  const {get, port} = await openScene(t, [resource('site', spec)])
  const post = async (path: string): Promise<Answer | undefined> =>
    ask(t, port, `POST /v1.0/invoke/site/method${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody`)
  t.match(await get('/v1.0/invoke/site/method/see'), {status: 200, body: 'GET /final?q=1'})
  t.match(await post('/see'), {status: 200, body: 'GET /final?q=1'}, 'a POST goes on as GET')
  t.match(await get('/v1.0/invoke/site/method/same'), {status: 200, body: 'GET /final'})
  t.match(await post('/same'), {status: 307}, 'a body cannot be sent again')
  t.ok(seen.every(each => valuesOf(each, 'x-key')[0] === 'secret'))
  await get('/v1.0/invoke/site/method/away', 'Authorization: Bearer secret\r\nCookie: secret\r\nX-Kept: 1\r\n')
  t.equal(foreign[0]?.url, '/there')
  t.notMatch(JSON.stringify(foreign), /secret/)
  t.match(JSON.stringify(foreign), /X-Kept/)
  t.match(await get('/v1.0/invoke/site/method/round'), {status: 500, body: /stopped after 10 redirects/})
  t.match(await get('/v1.0/invoke/site/method/file'), {status: 500, body: /failed to parse Location header/})
})

t.test('TLS: the certificate is verified, ours is sent, and errors are worded as in Go', async t => {
  const site = await listen(
    t,
    https.createServer(
      {key: pem('server.key'), cert: pem('server.pem'), ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: true},
      (_, response) => response.end('private')
    )
  )
  const baseUrl = `https://localhost:${site}`
  const good = {
    rootCA: {value: pem('ca.pem')},
    certificate: {value: pem('client.pem')},
    privateKey: {value: pem('client.key')}
  }
  const {rootCA} = good
  const {get} = await openScene(t, [
    resource('good', {baseUrl, clientTLS: good}),
    resource('stranger', {baseUrl, clientTLS: {...good, rootCA: {}}}),
    resource('nameless', {baseUrl, clientTLS: {rootCA}}),
    resource('wrongname', {baseUrl: `https://[::1]:${site}`, clientTLS: good})
  ])
  t.match(await get('/v1.0/invoke/good/method/x'), {status: 200, body: 'private'})
  t.match(await get('/v1.0/invoke/good/method/x'), {status: 200}, 'again')
  t.match(await get('/v1.0/invoke/stranger/method/x?q'), {
    status: 500,
    body: `{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: stranger, err: Get \\"${baseUrl}/x?q\\": tls: failed to verify certificate: x509: certificate signed by unknown authority"}`
  })
  t.match(await get('/v1.0/invoke/nameless/method/x'), {status: 500, body: /"errorCode":"ERR_DIRECT_INVOKE"/})
  t.match(
    await get(`/v1.0/invoke/${baseUrl}/method/x`),
    {status: 500, body: /tls: failed to verify certificate/},
    'a URL too'
  )
})

t.test('all connections to an endpoint with its own CA share one secure context', async t => {
  const site = await listen(
    t,
    https.createServer({key: pem('server.key'), cert: pem('server.pem')}, (_, response) =>
      response.writeHead(200, {connection: 'close'}).end('private')
    )
  )
  const baseUrl = `https://localhost:${site}`
  const {get} = await openScene(t, [resource('site', {baseUrl, clientTLS: {rootCA: {value: pem('ca.pem')}}})])
  const made = t.capture(tls, 'createSecureContext', tls.createSecureContext)
  for (const _ of [1, 2, 3]) t.match(await get('/v1.0/invoke/site/method/x'), {status: 200, body: 'private'})
  t.equal(made().length, 1)
})

t.test('an unreadable certificate is an error of the call', async t => {
  const bad = {rootCA: {value: 'no PEM'}, certificate: {value: 'no PEM'}, privateKey: {value: 'no PEM'}}
  const {get} = await openScene(t, [
    resource('ca', {baseUrl: 'https://localhost:1', clientTLS: {rootCA: bad.rootCA}}),
    resource('pair', {baseUrl: 'https://localhost:1', clientTLS: {...bad, rootCA: {}}})
  ])
  for (const name of ['ca', 'pair'])
    t.match(await get(`/v1.0/invoke/${name}/method/x`), {status: 500, body: /"errorCode":"ERR_DIRECT_INVOKE"/})
})

t.test('connection errors are worded as in Go', async t => {
  const dies = await rawApp(t, socket => socket.destroy())
  const {get} = await openScene(t, [resource('gone', {baseUrl: 'http://127.0.0.1:1/base'})])
  t.match(await get('/v1.0/invoke/gone/method/x'), {
    status: 500,
    body: `{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: gone, err: Get \\"http://127.0.0.1:1/base/x\\": dial tcp 127.0.0.1:1: connect: connection refused"}`
  })
  t.match(await get('/v1.0/invoke/http://nowhere.invalid/method/x'), {
    status: 500,
    body: /dial tcp: lookup nowhere\.invalid: no such host/
  })
  t.match(await get(`/v1.0/invoke/http://127.0.0.1:${dies}/method/x`), {status: 500, body: /: EOF"}$/})
  t.match(await get('/v1.0/invoke/http://%5B/method/x'), {status: 500, body: /err: parse /})
  t.match(
    await get('/v1.0/invoke/HTTP://x/method/x'),
    {status: 500, body: /couldn't find service/},
    'the scheme is in small letters'
  )
})

t.test('a truncated response never looks complete', async t => {
  const site = await rawApp(t, socket => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf'))
  })
  const {port} = await openScene(t, [])
  const caller = await connect(t, port)
  caller.send(`GET /x HTTP/1.1\r\nHost: localhost\r\ndapr-app-id: http://127.0.0.1:${site}\r\n\r\n`)
  t.equal(await caller.answer(), undefined)
})

t.test('which resources count: kind, scopes, namespace, the first of a name; secrets need a store', async t => {
  const {port: site} = await echoApp(t)
  const baseUrl = `http://localhost:${site}`
  const {resources, warnings, get} = await openScene(
    t,
    [
      resource('mine', {baseUrl}, {scopes: ['x', 'a']}),
      resource('theirs', {baseUrl}, {scopes: ['b']}),
      resource('mine', {baseUrl: 'http://second'}),
      resource('elsewhere', {baseUrl}, {metadata: {name: 'elsewhere', namespace: 'other'}}),
      resource('old', {baseUrl}, {apiVersion: 'dapr.io/v2'}),
      resource('stored', {baseUrl, headers: [{name: 'X-A', secretKeyRef: {name: 's', key: 'k'}}]}),
      resource('bad', {baseUrl: 'ftp://x'})
    ],
    {NAMESPACE: 'ours'}
  )
  t.strictSame(namesOf(resources), ['mine', 'stored', 'bad'])
  t.match(
    warnings,
    [
      /^r\.yaml:9:15: the apiVersion "dapr.io\/v2" is not known: this HTTPEndpoint is left out \(expected dapr/,
      /^r\.yaml:11:.*: the header X-A is in a secret store/,
      /^r\.yaml:13:.*: its baseUrl "ftp:\/\/x" is no URL/,
      /^r\.yaml:5:.*: there is an HTTPEndpoint "mine" already \(r\.yaml:1\): this one is left out \(rename one of them\)$/
    ],
    'each with its place'
  )
  t.match(await get('/v1.0/invoke/mine/method/x'), {status: 200})
  t.match(await get('/v1.0/invoke/theirs/method/x'), {status: 500, body: /couldn't find service: theirs/})
  t.match(await get('/v1.0/invoke/stored/method/x'), {status: 500, body: /the header X-A is in a secret store/})
  t.match(await get('/v1.0/invoke/bad/method/x'), {status: 500, body: /its baseUrl \\"ftp:\/\/x\\" is no URL/})
})

t.test('an endpoint whose resource changes is called as it says then; others keep their connections', async t => {
  const first = http.createServer((_, response) => response.end('first'))
  const second = http.createServer((_, response) => response.end('second'))
  let connections = 0
  first.on('connection', () => connections++)
  const [at, to] = [await listen(t, first), await listen(t, second)]
  const [old, anew, kept] = [
    resource('site', {baseUrl: `http://localhost:${at}`}),
    resource('site', {baseUrl: `http://localhost:${to}`}),
    resource('kept', {baseUrl: `http://localhost:${at}`})
  ]
  const {get, folder, refresh, warnings} = await openScene(t, [kept, old])
  t.match(await get('/v1.0/invoke/kept/method/x'), {body: 'first'})
  t.match(await get('/v1.0/invoke/site/method/x'), {body: 'first'})
  t.equal(connections, 2)
  writeFileSync(join(folder, 'r.yaml'), `${kept}\n---\n${anew}`)
  await refresh()
  t.match(await get('/v1.0/invoke/site/method/x'), {body: 'second'})
  t.match(await get('/v1.0/invoke/kept/method/x'), {body: 'first'})
  t.equal(connections, 2)
  writeFileSync(join(folder, 'r.yaml'), `${kept}\n---\nkind: HTTPEndpoint\n  a: [`)
  await refresh()
  t.match(await get('/v1.0/invoke/site/method/x'), {body: 'second'}, 'the last good file holds')
  t.match(warnings, [/^r\.yaml:3:7: not valid YAML: /])
})

t.test('an endpoint that closes what it keeps open is asked once more, and not a third time', async t => {
  const seen: string[] = []
  const site = await listen(
    t,
    http.createServer((request, response) => {
      seen.push(request.url ?? '')
      if (request.url === '/first') response.end('ok')
      else request.socket.destroy()
    })
  )
  const {get} = await openScene(t, [resource('site', {baseUrl: `http://localhost:${site}`})])
  t.match(await get('/v1.0/invoke/site/method/first'), {status: 200})
  t.match(await get('/v1.0/invoke/site/method/a'), {status: 500, body: /EOF/})
  t.strictSame(seen, ['/first', '/a', '/a'])
})
