import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {
  GetActorStateRequest,
  GetActorStateResponse,
  InvokeActorRequest,
  InvokeActorResponse
} from '../../src/model/dapr/messages/actors.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openBoth} from './actors-both.ts'
import {openActors, post, until, worksOf} from './actors-house.ts'
import {zipkin} from './zipkin.ts'

t.test('metrics of actors: calls that wait, timers and reminders there are, by type and host', async t => {
  const {rig, call, journal} = await openActors(t)
  const {body: port} = await call('host', '/Counter/0/method/env', post('DAPR_METRICS_PORT'))
  const levels = async (): Promise<readonly string[]> =>
    (await (await fetch(`http://127.0.0.1:${port}/`)).text())
      .split('\n')
      .filter(line => /^dapr_runtime_actor_(?:pending_actor_calls|timers|reminders)\{/.test(line))
      .map(line => line.replace(/^dapr_runtime_actor_(\w+)\{.*\}/, '$1'))
  t.strictSame(await levels(), ['pending_actor_calls 0', 'reminders 0', 'timers 0'])
  const held = call('shop', '/Counter/1/method/hold', post(join(rig.home, 'release')))
  await until(() => worksOf(journal(), 'Counter/1').includes('hold'))
  const waiting = [1, 2].map(async by => call('shop', '/Counter/1/method/add', post(by)))
  t.match(await call('host', '/Counter/2/timers/beat', post({dueTime: '1h'})), {status: 204})
  for (const name of ['a', 'b', 'c'])
    t.match(await call('host', `/Counter/2/reminders/${name}`, post({dueTime: '1h'})), {status: 204})
  const expected = ['pending_actor_calls 2', 'reminders 3', 'timers 1']
  let seen = await levels()
  while (seen.join() !== expected.join()) {
    await pause(20)
    seen = await levels()
  }
  writeFileSync(join(rig.home, 'release'), '')
  await Promise.all([held, ...waiting])
  t.match(await call('host', '/Counter/2/timers/beat', {method: 'DELETE'}), {status: 204})
  t.match(await call('host', '/Counter/2/reminders/a', {method: 'DELETE'}), {status: 204})
  t.strictSame(await levels(), ['pending_actor_calls 0', 'reminders 2', 'timers 0'])
})

t.test('faults of a type of actors hit its calls, timers and reminders, and no others', async t => {
  const {rig, run, call, journal} = await openActors(t, {CONFIG: '{"entities":["Counter","Cart"]}'})
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200})
  t.match(await rig.run(['fault', '--actor', 'Counter', '--status', '503', '--body', 'no apples', '--times', '1']), {
    code: 0,
    stdout: /fault 1 is on: any → any actor Counter: 503 \(once\)/
  })
  t.match(await call('shop', '/Cart/1/method/slow', post('1')), {status: 200}, 'another type')
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {
    status: 500,
    body: /error invoke actor method: error from actor service: \(503\) no apples/
  })
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200, body: '2'})
  t.match(await rig.run(['fault', 'host', 'any', '--actor', 'Counter', '--abort', '--times', '1']), {code: 0})
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200}, 'another caller')
  t.match(await call('host', '/Counter/1/method/add', post('1')), {status: 500, body: /reset by a fault/})
  t.match(
    await rig.run(['fault', '--actor', 'Counter', '--path', '*/remind/wake', '--status', '500', '--times', '1']),
    {code: 0}
  )
  t.match(await call('host', '/Counter/1/reminders/wake', post({dueTime: '1ms'})), {status: 204})
  await until(() => worksOf(journal(), 'Counter/1').includes('remind/wake'))
  const {stdout} = await rig.run(['calls', 'is:fault', 'actor:Counter/1', '-o', 'ndjson'])
  const hit = stdout.trimEnd().split('\n')
  t.match(
    hit.map(line => (JSON.parse(line) as {readonly actor: {readonly method: string}}).actor.method).toSorted(),
    ['add', 'add', 'remind/wake'],
    'the reminder came with its second try'
  )
  t.match(await rig.run(['fault', '--actor', ' ', '--abort']), {code: 1, stderr: /expected a type of actors/})
  await rig.write({
    'dapr.yaml': `version: 1\nfaults:\n  - {actor: 7, delay: soon}\napps: [{appID: shop, appDirPath: .}]\n`
  })
  t.match(await rig.run(['validate', '-f', '.']), {stdout: /wrong delay: "soon"/})
  t.match(await run.end('SIGINT'), {code: 0})
})

t.test('spans of requests about actors name the type, over HTTP and gRPC', async t => {
  const {url, spans} = await zipkin(t)
  const tracing = {samplingRate: '1', zipkin: {endpointAddress: url}}
  const config = JSON.stringify({kind: 'Configuration', spec: {tracing}})
  const {run, call} = await openActors(t, {}, {configFilePath: 'config.yaml'}, {'host/config.yaml': config})
  const client = new DaprClient(t, (await run.ports('host')).grpc)
  const actor = {actorType: 'Counter', actorId: '1'}
  t.match(await call('host', '/Counter/1/method/add', post('1')), {status: 200})
  t.match(await call('host', '/Counter/1/state/value'), {status: 200})
  t.match(
    await client.call(
      'InvokeActor',
      [InvokeActorRequest, {...actor, method: 'slow', data: Buffer.from('1')}],
      InvokeActorResponse
    ),
    {code: 0}
  )
  t.match(await client.call('GetActorState', [GetActorStateRequest, {...actor, key: 'value'}], GetActorStateResponse), {
    code: 0
  })
  t.match(await run.end('SIGINT'), {code: 0})
  const spanOf = (name: string, protocol: string) =>
    spans.find(span => span.name.toLowerCase() === name && span.tags['dapr.protocol'] === protocol)
  const whole = {'dapr.actor': 'Counter.1'}
  const called = {...whole, 'rpc.service': 'ServiceInvocation', 'net.peer.name': 'Counter.1'}
  t.match(spanOf('callactor/counter/add', 'http'), {tags: called})
  t.match(spanOf('getactorstate/counter', 'http'), {
    tags: {...whole, 'db.system': 'state', 'db.name': 'actor', 'db.statement': 'GET /v1.0/actors/Counter/1/state/value'}
  })
  t.match(spanOf('callactor/counter/slow', 'grpc'), {
    tags: {...called, 'dapr.api': '/dapr.proto.runtime.v1.Dapr/InvokeActor'}
  })
  t.match(spanOf('getactorstate/counter', 'grpc'), {tags: whole})
})

t.test('the trace of a caller reaches the app through another sidecar, over HTTP and gRPC', async t => {
  const {call, grpcAt} = await openBoth(t)
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const sent = {traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: 'mine=1'}
  const expected = {headers: {traceparent: new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`), tracestate: 'mine=1'}}
  for (const app of ['host', 'shop']) {
    const {body} = await call(app, '/Counter/1/method/head', {method: 'POST', headers: sent})
    t.match(JSON.parse(body), expected, `HTTP, ${app}`)
    const {answer} = await (await grpcAt(app))('InvokeActor', {method: 'head'}, sent)
    t.match(JSON.parse(String((answer as {readonly data: Uint8Array}).data)), expected, `gRPC, ${app}`)
  }
})

t.test('metrics of HTTP tell the type of actors, and so does the log of the API where it hides paths', async t => {
  const api = {logging: {apiLogging: {enabled: true, obfuscateURLs: true}}}
  for (const hasFullPaths of [true, false]) {
    const spec = {...api, metrics: {http: {increasedCardinality: hasFullPaths}}}
    const configFile = JSON.stringify({kind: 'Configuration', spec})
    const {rig, run, call} = await openActors(t, {}, {configFilePath: 'config.yaml'}, {'host/config.yaml': configFile})
    const {body: port} = await call('host', '/Counter/1/method/env', post('DAPR_METRICS_PORT'))
    t.match(await call('host', '/Counter/2/method/env', post('DAPR_METRICS_PORT')), {status: 200})
    const path = hasFullPaths ? '/v1.0/actors/Counter/{id}/method' : ''
    const line = `dapr_http_server_request_count{app_id="host",method="POST",path="${path}",status="200"} 2`
    let text = ''
    while (!text.includes(line)) text = await (await fetch(`http://127.0.0.1:${port}/`)).text()
    await rig.logged('host', hasFullPaths ? /method=InvokeActor\/Counter\.2/ : /method=InvokeActor\/Counter /)
    t.match(await run.end('SIGINT'), {code: 0})
  }
})
