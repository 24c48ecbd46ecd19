import t from 'tap'
import {GetStateRequest} from '../../src/model/dapr/messages/state.generated.ts'
import {DaprClient} from '../rig/dapr-client.ts'
import {openOtelShop} from '../rig/otel-shop.ts'
import {component} from '../rig/resource-files.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {agent} from './mcp-agent.ts'

/** Sends spans to where it is told, as protobuf's JSON. */
const SEND = `
const text = (key, stringValue) => ({key, value: {stringValue}})
const nano = ms => Math.round(ms * 1000) + '000'
const {OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: name} = process.env
const send = async (...spans) => {
  const now = Date.now()
  const timed = spans.map(span => ({startTimeUnixNano: nano(now), endTimeUnixNano: nano(now + 1), ...span}))
  const body = JSON.stringify({resourceSpans: [{resource: {attributes: [text('service.name', name)]}, scopeSpans: [{spans: timed}]}]})
  return (await fetch(endpoint + '/v1/traces', {method: 'POST', headers: {'content-type': 'application/json'}, body})).status
}
`

/** As an SDK does: sends at SIGTERM what it has not sent yet. */
const LAST = `${SEND}
setInterval(() => undefined, 1000)
process.on('SIGTERM', async () => {
  const spanId = process.pid.toString(16).padStart(16, '0')
  console.log('last batch ' + await send({traceId: 'ab'.repeat(16), spanId, name: 'span of ' + process.pid, kind: 1}))
  process.exit()
})
console.log('up')
`

t.test('the last batch, sent at SIGTERM, is taken: by a restart, and when the run ends', async t => {
  const rig = await openRig(t)
  await rig.write({'app.cjs': LAST})
  await rig.template([{appID: 'shop', appDirPath: '.', command: ['node', 'app.cjs']}])
  const run = rig.pillion(['up'])
  await run.waitForLine('up')
  await rig.run(['restart', 'shop'])
  await run.waitForLine('last batch 200')
  await run.waitForLine('up', {nth: 2})
  t.match((await rig.run(['trace', 'abab'.repeat(8)])).stdout, /shop +span of \d+/)
  await rig.run(['stop', '-f', '.'])
  await run.waitForLine('last batch 200', {nth: 2})
  t.equal((await run.exited).code, 0)
})

/** What an app of the run is told. */
const toldTo = async (rig: Rig, app: string): Promise<string> => (await rig.run(['env', app])).stdout

t.test('a use of a component over gRPC is joined with the span of its caller', async t => {
  const rig = await openRig(t)
  await rig.write({'components/store.yaml': component('store', 'state.in-memory', {})})
  const waits = {appDirPath: '.', command: ['sh', '-c', 'echo up; exec sleep 1000'], resourcesPath: 'components'}
  await rig.template([{appID: 'shop', ...waits}])
  const run = rig.pillion(['up'])
  await run.waitForLine('up')
  const client = new DaprClient(t, (await run.ports('shop')).grpc)
  const [traceId, root, spanId] = ['cd'.repeat(16), 'a'.repeat(16), 'b'.repeat(16)]
  const traceparent = `00-${traceId}-${spanId}-01`
  const {code} = await client.call('GetState', [GetStateRequest, {storeName: 'store', key: 'k'}], {}, {traceparent})
  t.equal(code, 0)
  const [, endpoint = ''] = /OTEL_EXPORTER_OTLP_ENDPOINT='?([^'\n]+)/.exec(await toldTo(rig, 'shop')) ?? []
  const at = `${Date.now()}000000`
  const times = {traceId, startTimeUnixNano: at, endTimeUnixNano: at}
  const rpc = '/dapr.proto.runtime.v1.Dapr/GetState'
  const spans = [
    {...times, spanId: root, name: 'every night', kind: 1},
    {...times, spanId, parentSpanId: root, name: rpc, kind: 3}
  ]
  const resource = {attributes: [{key: 'service.name', value: {stringValue: 'shop'}}]}
  const sent = await fetch(`${endpoint}/v1/traces`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({resourceSpans: [{resource, scopeSpans: [{spans}]}]})
  })
  t.equal(sent.status, 200)
  const {nodes} = JSON.parse((await rig.run(['trace', traceId, '-o', 'json'])).stdout) as {
    nodes: readonly {depth: number; kind: string; what: string; spans: readonly {name: string}[]}[]
  }
  t.strictSame(
    nodes.map(({depth, kind, what, spans: own}) => [depth, kind, what, own.map(({name}) => name)]),
    [
      [0, 'span', 'every night', ['every night']],
      [1, 'component', 'state get', [rpc]]
    ]
  )
})

t.test('what is secret in a span is masked in every format', async t => {
  const {run, url, rig} = await openOtelShop(
    t,
    {shop: ['sdk', 'bank'], bank: ['sdk']},
    {shop: {record: {mask: ['card']}}}
  )
  await fetch(await url('shop', '/orders/13'))
  await run.waitForLine('told of /shop/13')
  await run.waitForLine('told of /orders/13')
  const {call} = await agent(t, rig)
  const shown = {
    trace: (await rig.run(['trace', 'to:shop'])).stdout,
    'trace -o json': (await rig.run(['trace', 'to:shop', '-o', 'json'])).stdout,
    'calls -o har': (await rig.run(['calls', '-o', 'har'])).stdout,
    mcp: (await call('trace', {filter: 'to:shop'})).text
  }
  for (const [format, text] of Object.entries(shown)) {
    t.match(text, /SELECT \* FROM bank/, format)
    t.notMatch(text, /s3cr3t|c4rd/, format)
  }
  const {log} = JSON.parse(shown['calls -o har']) as {
    log: {entries: readonly {_pillion: {to: string; spans?: readonly {app: string; name: string}[]}}[]}
  }
  t.strictSame(
    log.entries
      .filter(({_pillion: {spans}}) => spans !== undefined)
      .map(({_pillion: {to, spans = []}}) => [to, spans.map(({app, name}) => `${app} ${name}`)]),
    [
      ['shop', ['shop GET /orders/13', 'shop handler', 'shop SELECT']],
      ['bank', ['shop GET', 'bank GET /shop/13', 'bank handler', 'bank SELECT']]
    ],
    'each span stands at the call that it was in'
  )
})

/** Prints what it is told. */
const TOLD = 'for name in $(env | grep ^OTEL_ | sort); do echo "told $name"; done; echo up; exec sleep 1000'
const ZIPKIN = 'spec: {tracing: {samplingRate: "1", zipkin: {endpointAddress: "http://127.0.0.1:9/api/v2/spans"}}}'
const ELSEWHERE = 'OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9'

t.test('an app is told nothing if anything says where to send; env shows what it is told', async t => {
  const rig = await openRig(t)
  await rig.write({
    'tracing.yaml': `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: tracing}\n${ZIPKIN}\n`,
    'elsewhere.env': `${ELSEWHERE}\n`
  })
  const app = {appDirPath: '.', command: ['sh', '-c', TOLD]}
  const apps = {
    plain: {},
    named: {env: {OTEL_SERVICE_NAME: 'mine', OTEL_RESOURCE_ATTRIBUTES: 'team=a'}},
    elsewhere: {env: {OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9'}},
    inFile: {envFile: 'elsewhere.env'},
    disabled: {env: {OTEL_SDK_DISABLED: 'true'}},
    off: {otel: false},
    exporter: {configFilePath: 'tracing.yaml'},
    exporterOn: {configFilePath: 'tracing.yaml', otel: true}
  }
  await rig.template(Object.entries(apps).map(([appID, more]) => ({appID, ...app, ...more})))
  const run = rig.pillion(['up'])
  await run.waitForLine('up', {nth: Object.keys(apps).length})
  for (const [appID, names] of Object.entries({
    plain: OURS,
    named: OURS,
    elsewhere: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    inFile: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    disabled: ['OTEL_SDK_DISABLED'],
    off: [],
    exporter: [],
    exporterOn: OURS
  })) {
    const prefix = `== APP - ${appID} == told `
    const told = run.stdout.lines.flatMap(line => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []))
    t.strictSame(
      told.map(line => line.replace(/=.*/, '')),
      names,
      appID
    )
    const shown = [...(await toldTo(rig, appID)).matchAll(/^(?:export )?(OTEL_\w+)='?([^'\n]*)/gm)]
    t.strictSame(shown.map(([, name = '', value = '']) => `${name}=${value}`).toSorted(), told.toSorted(), appID)
    if (appID === 'named')
      t.match(told, {4: 'OTEL_RESOURCE_ATTRIBUTES=team=a,pillion.app=named', 5: 'OTEL_SERVICE_NAME=mine'})
  }
})

const OURS = `OTEL_BLRP_SCHEDULE_DELAY OTEL_BSP_SCHEDULE_DELAY OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_PROTOCOL
  OTEL_RESOURCE_ATTRIBUTES OTEL_SERVICE_NAME OTEL_TRACES_SAMPLER`.split(/\s+/)

t.test('an app is told nothing if the shell says where to send, or common says otel: false', async t => {
  const rig = await openRig(t)
  const app = {appDirPath: '.', command: ['sh', '-c', TOLD]}
  for (const [common, env, told] of [
    [{}, {OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9'}, [`told ${ELSEWHERE}`]],
    [{}, {OTEL_TRACES_EXPORTER: 'none'}, ['told OTEL_TRACES_EXPORTER=none']],
    [{otel: false}, {}, []]
  ] as const) {
    await rig.template([{appID: 'shop', ...app}], common)
    const run = rig.pillion(['up'], {env})
    await run.waitForLine('== APP - shop == up')
    t.strictSame(
      run.stdout.lines.filter(line => line.includes('told ')).map(line => line.replace(/.* == /, '')),
      told
    )
    await run.end()
  }
})
