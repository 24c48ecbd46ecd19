import {join} from 'node:path'
import t from 'tap'
import {openInstrumentedShop, rowsOf, spansOf} from '../rig/otel-requests.ts'
import {installed, otelForJava} from '../sdks/installed.ts'
import {java} from './java.ts'

// The first test of a machine fetches 25 MB and compiles.
t.setTimeout(400_000)

t.test('an unmodified app with the agent of OpenTelemetry shows its statements and its exception', async t => {
  const folder = await installed(t, otelForJava)
  if (folder === undefined) return
  const [program = '', ...more] = java(folder, 'Shop')
  const agent = `-javaagent:${join(folder, 'lib/opentelemetry-javaagent-2.33.1.jar')}`
  const command = [program, agent, ...more]
  const {order, tree, rig} = await openInstrumentedShop(t, {shop: command, stock: command, limitMs: 90_000})
  await order('7')
  t.strictSame(rowsOf(await tree('7', 4)), [
    'user → shop GET /orders/7 200 [shop server]',
    '  shop → stock GET /items/7 200 [shop client,stock server]',
    '    stock SELECT shop.items SELECT id FROM items WHERE id = ? [stock client]'
  ])
  await order('13')
  const failed = await tree('13', each => spansOf(each) === 4 && each.lines.some(({line}) => line.level === 'warn'))
  t.strictSame(rowsOf(failed), [
    'user → shop GET /orders/13 502 [shop server]',
    '  shop → stock GET /items/13 500 [shop client,stock server]',
    '    stock SELECT shop.missing SELECT id FROM missing WHERE id = ? failed [stock client] ✕ org.h2.jdbc.JdbcSQLSyntaxErrorException: Table "MISSING" not found; SQL statement:'
  ])
  t.match(
    failed.lines.filter(({line}) => line.level === 'warn').map(({node, line}) => [node, line.line]),
    [[failed.nodes[1]?.id, 'WARNING: few of 13']],
    'a line that came over stderr and as a record of java.util.logging is shown once'
  )
  t.match((await rig.run(['trace', 'path:/orders/13'])).stdout, /└ stock +SELECT shop\.missing .*failed ✕ /)
})
