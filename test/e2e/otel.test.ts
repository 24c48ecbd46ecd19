import t from 'tap'
import type {TreeNode} from '../../src/model/api.generated.ts'
import {openOtelShop} from '../rig/otel-shop.ts'

/** A row as it is indented. */
const rowOf = ({depth, kind, from, to, what}: TreeNode): string =>
  `${'  '.repeat(depth)}${kind} ${from}${to === '' ? '' : ` → ${to}`} ${what}`

t.test('what apps did inside of a call is below it, as their SDKs tell it', async t => {
  const {run, url, tree} = await openOtelShop(t, {shop: ['sdk', 'bank'], bank: ['sdk']})
  await fetch(await url('shop', '/orders/7'))
  await run.waitForLine('told of /shop/7')
  await run.waitForLine('told of /orders/7')
  const {nodes, lines} = await tree('to:shop path:/orders/7')
  t.strictSame(nodes.map(rowOf), [
    'call shop → shop GET /orders/7',
    '  span shop handler',
    '    span shop SELECT * FROM shop WHERE token = 1',
    '    call shop → bank GET /shop/7',
    '      span bank handler',
    '        span bank SELECT * FROM bank WHERE token = 1'
  ])
  t.match(nodes[3]?.link, {reason: 'trace', chance: 1})
  t.strictSame(
    nodes[3]?.spans.map(({app, kind}) => `${app} ${kind}`),
    ['shop client', 'bank server'],
    'both ends of a call are one row'
  )
  t.notMatch(JSON.stringify(nodes), /s3cr3t/, 'a secret in an address is masked')
  t.match(
    lines
      .filter(({line}) => line.line.endsWith('/7') && line.line.startsWith('looked'))
      .map(({node, line}) => [node, line.line, line.level]),
    [
      [nodes[4]?.id, 'looked for /shop/7', 'warn'],
      [nodes[1]?.id, 'looked for /orders/7', 'warn']
    ],
    'a line that came over stdout and as a log record is shown once, below its span'
  )
})

const span = (spanId: string, parentSpanId: string, name: string, at: number) => ({
  traceId: 'abcdef'.padEnd(32, '0'),
  spanId,
  parentSpanId,
  name,
  kind: 1,
  startTimeUnixNano: `${at}000000`,
  endTimeUnixNano: `${at + 5}000000`
})

t.test('a trace that no call belongs to is a tree of its own', async t => {
  const {rig} = await openOtelShop(t, {shop: ['sdk']})
  const [, endpoint = ''] =
    /OTEL_EXPORTER_OTLP_ENDPOINT='?([^'\n]+)/.exec((await rig.run(['env', 'shop'])).stdout) ?? []
  const now = Date.now()
  const spans = [
    span('000000000000000b', '000000000000000a', 'clean up', now + 1),
    span('000000000000000a', '', 'every night', now)
  ]
  const resource = {attributes: [{key: 'service.name', value: {stringValue: 'shop'}}]}
  const answer = await fetch(`${endpoint}/v1/traces`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({resourceSpans: [{resource, scopeSpans: [{spans}]}]})
  })
  t.equal(answer.status, 200)
  t.match((await rig.run(['trace', 'abcdef00'])).stdout, /shop +every night .*\n.*└ shop +clean up/)
})

t.test('an exception is shown where it was thrown', async t => {
  const {run, url, tree, rig} = await openOtelShop(t, {shop: ['sdk', 'bank'], bank: ['sdk']})
  await fetch(await url('shop', '/orders/13'))
  await run.waitForLine('told of /shop/13')
  await run.waitForLine('told of /orders/13')
  const {nodes, failedAt} = await tree('to:shop')
  const thrown = nodes.filter(({spans}) => spans.some(({exception}) => exception !== null))
  t.strictSame(
    thrown.map(({what}) => what),
    ['SELECT * FROM bank WHERE token = 1']
  )
  t.match(thrown, [{id: failedAt, failure: 'NoStock: nothing of 13', isFailed: true}])
  const {stdout} = await rig.run(['trace', 'to:shop'])
  t.match(stdout, /bank +│? *│? *SELECT \* FROM bank.*← the failure began here.*NoStock: nothing of 13/)
})

t.test('nothing is told to, or kept of, an app that says so', async t => {
  const {run, url, tree, rig} = await openOtelShop(
    t,
    {shop: ['sdk', 'bank'], bank: ['sdk', 'vault'], vault: ['sdk'], own: ['plain']},
    {bank: {record: false}, vault: {otel: false}, own: {env: {OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9/'}}}
  )
  await fetch(await url('shop', '/orders/7'))
  await run.waitForLine('told of /shop/7')
  await run.waitForLine('told of /orders/7')
  const {nodes} = await tree('to:shop')
  t.strictSame([...new Set(nodes.flatMap(({spans}) => spans.map(({app}) => app)))], ['shop'])
  t.match((await rig.run(['env', 'shop'])).stdout, /OTEL_SERVICE_NAME='?shop/)
  t.notMatch((await rig.run(['env', 'vault'])).stdout, /OTEL_/)
  const own = (await rig.run(['env', 'own'])).stdout
  t.match(own, /OTEL_EXPORTER_OTLP_ENDPOINT='?http:\/\/127\.0\.0\.1:9\//)
  t.notMatch(own, /OTEL_SERVICE_NAME/)
})
