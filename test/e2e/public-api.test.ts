/**
 * All of Dapr's public API at one app that has a component for each block: each route and method, in each of its versions, and
 * what it answers. Rows depend on those before them.
 */
import {join} from 'node:path'
import {readFileSync} from 'node:fs'
import t, {type Test} from 'tap'
import {API} from '../../src/model/dapr/api/api.ts'
import type {BlockApi} from '../../src/model/dapr/api/block-api.ts'
import {operationAt} from '../../src/model/dapr/api/routes.ts'
import type {Message} from '../../src/proxy/net/grpc/message-codec.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {DAPR_METHODS, messageTable} from '../rig/dapr-methods.ts'
import {freePort} from '../rig/free-port.ts'
import {component} from '../rig/resource-files.ts'
import {openRig} from '../rig/rig.ts'

/** Hosts the actors of type `cart`, and answers whatever it is asked. */
const APP = `
const {createServer} = process.getBuiltinModule('node:http')
createServer((request, response) => {
  request.resume()
  if (request.url === '/dapr/subscribe') return response.end('[]')
  response.end(request.url === '/dapr/config' ? '{"entities":["cart"]}' : '{"did":true}')
}).listen(process.env.APP_PORT)
`
const KEYS = join(import.meta.dirname, '../fixtures/crypto')
const DOCUMENT = readFileSync(join(KEYS, 'aes.enc'))

/** A run whose app `shop` has it all: the ports of its sidecar, and that of `stall`, which has less. */
async function open(t: Test): Promise<{readonly http: number; readonly grpc: number; readonly stall: number}> {
  const rig = await openRig(t)
  const redisHost = `localhost:${await freePort()}`
  await rig.write({
    'app.mjs': APP,
    'vault.json': '{"a":"1"}',
    'files/note.txt': 'hello',
    'resources/store.yaml': component('store', 'state.in-memory', {actorStateStore: 'true'}),
    'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {secretsFile: 'vault.json'}),
    'resources/settings.yaml': component('settings', 'configuration.redis', {redisHost}),
    'resources/locks.yaml': component('locks', 'lock.redis', {redisHost}),
    'resources/files.yaml': component('files', 'bindings.localstorage', {rootPath: 'files'}),
    'resources/keys.yaml': component('keys', 'crypto.dapr.localstorage', {path: KEYS}),
    'resources/echo.yaml': component('echo', 'conversation.echo'),
    'resources/tools.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'MCPServer',
      metadata: {name: 'tools'},
      spec: {endpoint: {streamableHTTP: {url: 'http://localhost:1'}}}
    })
  })
  await rig.template([
    {appID: 'shop', appDirPath: '.', resourcesPath: './resources', autoPort: true, command: ['node', 'app.mjs']},
    // hosts actors by a stream, if at all: `shop` does by its port
    {appID: 'stall', appDirPath: '.'}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const [ports, {grpc: stall}] = await Promise.all([run.ports('shop'), run.ports('stall')])
  await rig.run(['wait', '--for', 'ready'])
  return {...ports, stall}
}

type HttpRow = readonly [route: string, body: string | Buffer, status: number, answer?: RegExp]

const JSON_WISH = '{"inputs":[{"content":"hello"}]}'
const MESSAGES = '{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"hello"}]}}]}]}'
const OK = /^$/
const NOTHING = /^\{\}$/
const NO_ROUTE = /^\{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id either/
const UNIMPLEMENTED = /^\{"errorCode":"ERR_API_UNIMPLEMENTED","message":"this API is currently not implemented"/

const twice = (methods: string, path: string, ...rest: [string, number, RegExp?]): HttpRow[] =>
  methods.split(' ').map((method): HttpRow => [`${method} ${path}`, ...rest])

const workflowsAt = (version: string, id: string): HttpRow[] => [
  [`POST ${version}/workflows/dapr/order/start?instanceID=${id}`, '{}', 202, RegExp(`^\\{"instanceID":"${id}"\\}`)],
  [`GET ${version}/workflows/dapr/${id}`, '', 200, RegExp(`"instanceID":"${id}".*"runtimeStatus":"PENDING"`)],
  [`POST ${version}/workflows/dapr/${id}/raiseEvent/paid`, '1', 202, NOTHING],
  [`POST ${version}/workflows/dapr/${id}/pause`, '', 202, NOTHING],
  [`POST ${version}/workflows/dapr/${id}/resume`, '', 202, NOTHING],
  [`POST ${version}/workflows/dapr/${id}/terminate`, '', 202, NOTHING],
  [`POST ${version}/workflows/dapr/${id}/purge`, '', 202, NOTHING]
]

const jobsAt = (version: string): HttpRow[] => [
  [`POST ${version}/jobs/tidy`, '{"schedule":"@yearly","data":{"deep":true}}', 204, OK],
  [`GET ${version}/jobs/tidy`, '', 200, /"name":"tidy".*"schedule":"@yearly"/],
  [`DELETE ${version}/jobs/tidy`, '', 204, OK]
]

const HTTP: readonly HttpRow[] = [
  ['GET v1.0/healthz', '', 204, OK],
  ['GET v1.0/healthz/outbound', '', 204, OK],
  ['PUT v1.0/metadata/colour', 'red', 204, OK],
  ['GET v1.0/metadata', '', 200, /"colour":"red"/],
  ['POST v1.0/invoke/shop/method/any', '{}', 200, /"did":true/],
  ...twice('POST PUT', 'v1.0/state/store', '[{"key":"k","value":{"n":1}}]', 204, OK),
  ['GET v1.0/state/store/k', '', 200, /^\{"n":1\}$/],
  ...twice('POST PUT', 'v1.0/state/store/bulk', '{"keys":["k"]}', 200, /"key":"k","data":\{"n":1\}/),
  ...twice(
    'POST PUT',
    'v1.0/state/store/transaction',
    '{"operations":[{"operation":"upsert","request":{"key":"k","value":2}}]}',
    204,
    OK
  ),
  ['DELETE v1.0/state/store/k', '', 204, OK],
  ...twice('POST PUT', 'v1.0-alpha1/state/store/query', '{"filter":{}}', 500, /ERR_STATE_STORE_NOT_SUPPORTED/),
  ...twice('POST PUT', 'v1.0/publish/bus/orders', '{}', 204, OK),
  ...['v1.0-alpha1', 'v1.0'].flatMap(version =>
    twice(
      'POST PUT',
      `${version}/publish/bulk/bus/orders`,
      '[{"entryId":"1","event":"x","contentType":"text/plain"}]',
      204,
      OK
    )
  ),
  ['GET v1.0/secrets/vault/a', '', 200, /^\{"a":"1"\}/],
  ['GET v1.0/secrets/vault/bulk', '', 200, /^\{"a":\{"a":"1"\}\}/],
  ...['v1.0-alpha1', 'v1.0'].flatMap((version): HttpRow[] => [
    [`GET ${version}/configuration/settings?key=x`, '', 204, OK],
    [`GET ${version}/configuration/settings/subscribe?key=x`, '', 200, /^\{"id":"/],
    [
      `GET ${version}/configuration/settings/nope/unsubscribe`,
      '',
      500,
      /failed to unsubscribe to configuration request/
    ]
  ]),
  ...twice('POST PUT', 'v1.0/bindings/files', '{"operation":"list"}', 200, /note\.txt/),
  ['POST v1.0-alpha1/lock/locks', '{"resourceId":"r","lockOwner":"me","expiryInSeconds":9}', 200, /"success":true/],
  ['POST v1.0-alpha1/unlock/locks', '{"resourceId":"r","lockOwner":"me"}', 200, /"status":0/],
  ['PUT v1.0-alpha1/crypto/keys/encrypt', 'plain', 200, /^dapr\.io\/enc\/v1\n/],
  ['PUT v1.0-alpha1/crypto/keys/decrypt', DOCUMENT, 200],
  ...['getkey', 'encrypt', 'decrypt', 'wrapkey', 'unwrapkey', 'sign', 'verify'].map((verb): HttpRow => [
    `POST v1.0-alpha1/subtlecrypto/keys/${verb}`,
    '{}',
    501,
    UNIMPLEMENTED
  ]),
  ['POST v1.0-alpha1/conversation/echo/converse', JSON_WISH, 200, /"result":"hello"/],
  ['POST v1.0-alpha2/conversation/echo/converse', MESSAGES, 200, /"content":"hello"/],
  ...twice('GET POST DELETE PUT', 'v1.0/actors/cart/1/method/add', '', 200, /"did":true/),
  ...twice('POST PUT', 'v1.0/actors/cart/1/state', '[{"operation":"upsert","request":{"key":"k","value":1}}]', 204, OK),
  ['GET v1.0/actors/cart/1/state/k', '', 200, /^1$/],
  ...twice('POST PUT', 'v1.0/actors/cart/1/reminders/wake', '{"dueTime":"1h"}', 204, OK),
  ['GET v1.0/actors/cart/1/reminders/wake', '', 200, /"dueTime"/],
  ['DELETE v1.0/actors/cart/1/reminders/wake', '', 204, OK],
  ...twice('POST PUT', 'v1.0/actors/cart/1/timers/tick', '{"dueTime":"1h"}', 204, OK),
  ['DELETE v1.0/actors/cart/1/timers/tick', '', 204, OK],
  ...workflowsAt('v1.0-alpha1', 'a'),
  ...workflowsAt('v1.0-beta1', 'b'),
  ...workflowsAt('v1.0', 'c'),
  ...jobsAt('v1.0-alpha1'),
  ...jobsAt('v1.0'),
  // tools of MCPServers
  [
    'POST v1.0/workflows/dapr/dapr.internal.mcp.tools.ListTools/start',
    '{}',
    500,
    /nothing runs the workflow 'dapr\.internal\.mcp\.tools\.ListTools': tools of MCPServers are not called here/
  ],
  // what Dapr has no route for
  ['GET v1.0/jobs', '', 404, NO_ROUTE],
  ['GET v1.0/config', '', 404, NO_ROUTE],
  ['POST v1.0/lock/locks', '{}', 404, NO_ROUTE],
  ['POST v1.0/crypto/keys/encrypt', 'x', 404, NO_ROUTE],
  ['POST v1.0/conversation/echo/converse', MESSAGES, 404, NO_ROUTE],
  ['POST v1.0/subtlecrypto/keys/sign', '{}', 404, NO_ROUTE],
  ['OPTIONS v1.0/metadata', '', 404, NO_ROUTE],
  ['POST v1.0/shutdown', '', 204, OK]
]

t.test('each route of HTTP', async t => {
  const {http} = await open(t)
  const asked = new Set<string>()
  for (const [route, body, status, answer = /^/] of HTTP) {
    const [method = '', path = ''] = route.split(' ')
    const headers = path.endsWith('/encrypt')
      ? {'dapr-key-name': 'sym256', 'dapr-key-wrap-algorithm': 'A256KW'}
      : undefined
    const response = await fetch(`http://127.0.0.1:${http}/${path}`, {
      method,
      ...(headers && {headers}),
      ...(body.length > 0 && {body: body as string})
    })
    t.match({status: response.status, body: await response.text()}, {status, body: answer}, route)
    const operation = operationAt(method, `/${path.replace(/\?.*/, '')}`)
    if (operation !== undefined) asked.add(`${method} ${path.slice(0, path.indexOf('/'))} ${operation.operation.name}`)
  }
  const missing = Object.values(API as Readonly<Record<string, BlockApi>>).flatMap(({operations}) =>
    Object.entries(operations).flatMap(([name, {http: routes = ''}]) => {
      const words = routes.split(' ').filter(each => each !== '')
      const [methods, paths] = [words.filter(each => !each.includes('/')), words.filter(each => each.includes('/'))]
      const all = methods.flatMap(method => paths.map(path => `${method} ${path.slice(0, path.indexOf('/'))} ${name}`))
      return all.filter(each => !asked.has(each))
    })
  )
  t.strictSame(missing, [], 'no route is left out')
})

type GrpcRow = readonly [method: string, request: object, code: number, answer?: object | string]

const both = (names: string, ...rest: [object, number, (object | string)?]): GrpcRow[] =>
  names.split(' ').map((name): GrpcRow => [name, ...rest])

const text = (value: string): Buffer => Buffer.from(value)
const CART = {actorType: 'cart', actorId: '2'}
const NO_SUBTLE = 'this API is currently not implemented'

const workflowsOf = (version: string): GrpcRow[] => {
  const at = {instanceId: version, workflowComponent: 'dapr'}
  return [
    [`StartWorkflow${version}`, {...at, workflowName: 'order'}, 0, {instanceId: version}],
    [`GetWorkflow${version}`, at, 0, {instanceId: version, runtimeStatus: 'PENDING'}],
    [`RaiseEventWorkflow${version}`, {...at, eventName: 'paid', eventData: text('1')}, 0],
    [`PauseWorkflow${version}`, at, 0],
    [`ResumeWorkflow${version}`, at, 0],
    [`TerminateWorkflow${version}`, at, 0],
    [`PurgeWorkflow${version}`, at, 0]
  ]
}

const jobsOf = (version: string): GrpcRow[] => [
  [`ScheduleJob${version}`, {job: {name: 'tidy', schedule: '@yearly'}}, 0],
  [`GetJob${version}`, {name: 'tidy'}, 0, {job: {name: 'tidy', schedule: '@yearly'}}],
  [`ListJobs${version}`, {}, 0, {jobs: [{name: 'tidy'}]}],
  [`DeleteJob${version}`, {name: 'tidy'}, 0],
  [`DeleteJobsByPrefix${version}`, {namePrefix: 'ti'}, 0]
]

const GRPC: readonly GrpcRow[] = [
  ['SetMetadata', {key: 'colour', value: 'red'}, 0],
  [
    'GetMetadata',
    {},
    0,
    {
      id: 'shop',
      extendedMetadata: {colour: 'red'},
      scheduler: {connectedAddresses: [/^127\.0\.0\.1:\d+$/]},
      mcpServers: [{name: 'tools'}]
    }
  ],
  ['InvokeService', {id: 'shop', message: {method: 'any', httpExtension: {verb: 3}}}, 0, {contentType: ''}],
  ['SaveState', {storeName: 'store', states: [{key: 'k', value: text('1')}]}, 0],
  ['GetState', {storeName: 'store', key: 'k'}, 0, {data: text('1')}],
  ['GetBulkState', {storeName: 'store', keys: ['k']}, 0, {items: [{key: 'k', data: text('1')}]}],
  ['DeleteState', {storeName: 'store', key: 'k'}, 0],
  ['DeleteBulkState', {storeName: 'store', states: [{key: 'k'}]}, 0],
  [
    'ExecuteStateTransaction',
    {storeName: 'store', operations: [{operationType: 'upsert', request: {key: 'k', value: text('1')}}]},
    0
  ],
  ['QueryStateAlpha1', {storeName: 'store', query: '{"filter":{}}'}, 13, /support/],
  ['PublishEvent', {pubsubName: 'bus', topic: 'orders', data: text('x')}, 0],
  ...both(
    'BulkPublishEventAlpha1 BulkPublishEvent',
    {pubsubName: 'bus', topic: 'orders', entries: [{entryId: '1', event: text('x'), contentType: 'text/plain'}]},
    0,
    {failedEntries: []}
  ),
  ['InvokeBinding', {name: 'files', operation: 'list'}, 0],
  ['GetSecret', {storeName: 'vault', key: 'a'}, 0, {data: {a: '1'}}],
  ['GetBulkSecret', {storeName: 'vault'}, 0, {data: {a: {secrets: {a: '1'}}}}],
  ...both('GetConfigurationAlpha1 GetConfiguration', {storeName: 'settings', keys: ['x']}, 0, {items: {}}),
  ...both('UnsubscribeConfigurationAlpha1 UnsubscribeConfiguration', {storeName: 'settings', id: 'nope'}, 0),
  ['TryLockAlpha1', {storeName: 'locks', resourceId: 'r', lockOwner: 'me', expiryInSeconds: 9}, 0, {success: true}],
  ['UnlockAlpha1', {storeName: 'locks', resourceId: 'r', lockOwner: 'me'}, 0, {status: 0}],
  ...['GetKey', 'Encrypt', 'Decrypt', 'WrapKey', 'UnwrapKey', 'Sign', 'Verify'].map((verb): GrpcRow => [
    `Subtle${verb}Alpha1`,
    {componentName: 'keys'},
    12,
    NO_SUBTLE
  ]),
  ['ConverseAlpha1', {name: 'echo', inputs: [{content: 'hello'}]}, 0, {outputs: [{result: 'hello'}]}],
  [
    'ConverseAlpha2',
    {name: 'echo', inputs: [{messages: [{ofUser: {content: [{text: 'hello'}]}}]}]},
    0,
    {outputs: [{choices: [{message: {content: 'hello'}}]}]}
  ],
  ['InvokeActor', {...CART, method: 'add'}, 0, {data: text('{"did":true}')}],
  [
    'ExecuteActorStateTransaction',
    {...CART, operations: [{operationType: 'upsert', key: 'k', value: {value: text('1')}}]},
    0
  ],
  ['GetActorState', {...CART, key: 'k'}, 0, {data: text('1')}],
  ['RegisterActorTimer', {...CART, name: 'tick', dueTime: '1h'}, 0],
  ['UnregisterActorTimer', {...CART, name: 'tick'}, 0],
  ['RegisterActorReminder', {...CART, name: 'wake', dueTime: '1h'}, 0],
  ['GetActorReminder', {...CART, name: 'wake'}, 0, {dueTime: '1h'}],
  ['ListActorReminders', {actorType: 'cart'}, 0, {reminders: [{name: 'wake'}]}],
  ['UnregisterActorReminder', {...CART, name: 'wake'}, 0],
  ['UnregisterActorRemindersByType', {actorType: 'cart'}, 0],
  ...workflowsOf('Alpha1'),
  ...workflowsOf('Beta1'),
  ...jobsOf('Alpha1'),
  ...jobsOf('')
]

/** Streams: what is sent first, and what comes then. */
const STREAMS: readonly (readonly [method: string, request: object, answer: object])[] = [
  ['SubscribeTopicEventsAlpha1', {initialRequest: {pubsubName: 'bus', topic: 'orders'}}, {initialResponse: {}}],
  ['SubscribeConfigurationAlpha1', {storeName: 'settings', keys: ['x']}, {id: /./}],
  ['SubscribeConfiguration', {storeName: 'settings', keys: ['x']}, {id: /./}],
  ['SubscribeActorEventsAlpha1', {initialRequest: {entities: ['cat']}}, {initialResponse: {}}],
  [
    'EncryptAlpha1',
    {
      options: {componentName: 'keys', keyName: 'sym256', keyWrapAlgorithm: 'A256KW'},
      payload: {data: text('plain'), seq: 0n}
    },
    {payload: {seq: 0n}}
  ],
  ['DecryptAlpha1', {options: {componentName: 'keys'}, payload: {data: DOCUMENT, seq: 0n}}, {payload: {seq: 0n}}]
]

/** The tables of a method’s messages. */
const typesOf = async (name: string) => {
  const {request, reply} = DAPR_METHODS.find(each => each.name === name) ?? {request: '', reply: ''}
  return {sent: (await messageTable(request)) ?? {}, told: (await messageTable(reply)) ?? {}}
}

t.test('each method of gRPC', async t => {
  const {grpc, stall} = await open(t)
  const client = new DaprClient(t, grpc)
  const hosting = new DaprClient(t, stall)
  const ask = async (name: string, request: object) => {
    const {sent, told} = await typesOf(name)
    return client.call(name, [sent, request as Partial<Message<typeof sent>>], told)
  }
  for (const [name, request, code, answer = {}] of GRPC) {
    const outcome = await ask(name, request)
    t.match(outcome, code === 0 ? {code, answer} : {code, message: answer}, name)
  }
  for (const [name, request, answer] of STREAMS) {
    const {sent, told} = await typesOf(name)
    const stream = (name.includes('Actor') ? hosting : client).stream(name, {sent, told})
    stream.send(request)
    if (/^(?:Encrypt|Decrypt|SubscribeConf)/.test(name)) stream.call.end()
    t.match(await stream.next(), answer, name)
    stream.call.cancel()
  }
  t.match(await ask('Shutdown', {}), {code: 0})
  const asked = new Set([...GRPC, ...STREAMS].map(([name]) => name))
  const missing = DAPR_METHODS.map(({name}) => name).filter(name => name !== 'Shutdown' && !asked.has(name))
  t.strictSame(missing, [], 'no method is left out')
})

t.test('types that spec.components.deny names are left out, and who asks for one is told', async t => {
  const rig = await openRig(t)
  await rig.write({
    'config.yaml': 'kind: Configuration\nspec:\n  components:\n    deny: [state.in-memory, conversation.echo/v2]\n',
    'resources/store.yaml': component('store', 'state.in-memory'),
    'resources/echo.yaml': component('echo', 'conversation.echo')
  })
  await rig.template([
    {appID: 'shop', appDirPath: '.', resourcesPath: './resources', configFilePath: './config.yaml', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const ask = async (path: string, body?: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0${path}`, body === undefined ? {} : {method: 'POST', body})).text()
  const why = 'resources/store.yaml:1 names it, but spec.components.deny of config.yaml:4 refuses its type'
  t.match(await ask('/state/store/k'), RegExp(`state store store is not configured \\(${why}\\)`))
  t.match(await ask('-alpha2/conversation/echo/converse', MESSAGES), /"content":"hello"/, 'another version')
  t.strictSame((JSON.parse(await ask('/metadata')) as {components: unknown}).components, [
    {name: 'echo', type: 'conversation.echo', version: 'v1'}
  ])
  await run.waitForLine(/without effect: Component "store" \(state\.in-memory\) in resources\/store\.yaml:1 \(spec/, {
    stream: 'stderr'
  })
})
