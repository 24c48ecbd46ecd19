import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {resultsOf} from '../rig/results.ts'
import {openRig} from '../rig/rig.ts'
import {daprForGo, daprForJavascript, daprForPython, installed} from './installed.ts'

// The first test of a machine installs the SDKs and compiles the one for Go.
t.setTimeout(800_000)

const FIXTURES = join(import.meta.dirname, '../fixtures')
const fixture = (name: string): string => join(FIXTURES, 'sdks', name)

type App = Readonly<{appID: string} & Record<string, unknown>>

const app = (appID: string, command: readonly string[], more: object = {}): App => ({appID, command, ...more})
const callee = {autoPort: true, appProtocol: 'grpc'}
const WEB = app('web', [process.execPath, fixture('web.mjs')], {autoPort: true})
const ECHO = app('echo', [process.execPath, join(FIXTURES, 'apps/grpc-echo.mjs')], callee)
/** Patient: a busy machine is no illness. */
const HEALTH = {
  enableAppHealthCheck: true,
  appHealthProbeInterval: 1,
  appHealthProbeTimeout: 1000,
  appHealthThreshold: 30
}

const runOf = async (t: Test, apps: readonly App[], env: Readonly<Record<string, string>> = {}): Promise<Program> => {
  const rig = await openRig(t)
  await rig.template(apps)
  return rig.pillion(['run', '-f', '.'], {env})
}

const TOKENS = {DAPR_API_TOKEN: 'of the sidecars', APP_API_TOKEN: 'of the apps'}

/** A POST over HTTP, through the sidecar of `web`. */
const post = async (run: Program, method: string): Promise<{readonly status: number; readonly body: unknown}> => {
  const {http} = await run.ports('web')
  const url = `http://127.0.0.1:${http}/v1.0/invoke/stock/method/${method}`
  const headers = {'content-type': 'text/plain', 'x-a': 'b', 'dapr-api-token': TOKENS.DAPR_API_TOKEN}
  const response = await fetch(url, {method: 'POST', body: 'pears', headers})
  return {status: response.status, body: await response.json()}
}

const NOBODY = /failed to invoke, id: stok, err: couldn't find service: stok/

t.test('Dapr’s SDK for Go: InvokeMethod, its server, stubs of grpc-go on its connection', async t => {
  const folder = await installed(t, daprForGo)
  if (folder === undefined) return
  const go = join(folder, 'sdks')
  const run = await runOf(t, [
    app('stock', [go, 'app'], {...callee, ...HEALTH}),
    WEB,
    app('shop', [go, 'client'], {env: {CALLEES: 'stock web'}, dependsOn: ['stock', 'web']})
  ])
  const told = await resultsOf(run)
  const json = (what: string): unknown => JSON.parse(told[what] as string)
  t.match(json('get:stock'), {body: '', verb: 'GET', query: 'id=7', caller: ['shop'], a: ['b']})
  t.match(json('get:web'), {body: '', verb: 'GET', query: 'id=7', caller: 'shop', a: 'b'})
  t.match(json('post:stock'), {body: 'pears', verb: 'POST', type: 'text/plain', caller: ['shop']})
  t.match(json('post:web'), {body: 'pears', verb: 'POST', type: 'text/plain', caller: 'shop'})
  t.match(json('custom:stock'), {body: '{"apples":3}', verb: 'PUT', type: 'application/json'})
  t.match(json('custom:web'), {body: '{"apples":3}', verb: 'PUT', type: 'application/json'})
  t.match(
    told,
    {
      'fails:stock': {code: 9, message: 'no apples: no pie'},
      'fails:web': {code: 2, message: 'Precondition Failed', details: 1},
      'large:stock': '',
      'large:web': '',
      missing: {code: 13, message: NOBODY},
      metadata: {id: 'shop', extended: {color: 'blue'}},
      state: {code: 3, message: /state store mystore is not found/, details: 1},
      publish: {code: 3, message: /pubsub mypubsub is not found/, details: 1},
      bind: {code: 13, message: /couldn't find output binding bin/},
      unary: 5,
      message: 3,
      end: true,
      status: {code: 10, message: 'ä pear'}
    },
    'as its users expect'
  )
  t.match(await post(run, 'orders'), {status: 200, body: {body: 'pears', verb: 'POST', type: 'text/plain', a: ['b']}})
  t.match(await post(run, 'fails'), {status: 400, body: {code: 9, message: 'no apples: no pie'}})
  await run.waitForLine('== APP - stock == asked for health')
})

t.test('Dapr’s SDK for Go: both tokens', async t => {
  const folder = await installed(t, daprForGo)
  if (folder === undefined) return
  const go = join(folder, 'sdks')
  const run = await runOf(
    t,
    [app('stock', [go, 'app'], callee), app('shop', [go, 'token'], {dependsOn: ['stock']})],
    TOKENS
  )
  t.match(await resultsOf(run), {get: /"caller":\["shop"\]/})
})

t.test('the interoperability tests of grpc-go, through the proxy', async t => {
  const folder = await installed(t, daprForGo)
  if (folder === undefined) return
  const go = join(folder, 'sdks')
  const run = await runOf(t, [app('stock', [go, 'app'], callee), app('shop', [go, 'interop'], {dependsOn: ['stock']})])
  const told = await resultsOf(run)
  t.equal(Object.keys(told).length, 14)
})

for (const protocol of ['grpc', 'http'] as const)
  t.test(`Dapr’s SDK for Python, invoking over ${protocol}; its App; stubs of grpcio through the proxy`, async t => {
    const folder = await installed(t, daprForPython)
    if (folder === undefined) return
    const env = {PYTHONPATH: folder}
    const run = await runOf(t, [
      app('stock', ['python3', fixture('app.py')], {...callee, ...HEALTH, env}),
      WEB,
      app('shop', ['python3', fixture('client.py')], {
        env: {...env, CALLEES: 'stock web', DAPR_API_METHOD_INVOCATION_PROTOCOL: protocol},
        dependsOn: ['stock', 'web']
      })
    ])
    const isGrpc = protocol === 'grpc'
    const answered = 'application/json'
    t.match(await resultsOf(run), {
      'get:stock': {body: '', caller: 'shop', a: 'b', answered},
      'get:web': {body: '', verb: 'GET', query: 'id=7', caller: 'shop', a: 'b', answered},
      'post:stock': {body: '{"apples": 3}', type: 'application/json', caller: 'shop'},
      'post:web': {body: '{"apples": 3}', verb: 'POST', type: 'application/json', caller: 'shop'},
      'bare:stock': {body: 'pears', caller: 'shop'},
      'bare:web': isGrpc ? {code: 'INTERNAL', message: /missing HTTP extension field/} : {body: 'pears', verb: 'GET'},
      'nowhere:stock': isGrpc
        ? {code: 'UNIMPLEMENTED', message: /nowhere method not implemented/}
        : {message: /HTTP status code: 501/},
      missing: {message: NOBODY},
      metadata: {id: 'shop', extended: {color: 'blue'}},
      state: {code: 'INVALID_ARGUMENT', message: /state store mystore is not found/},
      publish: {code: 'INVALID_ARGUMENT', message: /^pubsub mypubsub is not found/},
      async: {body: 'pears', caller: 'shop'},
      say: 'hello Ada',
      abort: {code: 'ABORTED', message: 'ä pear'},
      chat: ['ONE', 'TWO'],
      ...(isGrpc ? {shout: 'PEARS'} : {})
    })
    t.match(await post(run, 'orders'), {status: 200, body: {body: 'pears', type: 'text/plain', caller: 'web', a: 'b'}})
    await run.waitForLine('== APP - stock == asked for health')
  })

// 3.6 is the last one on grpc-js; its server has no health check. The later ones are on Connect, and have no proxy.
for (const [version, canProxy] of [
  ['3.6.1', true],
  ['3.18.0', false]
] as const)
  t.test(`Dapr’s SDK for JavaScript ${version} over gRPC: client and server`, async t => {
    const folder = await installed(t, daprForJavascript(version))
    if (folder === undefined) return
    const env = {SDK_FOLDER: folder}
    const run = await runOf(
      t,
      [
        app('stock', [process.execPath, fixture('server.mjs')], {...callee, ...(canProxy ? {} : HEALTH), env}),
        WEB,
        ECHO,
        app('shop', [process.execPath, fixture('client.mjs')], {
          env: {...env, CALLEES: 'stock web', ...(canProxy ? {CAN_PROXY: '1'} : {})},
          dependsOn: ['stock', 'web', 'echo']
        })
      ],
      TOKENS
    )
    t.match(await resultsOf(run), {
      'get:stock': {body: '{}', type: 'application/json'},
      'get:web': {body: '{}', verb: 'GET', caller: 'shop'},
      'post:stock': {body: '{"apples":3}', type: 'application/json'},
      'post:web': {body: '{"apples":3}', verb: 'POST', type: 'application/json', caller: 'shop'},
      'large:stock': 3 << 20,
      'large:web': 3 << 20,
      'many:stock': 200,
      'many:web': 200,
      fails: {code: 2, error: 'Precondition Failed'},
      missing: {code: 13, error: NOBODY},
      health: true,
      set: true,
      metadata: {id: 'shop', extended: {color: 'blue'}},
      state: {code: 3, error: /state store mystore is not found/},
      ...(canProxy ? {unary: 'hello for shop', both: ['one', 'two']} : {})
    })
    t.match(await post(run, 'orders'), {status: 200, body: {body: 'pears', type: 'text/plain'}})
  })
