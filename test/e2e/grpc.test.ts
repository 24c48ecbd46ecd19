import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {echoClient} from '../integration/dapr/sidecar/grpc/rig.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const ECHO = [process.execPath, join(import.meta.dirname, '../fixtures/apps/grpc-echo.mjs')]
const echo = {appID: 'b', autoPort: true, appProtocol: 'grpc', command: ECHO}

const DIES_ONCE = [process.execPath, join(import.meta.dirname, '../fixtures/apps/grpc-dies-once.mjs')]

const portOf = async (rig: Rig, id: string, file = '.'): Promise<number> => {
  const run = rig.pillion(['run', '-f', file])
  return (await run.ports(id)).grpc
}

t.test('a call of gRPC waits for an app that starts, and is in the log of the sidecar', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: [], enableApiLogging: true}, echo])
  const run = rig.pillion(['run', '-f', '.'])
  const {grpc} = await run.ports('a')
  const client = echoClient(t, grpc)
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  t.match(await client.call({'dapr-app-id': 'c'}), {
    code: 2,
    message: 'couldn\'t find service: c (no app "c" runs here; did you mean "a"?; running: a, b)'
  })
  await run.end()
  const folder = join(rig.folder, 'a/.dapr/logs')
  const [file = ''] = (await readdir(folder)).filter(name => name.includes('daprd'))
  const log = await readFile(join(folder, file), 'utf8')
  t.match(
    log,
    /msg="gRPC API Called" app_id=a code=0 duration=\d+ .* method=\/test\.Echo\/Unary .* useragent=\S*grpc-node-js/
  )
  t.match(log, /msg="gRPC API Called" app_id=a code=2 /)
})

t.test('an app of another run is reached the same way, streams included', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: []}])
  await rig.write({'other/dapr.yaml': JSON.stringify({version: 1, apps: [{...echo, appDirPath: '.'}]})})
  const [port] = await Promise.all([portOf(rig, 'a'), portOf(rig, 'b', 'other')])
  const client = echoClient(t, port)
  t.match(await client.call({'dapr-caller-app-id': 'spoofed', 'pillion-caller': 'x/default/spoofed'}), {
    code: 0,
    answer: 'hello for a'
  })
  const stream = client.both()
  stream.end(Buffer.from('over there'))
  for await (const message of stream) t.equal(String(message), 'over there')
})

t.test('an app that is killed during a call: its caller learns it at once', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: []}, echo])
  const client = echoClient(t, await portOf(rig, 'a'))
  const {head} = await client.call()
  const stream = client.both().on('error', () => undefined)
  stream.write(Buffer.from('x'))
  await once(stream, 'data')
  const ended = new Promise(resolve => stream.on('status', resolve))
  process.kill(Number(head.get('x-pid')[0]), 'SIGKILL')
  t.match(await ended, {code: 14, details: /^error reading from server: .* \(.*SIGKILL/})
  let down = await client.call()
  while (!down.message.includes('SIGKILL')) down = await client.call() // its connections end before its end is known
  t.match(down, {
    code: 14,
    message:
      /^connection error: desc = "transport: Error while dialing: dial tcp 127\.0\.0\.1:\d+: connect: connection refused" \(/
  })
})

t.test('an app that dies as it is connected to: callers wait for the next process, or learn how it ended', async t => {
  for (const restart of ['always', 'no']) {
    const rig = await openRig(t)
    await rig.template([
      {appID: 'a', command: []},
      {...echo, command: DIES_ONCE, restart}
    ])
    const run = rig.pillion(['run', '-f', '.'])
    const {grpc, http} = await run.ports('a')
    const client = echoClient(t, grpc)
    const [proxied, invoked, response] = await Promise.all([
      client.call(),
      client.invoke('b', {method: 'x'}),
      fetch(`http://127.0.0.1:${http}/v1.0/invoke/b/method/x`)
    ])
    if (restart === 'always') {
      t.match(proxied, {code: 0, answer: 'hello for a'})
      t.match(invoked, {code: 12})
      t.equal(response.status, 501)
    } else {
      t.match(proxied, {code: 14, message: /^connection error: .*SIGKILL/})
      t.match(invoked, {code: 14, message: /^connection error: .*SIGKILL/})
      t.equal(response.status, 503)
      t.match(await response.text(), /SIGKILL/)
    }
  }
})

t.test('a sidecar with unixDomainSocket takes calls of gRPC there, too', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: [], unixDomainSocket: rig.home}, echo])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('b')
  const path = join(rig.home, 'dapr-a-grpc.socket')
  const client = echoClient(t, path)
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  t.match(await client.dapr('GetMetadata', new Uint8Array(0)), {code: 0})
  t.match(await run.end(), {code: 0})
  t.notOk(existsSync(path))
})

t.test('Shutdown ends the app and its sidecar; with dapr-force-shutdown at once, as a failure', async t => {
  for (const [metadata, code] of [
    [{}, 0],
    [{'dapr-force-shutdown': 'true'}, 1]
  ] as const) {
    const rig = await openRig(t)
    const run = rig.pillion(['run', '-a', 'b', '--', 'sleep', '1000'])
    const client = echoClient(t, (await run.ports('b')).grpc)
    t.match(await client.dapr('Shutdown', new Uint8Array(0), metadata), {code: 0, answer: ''})
    t.match(await run.exited, {code})
  }
})

t.test('access control counts for calls of gRPC, too', async t => {
  const rig = await openRig(t)
  const configuration = {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Configuration',
    metadata: {name: 'b'},
    spec: {
      accessControl: {
        defaultAction: 'deny',
        policies: [
          {
            appId: 'a',
            trustDomain: 'public',
            namespace: 'default',
            defaultAction: 'deny',
            operations: [{name: '/test.Echo/Unary', httpVerb: ['*'], action: 'allow'}]
          }
        ]
      }
    }
  }
  await rig.write({'b.yaml': JSON.stringify(configuration)})
  await rig.template([
    {appID: 'a', command: []},
    {...echo, configFilePath: '../b.yaml'}
  ])
  const client = echoClient(t, await portOf(rig, 'a'))
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  t.match(await client.call({}, {path: '/test.Echo/Other'}), {
    code: 7,
    message: /^access control policy has denied access to id: .* operation: \/?test\.Echo\/Other verb: NONE/
  })
  t.match(await client.invoke('b', {method: 'x'}), {
    code: 13,
    message: /^failed to invoke, id: b, err: rpc error: code = PermissionDenied desc = access control policy/
  })
})

t.test('InvokeService reaches an app of another run through its sidecar', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: []}])
  await rig.write({
    'other/dapr.yaml': JSON.stringify({
      version: 1,
      apps: [{appID: 'c', appDirPath: '.', autoPort: true, command: rig.drivenCommand}]
    })
  })
  const [port] = await Promise.all([portOf(rig, 'a'), portOf(rig, 'c', 'other')])
  const app = await rig.driven('c')
  await app.listen()
  const called = echoClient(t, port).invoke('c', {method: 'items', verb: 3, value: Buffer.from('pear')})
  const request = await app.nextRequest()
  t.match(request, {method: 'POST', url: '/items', body: 'pear', headers: {'dapr-caller-app-id': 'a'}})
  await request.reply({status: 201, body: 'reserved'})
  const {code, response} = await called
  t.equal(code, 0)
  t.equal(Buffer.from(response.value).toString(), 'reserved')
})

t.test('an app of gRPC whose health is bad gets what is proxied, and nothing else', async t => {
  const rig = await openRig(t)
  const health = {enableAppHealthCheck: true, appHealthProbeInterval: 1, appHealthThreshold: 1}
  await rig.template([
    {appID: 'a', command: []},
    {...echo, ...health}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http, grpc} = await run.ports('a')
  const client = echoClient(t, grpc)
  const invoked = await client.invoke('b', {method: 'x'})
  t.match(invoked, {code: 13, message: /^failed to invoke, id: b, err: .*app is not in a healthy state/})
  const {http: own} = await run.ports('b')
  const metadata = (await (await fetch(`http://127.0.0.1:${own}/v1.0/metadata`)).json()) as object
  t.match(metadata, {appConnectionProperties: {health: {healthProbeInterval: '1s', healthCheckPath: undefined}}})
  t.match(await client.call(), {code: 0, answer: 'hello for a'})
  const response = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/b/method/x`)
  t.equal(response.status, 500)
  t.match(await response.text(), /app is not in a healthy state/)
  await run.waitForLine('"b" is not healthy: its health check AppCallbackHealthCheck/HealthCheck fails', {
    stream: 'stderr'
  })
})

t.test('a call over HTTP reaches an app of gRPC', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'a', command: []}, echo])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('a')
  const url = `http://127.0.0.1:${http}/v1.0/invoke/b/method/x`
  const response = await fetch(url, {method: 'POST', body: 'hello'})
  t.equal(response.status, 501)
  t.match(await response.json(), {code: 12, message: /OnInvoke/})
  await run.waitForLine('Writing log files', {nth: 2})
  t.notMatch(run.stderr.text, /not built/)
})
