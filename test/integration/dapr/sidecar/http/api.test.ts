import {once} from 'node:events'
import http2 from 'node:http2'
import t, {type Test} from 'tap'
import type {Facts} from '../../../../../src/dapr/sidecar/http/metadata.ts'
import type {Pipeline} from '../../../../../src/dapr/sidecar/http/middleware/middleware.ts'
import {ask, connect} from '../caller.ts'
import {echoApp, openTestSidecar} from '../rig.ts'

const NOBODY = /^{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id/

const plain = (method: string, path: string, lines = '', body = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`

t.test('health tells whether the app is ready', async t => {
  let ready = false
  const {port} = await openTestSidecar(t, {wasReady: () => ready})
  t.match(await ask(t, port, plain('GET', '/v1.0/healthz')), {
    status: 500,
    headers: {'content-type': 'application/json'},
    body: '{"errorCode":"ERR_HEALTH_NOT_READY","message":"dapr is not ready: [runtime]"}'
  })
  t.match(await ask(t, port, plain('GET', '/v1.0/healthz/outbound')), {status: 204, body: ''})
  ready = true
  t.match(await ask(t, port, plain('GET', '/v1.0/healthz')), {status: 204, body: ''})
  t.match(await ask(t, port, plain('GET', '/v1.0//healthz/')), {status: 204}, 'cleaned')
  t.match(await ask(t, port, plain('GET', '/v1.0/healthz?appid=a')), {status: 204})
  t.match(await ask(t, port, plain('GET', '/v1.0/healthz?appid=other')), {
    status: 500,
    body: '{"errorCode":"ERR_HEALTH_APPID_NOT_MATCH","message":"dapr app-id does not match"}'
  })
})

t.test('health needs no token', async t => {
  const {port} = await openTestSidecar(t, {tokens: {api: 'secret', app: ''}})
  t.match(await ask(t, port, plain('GET', '/v1.0/healthz')), {status: 204})
  t.match(await ask(t, port, plain('GET', '/v1.0/healthz/outbound/')), {status: 204})
  t.match(await ask(t, port, plain('POST', '/v1.0/healthz')), {status: 401})
  t.match(await ask(t, port, plain('GET', '/v1.0/metadata')), {status: 401})
  t.match(await ask(t, port, plain('GET', '/unknown')), {status: 401})
})

t.test('a route of the sidecar goes before an app id outside the URL; other methods are for invocation', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  t.match(await ask(t, port, plain('GET', '/v1.0/healthz', 'dapr-app-id: b\r\n')), {status: 204})
  t.equal(seen.length, 0)
  t.match(await ask(t, port, plain('POST', '/v1.0/healthz', 'dapr-app-id: b\r\n')), {status: 200})
  t.equal(seen[0]?.url, '/v1.0/healthz')
  t.match(await ask(t, port, plain('OPTIONS', '/v1.0/metadata')), {status: 404, body: NOBODY})
  t.match(await ask(t, port, plain('GET', '/v1.0/shutdown')), {status: 404, body: NOBODY})
  t.match(await ask(t, port, plain('HEAD', '/v1.0/healthz'), true), {status: 404, body: ''})
  t.match(await ask(t, port, plain('HEAD', '/v1.0/metadata'), true), {status: 404, body: ''})
})

t.test('OPTIONS of the server itself is answered here', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  t.match(await ask(t, port, plain('OPTIONS', '*', 'dapr-app-id: b\r\n')), {status: 200, body: ''})
  t.equal(seen.length, 0)
})

const FULL: Facts = {
  runtimeVersion: '1.18.0',
  enabledFeatures: ['HotReload'],
  components: [{name: 'pubsub', type: 'pubsub.in-memory', version: 'v1', capabilities: []}],
  extended: {cliPID: '2', appPID: '1', appCommand: 'node <app>'},
  subscriptions: [
    {
      pubsubName: 'pubsub',
      topic: 'orders',
      metadata: {raw: 'true'},
      rules: [
        {match: 'event.type == "big"', path: '/big'},
        {match: '', path: '/orders'}
      ],
      deadLetterTopic: 'dead',
      type: 'PROGRAMMATIC'
    },
    {pubsubName: 'pubsub', topic: 'bare', metadata: {}, rules: [], deadLetterTopic: '', type: 'STREAMING'}
  ],
  httpEndpoints: ['site'],
  accessPolicies: ['guard'],
  mcpServers: ['tools'],
  scheduler: ['127.0.0.1:50001'],
  resiliencies: ['mine'],
  connection: {
    port: 3000,
    protocol: 'http',
    channelAddress: '127.0.0.1',
    maxConcurrency: 5,
    health: {healthCheckPath: '/healthz', healthProbeInterval: '5s', healthProbeTimeout: '500ms', healthThreshold: 3}
  },
  connectedWorkers: 2
}

t.test('metadata tells what is known, in order, and leaves out what is empty', async t => {
  const {port} = await openTestSidecar(t, {facts: () => FULL})
  const answer = await ask(t, port, plain('GET', '/v1.0/metadata'))
  t.match(answer, {status: 200, headers: {'content-type': 'application/json'}})
  t.equal(
    answer?.body,
    '{"id":"a","runtimeVersion":"1.18.0","enabledFeatures":["HotReload"],' +
      '"components":[{"name":"pubsub","type":"pubsub.in-memory","version":"v1"}],' +
      '"extended":{"appCommand":"node \\u003capp\\u003e","appPID":"1","cliPID":"2","daprRuntimeVersion":"1.18.0"},' +
      '"subscriptions":[{"pubsubname":"pubsub","topic":"orders","metadata":{"raw":"true"},' +
      '"rules":[{"match":"event.type == \\"big\\"","path":"/big"},{"path":"/orders"}],"deadLetterTopic":"dead","type":"PROGRAMMATIC"},' +
      '{"pubsubname":"pubsub","topic":"bare","deadLetterTopic":"","type":"STREAMING"}],' +
      '"httpEndpoints":[{"name":"site"}],' +
      '"appConnectionProperties":{"port":3000,"protocol":"http","channelAddress":"127.0.0.1","maxConcurrency":5,' +
      '"health":{"healthCheckPath":"/healthz","healthProbeInterval":"5s","healthProbeTimeout":"500ms","healthThreshold":3}},' +
      '"actorRuntime":{"runtimeStatus":"DISABLED","hostReady":false,"placement":"placement: disconnected"},' +
      '"scheduler":{"connected_addresses":["127.0.0.1:50001"]},"workflows":{"connectedWorkers":2},' +
      '"mcpServers":[{"name":"tools"}],"workflowAccessPolicies":[{"name":"guard"}],"resiliencies":[{"name":"mine"}]}\n'
  )
  const bare = await openTestSidecar(t)
  t.equal(
    (await ask(t, bare.port, plain('GET', '/v1.0/metadata')))?.body,
    '{"id":"a","runtimeVersion":"1.18.0","extended":{"daprRuntimeVersion":"1.18.0"},' +
      '"appConnectionProperties":{"protocol":"http","channelAddress":"127.0.0.1"},' +
      '"actorRuntime":{"runtimeStatus":"DISABLED","hostReady":false,"placement":"placement: disconnected"}}\n'
  )
})

t.test('what is put into metadata stays there, and the last one wins', async t => {
  const {port} = await openTestSidecar(t)
  t.match(await ask(t, port, plain('PUT', '/v1.0/metadata/a%2Fb+c', '', 'one')), {status: 204, body: ''})
  t.match(await ask(t, port, plain('PUT', '/v1.0/metadata/a%2Fb%20c', '', 't\xc3\xbco')), {status: 204})
  const answer = await ask(t, port, plain('GET', '/v1.0/metadata'))
  t.match(answer?.body, /"extended":{"a\/b c":"t\xc3\xbco","daprRuntimeVersion"/)
})

t.test('a middleware that writes capitals does so with bodies for the sidecar itself, too', async t => {
  const pipeline: Pipeline = [request => void (request.isUppercase = true)]
  const {port} = await openTestSidecar(t, {rules: {interceptor: undefined, pipeline}})
  t.match(await ask(t, port, plain('PUT', '/v1.0/metadata/key', '', 'value')), {status: 204})
  t.match(
    (await ask(t, port, plain('GET', '/v1.0/metadata')))?.body,
    /"extended":{"daprRuntimeVersion":"[^"]*","key":"VALUE"}/
  )
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  const stream = session.request({':method': 'PUT', ':path': '/v1.0/metadata/key'})
  stream.end('other')
  await once(stream.resume(), 'close')
  t.match((await ask(t, port, plain('GET', '/v1.0/metadata')))?.body, /"key":"OTHER"/)
})

/** Names as they stand in a path, and what they mean. */
const NAMES: readonly (readonly [written: string, meant: string])[] = [
  ['a%2Fb', 'a/b'],
  ['a+b', 'a b'],
  ['%252F', '%2F'],
  ['%25', '%'],
  ['m%C3%BCller', 'müller'],
  ['m\xc3\xbcller', 'müller'],
  ['%C3%83%C2%BC', 'Ã¼'],
  ['%E6%97%A5%E6%9C%AC', '日本'],
  ['%F0%9F%98%80', '😀'],
  ['%C2%80', '\u0080']
]

t.test('names in a path are decoded once: keys of metadata, bindings, stores, topics', async t => {
  const {port} = await openTestSidecar(t)
  for (const [written, meant] of NAMES) {
    const text = Buffer.from(JSON.stringify(meant).slice(1, -1)).toString('latin1')
    t.match(await ask(t, port, plain('PUT', `/v1.0/metadata/${written}`, '', 'x')), {status: 204})
    t.match((await ask(t, port, plain('GET', '/v1.0/metadata')))?.body, `"${text}":"x"`, `${written}: a key`)
    const bound = await ask(t, port, plain('POST', `/v1.0/bindings/${written}`, '', '{"operation":"get"}'))
    t.match(bound?.body, `couldn't find output binding ${text}"`, `${written}: a binding`)
    const stored = await ask(t, port, plain('GET', `/v1.0/state/${written}/key`))
    t.match(stored?.body, `state store ${text} is not configured`, `${written}: a store`)
    const published = await ask(t, port, plain('POST', `/v1.0/publish/${written}/topic`, '', '{}'))
    t.match(published?.body, `pubsub ${text} is not found`, `${written}: a pub/sub`)
    const tuned = await ask(t, port, plain('POST', `/v1.0/publish/x/topic?metadata.k=${written}`, '', '{}'))
    t.match(tuned?.body, `"k":"${text}"`, `${written}: metadata of a query`)
  }
})

t.test('shutdown answers, and is then asked for, forced or not', async t => {
  const asked: boolean[] = []
  const {port} = await openTestSidecar(t, {requestShutdown: isForced => void asked.push(isForced)})
  for (const lines of ['', 'dapr-force-shutdown: true\r\n']) {
    const caller = await connect(t, port)
    caller.send(plain('POST', '/v1.0/shutdown', lines))
    t.match(await caller.answer(), {status: 204})
  }
  while (asked.length < 2) await new Promise(setImmediate)
  t.same(asked, [false, true])
})

t.test('pages of other sites may not change anything', async t => {
  let asked = 0
  const {port} = await openTestSidecar(t, {requestShutdown: () => asked++})
  for (const lines of ['Origin: http://evil.example\r\n', 'Origin: null\r\n', 'Sec-Fetch-Site: cross-site\r\n']) {
    for (const text of [plain('POST', '/v1.0/shutdown', lines), plain('PUT', '/v1.0/metadata/x', lines, 'evil')])
      t.match(await ask(t, port, text), {status: 403, headers: {'content-type': 'application/json'}}, lines)
  }
  t.equal(asked, 0)
  t.notMatch((await ask(t, port, plain('GET', '/v1.0/metadata')))?.body, /evil/)
  const ours = 'Origin: http://localhost:3000\r\nSec-Fetch-Site: same-site\r\n'
  t.match(await ask(t, port, plain('POST', '/v1.0/shutdown', ours)), {status: 204})
})

t.test('invocation passes any origin on', async t => {
  const {port: appPort} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  const lines = 'Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n'
  t.match(await ask(t, port, plain('POST', '/v1.0/invoke/b/method/x', lines)), {status: 200})
})

const hostsOf = async (t: Test, allowedHosts: readonly string[], hosts: readonly string[]): Promise<unknown[]> => {
  const {port} = await openTestSidecar(t, {allowedHosts})
  const statuses: unknown[] = []
  for (const host of hosts)
    statuses.push((await ask(t, port, `GET /v1.0/healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`))?.status)
  return statuses
}

t.test('a foreign Host is refused at every route', async t => {
  const ours = ['localhost', 'LOCALHOST:3500', '127.0.0.1:1', '127.1.2.3', '[::1]:3500', '[::1]', '']
  t.strictSame(
    await hostsOf(t, [], ours),
    ours.map(() => 204)
  )
  const foreign = ['evil.example', 'localhost.evil.example:80', '10.0.0.1', '127.0.0.1.evil.example', '[::2]', '[::1].evil.example', '[::1].evil.example:80', '[::1]x', '[localhost]', '[::1', 'localhost:80x', 'x@localhost', 'localhost@x'] // prettier-ignore
  t.strictSame(
    await hostsOf(t, [], foreign),
    foreign.map(() => 403)
  )
  t.strictSame(await hostsOf(t, ['10.0.0.1', 'box'], ['10.0.0.1:3500', 'BOX', '10.0.0.2']), [204, 204, 403])
  t.strictSame(await hostsOf(t, ['0.0.0.0'], ['10.0.0.1:3500', '[fd00::1]:1', 'evil.example']), [204, 204, 403])
  const {port} = await openTestSidecar(t)
  const absolute = 'GET http://evil.example/v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
  t.match(await ask(t, port, absolute), {status: 403}, 'in the target itself')
  t.match(await ask(t, port, absolute.replace('//evil', '//[::1].evil')), {status: 403}, 'behind an address')
})

t.test('building blocks that are not configured say so', async t => {
  const {port} = await openTestSidecar(t)
  const cases: readonly (readonly [string, string, number, string])[] = [
    [
      'GET',
      '/v1.0/state/mystore/key',
      500,
      '{"errorCode":"ERR_STATE_STORE_NOT_CONFIGURED","message":"state store mystore is not configured","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"dapr.io","metadata":{"appID":"a"},"reason":"DAPR_STATE_NOT_CONFIGURED"}]}'
    ],
    [
      'POST',
      '/v1.0/publish/p/t/u?metadata.rawPayload=true&x=1',
      404,
      '{"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"pubsub p is not found","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"dapr.io","metadata":{"rawPayload":"true"},"reason":"DAPR_PUBSUB_NOT_FOUND"}]}'
    ],
    [
      'GET',
      '/v1.0/secrets/s/k',
      500,
      '{"errorCode":"ERR_SECRET_STORES_NOT_CONFIGURED","message":"secret store is not configured"}'
    ],
    [
      'GET',
      '/v1.0/secrets/s/bulk',
      500,
      '{"errorCode":"ERR_SECRET_STORES_NOT_CONFIGURED","message":"secret store is not configured"}'
    ],
    [
      'GET',
      '/v1.0/configuration/c',
      500,
      '{"errorCode":"ERR_CONFIGURATION_STORE_NOT_CONFIGURED","message":"configuration stores not configured"}'
    ],
    [
      'POST',
      '/v1.0-alpha1/lock/l',
      400,
      '{"errorCode":"ERR_MALFORMED_REQUEST","message":"ExpiryInSeconds is not positive in lock store l"}'
    ],
    [
      'PUT',
      '/v1.0-alpha1/crypto/c/encrypt',
      500,
      '{"errorCode":"ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED","message":"crypto providers not configured"}'
    ],
    [
      'POST',
      '/v1.0-alpha1/conversation/c/converse',
      400,
      '{"errorCode":"ERR_CONVERSATION_NOT_FOUND","message":"failed finding conversation component c"}'
    ],
    [
      'POST',
      '/v1.0/actors/T/1/method/m',
      500,
      '{"errorCode":"ERR_ACTOR_INVOKE_METHOD","message":"error invoke actor method: failed to lookup actor: api error: code = FailedPrecondition desc = did not find address for actor \'T/1\' [no app of this run hosts actors]"}'
    ]
  ]
  for (const [method, path, status, body] of cases)
    t.match(
      await ask(t, port, plain(method, path)),
      {status, body, headers: {'content-type': 'application/json'}},
      path
    )
  t.match(await ask(t, port, plain('POST', '/v1.0-alpha1/jobs/j', '', '{}')), {
    status: 400,
    body: /DAPR_SCHEDULER_SCHEDULE_EMPTY.*Schedule is empty/
  })
  t.match(await ask(t, port, plain('DELETE', '/v1.0/publish/p/t')), {status: 404, body: NOBODY})
})

t.test('a binding is asked for with JSON, and is not there', async t => {
  const {port} = await openTestSidecar(t)
  t.match(await ask(t, port, plain('POST', '/v1.0/bindings/x', '', '{"operation":"get"}')), {
    status: 500,
    body: '{"errorCode":"ERR_INVOKE_OUTPUT_BINDING","message":"error invoking output binding x: couldn\'t find output binding x"}'
  })
  t.match(await ask(t, port, plain('POST', '/v1.0/bindings/x', '', '{"operation')), {
    status: 400,
    body: /^{"errorCode":"ERR_MALFORMED_REQUEST","message":"failed deserializing HTTP body: /
  })
})
