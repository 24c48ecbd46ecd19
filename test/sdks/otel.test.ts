/** OpenTelemetry's SDKs, unmodified, in apps that know nothing of Pillion but the address of their sidecar. That of Java is in test/java. */
import {join} from 'node:path'
import t from 'tap'
import type {TreeNode} from '../../src/model/api.generated.ts'
import {component} from '../rig/resource-files.ts'
import {freePort} from '../rig/free-port.ts'
import {openInstrumentedShop, rowsOf, spansOf} from '../rig/otel-requests.ts'
import {installed, otelForGo, otelForNode, otelForPython} from './installed.ts'

// the first test of a machine installs and compiles
t.setTimeout(400_000)

const FIXTURES = join(import.meta.dirname, '../fixtures/sdks/otel')

/** An app that knows nothing of OpenTelemetry. */
const APP = `
const {createRequire} = require('node:module')
const load = createRequire(process.env.PACKAGES + '/x.js')
const redis = new (load('ioredis'))(Number(process.env.REDIS_PORT), '127.0.0.1', {maxRetriesPerRequest: 1, enableReadyCheck: false})
redis.on('error', () => {})
const sidecar = 'http://localhost:' + process.env.DAPR_HTTP_PORT + '/v1.0/'
const app = load('express')()
app.get('/orders/:id', async (request, response) => {
  const answer = await fetch(sidecar + 'invoke/stock/method/items/' + request.params.id)
  response.status(answer.ok ? 200 : 502).send(await answer.text())
})
app.get('/items/:id', async (request, response) => {
  await redis.set('item', request.params.id)
  await (await fetch(sidecar + 'state/store/x')).text()
  if (request.params.id === '13') throw new Error('no item 13')
  response.send('ok')
})
app.listen(process.env.APP_PORT, () => console.log('listening'))
`

t.test('Node: an unmodified app with the agent shows its statements, its exception, and each call once', async t => {
  const packages = await installed(t, otelForNode)
  if (packages === undefined) return
  const redis = await freePort()
  const agent = `${packages}/node_modules/@opentelemetry/auto-instrumentations-node/dist/register.cjs`
  const command = ['node', '--require', agent, 'app.cjs']
  const {order, tree} = await openInstrumentedShop(t, {
    shop: command,
    stock: command,
    env: {PACKAGES: packages, REDIS_PORT: `${redis}`},
    files: {
      'app.cjs': APP,
      'components/store.yaml': component('store', 'state.redis', {redisHost: `127.0.0.1:${redis}`})
    }
  })
  await order('13')
  const {nodes} = await tree('13', ({nodes}) => nodes.filter(isAnswered).length === 2)
  const calls = nodes.filter(({kind}) => kind === 'call')
  t.strictSame(
    calls.map(({what, spans}) => [what, spans.map(({app: from, kind}) => `${from} ${kind}`)]),
    [
      ['GET /orders/13', ['shop server']],
      ['GET /items/13', ['shop client', 'stock server']]
    ]
  )
  t.ok(
    nodes.some(({kind, what}) => kind === 'span' && what.startsWith('set item')),
    'the statement of Redis'
  )
  t.equal(nodes.filter(({failure}) => failure === 'Error: no item 13').length, 1, 'the exception once')
  t.match(nodes.find(({kind}) => kind === 'component')?.spans, [{app: 'stock', kind: 'client'}])
})

t.test('Python: FastAPI, httpx, Flask and sqlite3 by opentelemetry-instrument', async t => {
  const folder = await installed(t, otelForPython)
  if (folder === undefined) return
  const packages = join(folder, 'site-packages')
  const command = (name: string): readonly string[] => [
    'python3',
    join(packages, 'bin/opentelemetry-instrument'),
    'python3',
    join(FIXTURES, `${name}.py`)
  ]
  const {order, tree, rig} = await openInstrumentedShop(t, {
    shop: command('shop'),
    stock: command('stock'),
    env: {PYTHONPATH: packages}
  })
  await order('7')
  t.strictSame(rowsOf(await tree('7', 6)), [
    'user → shop GET /orders/7 200 [shop server]',
    '  shop → stock GET /items/7 200 [shop client,stock server]',
    '    stock SELECT id FROM items WHERE id = ? [stock client]',
    '  shop GET /orders/{order} http send [shop internal]',
    '  shop GET /orders/{order} http send [shop internal]'
  ])
  await order('13')
  const failed = await tree('13', tree => spansOf(tree) === 6 && tree.lines.some(({line}) => line.level === 'error'))
  t.strictSame(rowsOf(failed), [
    'user → shop GET /orders/13 502 [shop server]',
    '  shop → stock GET /items/13 500 [shop client,stock server]',
    '    stock SELECT id FROM missing WHERE id = ? failed [stock client] ✕ sqlite3.OperationalError: no such table: missing',
    '  shop GET /orders/{order} http send failed [shop internal]',
    '  shop GET /orders/{order} http send [shop internal]'
  ])
  const [, call] = failed.nodes
  t.match(
    failed.lines.filter(({node}) => node === call?.id).map(({line}) => [line.level, line.line]),
    [
      ['warn', 'few of 13'],
      [
        'error',
        /^Exception on \/items\/13 \[GET\] – OperationalError: no such table: missing \(File ".*stock\.py", line \d+, in find\)$/
      ]
    ],
    'the place is one of the app, not of its libraries'
  )
  const {stdout} = await rig.run(['trace', 'path:/orders/13'])
  t.match(stdout, /SELECT id FROM missing WHERE id = \? +failed ✕ .*← the failure began here/)
})

t.test('Go: otelhttp, otelsql and otelslog, over gRPC and over HTTP', async t => {
  const folder = await installed(t, otelForGo)
  if (folder === undefined) return
  const program = join(folder, 'otel-go')
  const {order, tree, rig} = await openInstrumentedShop(t, {shop: [program, 'shop'], stock: [program, 'stock']})
  await order('7')
  t.strictSame(rowsOf(await tree('7', 4)), [
    'user → shop GET /orders/7 200 [shop server]',
    '  shop → stock GET /items/7 200 [shop client,stock server]',
    '    stock sql.conn.query SELECT name FROM items WHERE id = ? [stock client]'
  ])
  await order('13')
  const failed = await tree('13', tree => tree.nodes.length === 3 && spansOf(tree) === 4 && tree.lines.length > 0)
  t.strictSame(rowsOf(failed), [
    'user → shop GET /orders/13 502 [shop server]',
    '  shop → stock GET /items/13 500 [shop client,stock server]',
    '    stock sql.conn.query SELECT name FROM items WHERE id = ? failed [stock client] ✕ *errors.errorString: no item 13'
  ])
  t.match(
    failed.lines.map(({node, line}) => [node, line.app, line.stream, line.level, line.line]),
    [[failed.nodes[1]?.id, 'stock', null, 'warn', 'few of 13']],
    'a log record that is not written to stdout'
  )
  t.match((await rig.run(['trace', 'path:/orders/13'])).stdout, /└ stock +sql\.conn\.query SELECT name .*failed ✕ /)
})

const isAnswered = ({kind, spans}: TreeNode): boolean =>
  kind === 'call' && spans.some(({kind: side}) => side === 'server')
