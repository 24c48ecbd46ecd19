/**
 * Dapr's SDK for Java, unmodified. Maven fetches it from Maven Central; where that, or Java, is not to be had, the tests say so
 * and are skipped. They are no part of `npm test`: `npm run test:java` runs them.
 */
import {once} from 'node:events'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {text} from 'node:stream/consumers'
import t, {type Test} from 'tap'
import {daprForJava, installed} from '../sdks/installed.ts'
import {freePort} from '../rig/free-port.ts'
import type {Program} from '../rig/program.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type TemplateApp} from '../rig/rig.ts'
import {java} from './java.ts'

// The first test of a machine fetches 20 MB and compiles.
t.setTimeout(400_000)

const FIXTURES = join(import.meta.dirname, '../fixtures')

/** What the app `shop` told of its calls, once it has made all of them. */
async function resultsOf(run: Program): Promise<Readonly<Record<string, unknown>>> {
  const start = '== APP - shop == RESULT '
  await run.waitForLine(`${start}done`, {limitMs: 90_000})
  return Object.fromEntries(
    run.stdout.lines
      .filter(line => line.startsWith(start))
      .map(line => /^(\S+) (.*)$/.exec(line.slice(start.length)) ?? [])
      .map(([, what = '', value = '']) => [what, JSON.parse(value) as unknown])
  )
}

/** A run with all building blocks, and what `shop` told. */
async function ran(
  t: Test,
  apps: readonly TemplateApp[],
  web = 'http://127.0.0.1:1'
): Promise<{readonly run: Program; readonly told: Readonly<Record<string, unknown>>}> {
  const rig = await openRig(t)
  const port = (await freePort()).toString()
  const redis = {redisHost: `localhost:${port}`}
  await rig.write({
    'resources/store.yaml': component('store', 'state.redis', redis),
    'resources/bus.yaml': component('bus', 'pubsub.redis', redis),
    'resources/settings.yaml': component('settings', 'configuration.redis', redis),
    'resources/locks.yaml': component('locks', 'lock.redis', redis),
    'resources/vault.yaml': component('vault', 'secretstores.local.file', {secretsFile: '../secrets.json'}),
    'resources/files.yaml': component('files', 'bindings.localstorage', {rootPath: './kept'}),
    'resources/web.yaml': component('web', 'bindings.http', {url: web}),
    'secrets.json': '{"plain":"pear","nested":{"deep":"plum"}}'
  })
  await rig.template(apps, {resourcesPath: 'resources', env: {REDIS_PORT: port}})
  const run = rig.pillion(['run', '-f', '.'])
  return {run, told: await resultsOf(run)}
}

t.test('state, secrets, configuration, locks, bindings, metadata', async t => {
  const folder = await installed(t, daprForJava)
  if (folder === undefined) return
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      response.writeHead(request.url === '/fails' ? 412 : 200, {'content-type': 'application/json'})
      response.end(JSON.stringify({method: request.method, url: request.url, body: await text(request)}))
    }
    void answer()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const {told} = await ran(t, [{appID: 'shop', command: java(folder, 'Blocks')}], web)
  const mismatch = {code: 'ABORTED', message: /possible etag mismatch/}
  t.match(told, {
    waited: true,
    object: {n: 1, name: 'päär'},
    text: 'pear',
    none: {value: null, etag: null},
    // the SDK says of every value that it is JSON
    'not-json': {code: 'UNKNOWN', message: /JSON/},
    bytes: [0, -1, 10],
    'old-etag': mismatch,
    'old-delete': mismatch,
    'new-etag': 'fig',
    bulk: {a: {n: 1, error: null}, b: {n: 2, error: null}, none: {n: null, error: null}},
    transaction: {a: {n: 3, name: 'c'}, b: null},
    deleted: {a: null},
    'no-store': {
      code: 'INVALID_ARGUMENT',
      message: /state store stor is not found \(did you mean store\?\)/,
      reason: 'DAPR_STATE_NOT_FOUND'
    },
    illegal: {code: 'INVALID_ARGUMENT', reason: 'DAPR_STATE_ILLEGAL_KEY'},
    secret: {plain: 'pear'},
    secrets: {plain: {plain: 'pear'}, 'nested:deep': {'nested:deep': 'plum'}},
    'no-secret': {code: 'INTERNAL', message: /secret none not found/},
    'no-vault': {code: 'INVALID_ARGUMENT', message: /failed finding secret store with key valt/},
    configuration: {value: 'blue', version: '1'},
    configurations: ['color', 'size'],
    changed: {color: 'red'},
    unsubscribed: true,
    locked: [true, false],
    unlocked: ['LOCK_BELONG_TO_OTHERS', 'SUCCESS'],
    file: '{"fileName":"kept.json"}',
    'file-read': {n: 4, name: 'kept'},
    'file-text': 'a text',
    'file-none': {code: 'INTERNAL', message: /file not found/},
    web: {method: 'POST', url: '/orders', body: '{"n":5,"name":"sent"}'},
    'web-fails': {code: 'INTERNAL', message: /received status code 412/},
    'web-fails-told': {status: 412, payload: '{"method":"GET","url":"/fails","body":""}'},
    'no-binding': {code: 'INTERNAL', message: /couldn't find output binding none/},
    metadata: {id: 'shop', components: {store: 'state.redis', web: 'bindings.http'}},
    job: {code: 'INTERNAL', message: /failed to get job due to: .*job not found: none/}
  })
})

t.test('calls over HTTP, stubs of grpc-java through the proxy, the end of the sidecar', async t => {
  const folder = await installed(t, daprForJava)
  if (folder === undefined) return
  const {run, told} = await ran(t, [
    {appID: 'web', command: [process.execPath, join(FIXTURES, 'sdks/web.mjs')], autoPort: true},
    {
      appID: 'echo',
      command: [process.execPath, join(FIXTURES, 'apps/grpc-echo.mjs')],
      autoPort: true,
      appProtocol: 'grpc'
    },
    {appID: 'shop', command: java(folder, 'Calls'), dependsOn: ['web', 'echo']}
  ])
  const answered = {type: 'application/json', caller: 'shop'}
  t.match(told, {
    get: {...answered, verb: 'GET', query: 'id=7+8', a: 'b', body: ''},
    post: {...answered, verb: 'POST', a: 'b', body: '{"apples":3}'},
    put: {...answered, verb: 'PUT', body: '"pears"'},
    patch: {...answered, verb: 'PATCH', body: '"pears"'},
    delete: {...answered, verb: 'DELETE', body: ''},
    head: null,
    bytes: '{"body":"pears","type":"application/json","verb":"POST","query":"","caller":"shop"}',
    fails: {status: 412, payload: 'no apples: no pie'},
    missing: {code: 'ERR_DIRECT_INVOKE', status: 500, message: /couldn't find service: stok/},
    large: (3 << 20) + 2,
    unary: 'hello for shop',
    unimplemented: {code: 'UNIMPLEMENTED'},
    nobody: {code: 'UNKNOWN', message: /couldn't find service: stok/}
  })
  await run.waitForLine('== APP - shop == RESULT ended true')
})

t.test('events over gRPC: its stubs take them, its client publishes and follows topics by streams', async t => {
  const folder = await installed(t, daprForJava)
  if (folder === undefined) return
  const health = {enableAppHealthCheck: true, appHealthProbeInterval: 1}
  const {told} = await ran(t, [
    {appID: 'shop', command: java(folder, 'Events'), autoPort: true, appProtocol: 'grpc', ...health}
  ])
  const event = {type: 'com.dapr.event.sent', source: 'shop', content: 'application/json', pubsub: 'bus'}
  const many = 'application/cloudevents+json'
  t.match(told, {
    'orders-1': event,
    'orders-2': event,
    'dead-2': event,
    'orders-{n:3}': event,
    'orders-4': {type: 'my.type', source: 'elsewhere', content: 'text/plain'},
    'orders-brief': event,
    'many-a': many,
    'many-b': many,
    'many-c': many,
    'many-d': many,
    bulk: 0,
    'bulk-preview': 0,
    'no-bus': {code: 'INVALID_ARGUMENT', reason: 'DAPR_PUBSUB_NOT_FOUND'},
    streamed: {data: '5', topic: 'streamed', pubsub: 'bus'},
    flowing: '6'
  })
})

t.test('events over HTTP: a plain server takes them, the SDK’s CloudEvent reads them', async t => {
  const folder = await installed(t, daprForJava)
  if (folder === undefined) return
  const {told} = await ran(t, [{appID: 'shop', command: java(folder, 'HttpEvents'), autoPort: true}])
  t.match(told, {
    event: {
      data: {n: 1},
      type: 'com.dapr.event.sent',
      source: 'shop',
      content: 'application/json',
      topic: 'orders',
      pubsub: 'bus',
      hasTime: true,
      hasTrace: true
    }
  })
})

const completed = (output: string): object => ({status: 'COMPLETED', output})

t.test('workflows: a worker and its client, and a worker in another app', async t => {
  const folder = await installed(t, daprForJava)
  if (folder === undefined) return
  const {told} = await ran(t, [
    {appID: 'bank', command: [...java(folder, 'Workflows'), 'bank']},
    {appID: 'shop', command: java(folder, 'Workflows')}
  ])
  t.match(told, {
    chain: completed('8'),
    fanOut: completed('20100'),
    retried: completed('3'),
    parent: completed('[13,23]'),
    abroad: completed('"Ada pays, Eve pays"'),
    compensated: completed('"pen released"'),
    fails: {status: 'FAILED', failure: /no money/},
    rounds: completed('"zero"'),
    'in-time': completed('"too late"'),
    event: completed('"Ada"'),
    paused: {status: 'SUSPENDED'},
    resumed: completed('"Eve"'),
    twice: {message: /an active workflow with ID 'forever' already exists/},
    terminated: {status: 'TERMINATED', output: '"enough"'},
    purged: true,
    'raise-unknown': {message: /no such instance exists/},
    later: {status: 'PENDING'},
    'later-end': completed('4')
  })
})
