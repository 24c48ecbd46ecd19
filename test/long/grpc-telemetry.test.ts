import {join} from 'node:path'
import grpc from '@grpc/grpc-js'
import t from 'tap'
import {echoClient, ECHO} from '../integration/dapr/sidecar/grpc/rig.ts'
import {freePort} from '../rig/free-port.ts'
import {openRig} from '../rig/rig.ts'
import {zipkin} from '../e2e/zipkin.ts'

const COMMAND = [process.execPath, join(import.meta.dirname, '../fixtures/apps/grpc-echo.mjs')]
const echo = {appID: 'b', autoPort: true, appProtocol: 'grpc', command: COMMAND}
const INVOKE = '/dapr.proto.runtime.v1.Dapr/InvokeService'
const ON_INVOKE = '/dapr.proto.runtime.v1.AppCallback/OnInvoke'

const traceparent = (digit: string): string => `00-${digit.repeat(32)}-b7ad6b7169203331-01`

t.test('spans of gRPC: one of each sidecar, below that of the caller', async t => {
  const rig = await openRig(t)
  const {url, spans} = await zipkin(t)
  const tracing = {samplingRate: '1', zipkin: {endpointAddress: url}}
  await rig.write({'config.yaml': JSON.stringify({kind: 'Configuration', spec: {tracing}})})
  await rig.template([{appID: 'a', command: []}, echo], {configFilePath: './config.yaml'})
  const run = rig.pillion(['run', '-f', '.'])
  const client = echoClient(t, (await run.ports('a')).grpc)
  const spansOf = (digit: string, kind: string) =>
    spans.find(span => span.traceId === digit.repeat(32) && span.kind === kind)
  const proxied = await client.call({traceparent: traceparent('1'), 'dapr-flag': 'on'})
  t.match(proxied, {code: 0})
  const invoked = await client.invoke('b', {method: 'x'}, {traceparent: traceparent('2')})
  t.match(invoked, {code: 12})
  await client.dapr('GetMetadata', new Uint8Array(0), {traceparent: traceparent('3')})
  await client.call({traceparent: traceparent('4').replace(/1$/, '0')})
  await client.call({traceparent: traceparent('5'), 'dapr-app-id': 'nobody'})
  t.match(await run.end('SIGINT'), {code: 0})
  t.match(spansOf('1', 'CLIENT'), {
    parentId: 'b7ad6b7169203331',
    name: /^\/test\.echo\/unary$/i,
    localEndpoint: {serviceName: 'a'},
    tags: {'dapr-flag': 'on', 'dapr-app-id': 'b'}
  })
  const theirs = spansOf('1', 'SERVER')
  t.match(theirs, {parentId: spansOf('1', 'CLIENT')?.id, localEndpoint: {serviceName: 'b'}})
  t.equal(
    proxied.head.get('x-traceparent')[0],
    `00-${'1'.repeat(32)}-${theirs?.id ?? ''}-01`,
    'the app is below the span of its sidecar'
  )
  t.match(spansOf('2', 'CLIENT'), {
    name: /^calllocal\/b\/x$/i,
    tags: {'rpc.service': 'ServiceInvocation', 'net.peer.name': 'b', 'dapr.protocol': 'grpc', 'dapr.api': INVOKE}
  })
  t.match(spansOf('2', 'CLIENT')?.tags['error'], /\S/, 'a failure is told')
  t.match(spansOf('2', 'SERVER'), {tags: {'dapr.invoke_method': 'x'}})
  const own = spansOf('2', 'CLIENT')?.id ?? ''
  t.match(invoked.head.get('traceparent').concat(invoked.trailers.get('traceparent')), [
    `00-${'2'.repeat(32)}-${own}-01`
  ])
  t.match(spansOf('3', 'CLIENT'), {name: /getmetadata$/i, tags: {'dapr.protocol': 'grpc'}})
  t.equal(spansOf('4', 'CLIENT'), undefined, 'what the caller does not sample is not sent')
  t.match(spansOf('5', 'CLIENT')?.tags['error'], /couldn't find service: nobody/)
})

const read = async (port: number): Promise<string[]> =>
  (await (await fetch(`http://127.0.0.1:${port}/`)).text()).split('\n')

const server = (method: string, status: string, count: number): string =>
  `dapr_grpc_io_server_completed_rpcs{app_id="a",grpc_server_method="${method}",grpc_server_status="${status}"} ${count}`

t.test('each sidecar counts its gRPC calls under Dapr’s names', async t => {
  const rig = await openRig(t)
  const [ofA, ofB] = [await freePort(), await freePort()]
  await rig.template([
    {appID: 'a', command: [], metricsPort: ofA},
    {...echo, metricsPort: ofB}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const client = echoClient(t, (await run.ports('a')).grpc)
  for (let n = 0; n < 3; n++) t.match(await client.call(), {code: 0})
  await client.call({}, {path: '/test.Echo/Nope'})
  await client.invoke('b', {method: 'x', value: Buffer.from('hello')})
  await client.dapr('GetMetadata', new Uint8Array(0))
  const metadata = new grpc.Metadata()
  metadata.set('dapr-app-id', 'b')
  metadata.set('dapr-stream', 'true')
  const stream = client.makeBidiStreamRequest(ECHO.both.path, ECHO.both.requestSerialize, bytes => bytes, metadata)
  stream.end(Buffer.from('x'))
  for await (const message of stream) t.equal(String(message), 'x')
  const {http} = await run.ports('a')
  const overHttp = await fetch(`http://127.0.0.1:${http}/v1.0/invoke/b/method/x`)
  t.equal(overHttp.status, 501)
  const [caller, callee] = [await read(ofA), await read(ofB)]
  const expected: readonly (readonly [readonly string[], string])[] = [
    [caller, server('/test.Echo/Unary', 'OK', 3)],
    [caller, server('/test.Echo/Nope', 'Unimplemented', 1)],
    [caller, server('/test.Echo/Both', 'OK', 1)],
    [caller, server(INVOKE, 'Unimplemented', 1)],
    [caller, server('/dapr.proto.runtime.v1.Dapr/GetMetadata', 'OK', 1)],
    [
      caller,
      'dapr_grpc_io_server_server_latency_count{app_id="a",grpc_server_method="/test.Echo/Unary",grpc_server_status="OK"} 3'
    ],
    [
      caller,
      'dapr_grpc_io_server_received_bytes_per_rpc_count{app_id="a",grpc_server_method="/dapr.proto.runtime.v1.Dapr/GetMetadata"} 1'
    ],
    [caller, 'dapr_runtime_service_invocation_req_sent_total{app_id="a",dst_app_id="b",type="unary"} 6'],
    [caller, 'dapr_runtime_service_invocation_req_sent_total{app_id="a",dst_app_id="b",type="streaming"} 1'],
    [caller, 'dapr_runtime_service_invocation_res_recv_total{app_id="a",src_app_id="b",status="12",type="unary"} 2'],
    [callee, 'dapr_runtime_service_invocation_req_recv_total{app_id="b",src_app_id="a"} 7'],
    [
      callee,
      'dapr_grpc_io_client_completed_rpcs{app_id="b",grpc_client_method="/test.Echo/Unary",grpc_client_status="OK"} 3'
    ],
    [
      callee,
      `dapr_grpc_io_client_completed_rpcs{app_id="b",grpc_client_method="${ON_INVOKE}",grpc_client_status="Unimplemented"} 2`
    ],
    [callee, `dapr_grpc_io_client_sent_bytes_per_rpc_count{app_id="b",grpc_client_method="${ON_INVOKE}"} 2`]
  ]
  for (const [lines, line] of expected) t.ok(lines.includes(line), line)
  t.notOk(callee.some(line => line.startsWith('dapr_grpc_io_server_') || line.startsWith('dapr_http_client_')))
})

t.test('policies of a Resiliency resource count for gRPC, and their events are logged and counted', async t => {
  const rig = await openRig(t)
  await rig.write({
    'resources/resiliency.yaml':
      'kind: Resiliency\nmetadata: {name: main}\nspec: {policies: {retries: {r: {policy: constant, duration: 1ms, maxRetries: 2}}}, targets: {apps: {b: {retry: r}}}}\n'
  })
  const metricsPort = await freePort()
  await rig.template([{appID: 'a', command: [], metricsPort}, echo], {resourcesPath: './resources'})
  const run = rig.pillion(['run', '-f', '.'])
  const client = echoClient(t, (await run.ports('a')).grpc)
  t.match(await client.call({}, {path: '/test.Echo/Nope'}), {code: 12})
  t.match(await client.call(), {code: 0})
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/`)).text()
  t.match(text, /dapr_resiliency_activations_total\{.*policy="retry".*target="app_b".*\} 1/)
  t.match(text, /grpc_server_method="\/test\.Echo\/Nope",grpc_server_status="Unimplemented"\} 1/)
})

t.test('APIs that are denied over gRPC are UNIMPLEMENTED; the proxy is not restricted, nor is another run', async t => {
  const rig = await openRig(t)
  await rig.write({
    'config.yaml':
      'kind: Configuration\nspec: {api: {denied: [{name: invoke, version: v1, protocol: grpc}, {name: metadata, version: v1, protocol: grpc}]}}\n'
  })
  await rig.template([{appID: 'a', command: [], configFilePath: '../config.yaml'}, echo])
  const run = rig.pillion(['run', '-f', '.'])
  const {grpc: port, http} = await run.ports('a')
  const client = echoClient(t, port)
  const denied = {code: 12, message: 'Not Implemented'}
  const {trailers, ...invoked} = await client.invoke('b', {method: 'x'})
  t.match(invoked, denied)
  t.match(String(trailers.get('grpc-status-details-bin')[0]), 'requested endpoint is not available')
  t.match(await client.dapr('GetMetadata', new Uint8Array(0)), denied)
  t.match(await client.call(), {code: 0})
  t.equal((await fetch(`http://127.0.0.1:${http}/v1.0/metadata`)).status, 200, 'HTTP is not meant')
  t.notMatch(run.stderr.text, /spec\.api/)
})

t.test('each attempt of a gRPC call counts at both sidecars', async t => {
  const rig = await openRig(t)
  const [ofA, ofB] = [await freePort(), await freePort()]
  const spec = {
    policies: {retries: {again: {policy: 'constant', duration: '1ms', maxRetries: 2}}},
    targets: {apps: {b: {retry: 'again'}}}
  }
  await rig.write({'resources/r.yaml': JSON.stringify({kind: 'Resiliency', metadata: {name: 'r'}, spec})})
  await rig.template(
    [
      {appID: 'a', command: [], metricsPort: ofA},
      {...echo, metricsPort: ofB}
    ],
    {resourcesPath: './resources'}
  )
  const client = echoClient(t, (await rig.pillion(['run', '-f', '.']).ports('a')).grpc)
  t.match(await client.call({}, {path: '/test.Echo/Nope'}), {code: 12})
  const name = 'dapr_runtime_service_invocation_'
  const [caller, callee] = [await read(ofA), await read(ofB)]
  const expected: readonly (readonly [readonly string[], string])[] = [
    [caller, server('/test.Echo/Nope', 'Unimplemented', 1)],
    [caller, `${name}req_sent_total{app_id="a",dst_app_id="b",type="unary"} 3`],
    [caller, `${name}res_recv_total{app_id="a",src_app_id="b",status="12",type="unary"} 3`],
    [callee, `${name}req_recv_total{app_id="b",src_app_id="a"} 3`],
    [
      callee,
      'dapr_grpc_io_client_completed_rpcs{app_id="b",grpc_client_method="/test.Echo/Nope",grpc_client_status="Unimplemented"} 3'
    ]
  ]
  for (const [lines, line] of expected) t.ok(lines.includes(line), line)
})
