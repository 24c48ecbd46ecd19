import {stripVTControlCharacters} from 'node:util'
import t from 'tap'
import type {RequestTree, TreeNode} from '../../../../src/model/api.generated.ts'
import {traceText} from '../../../../src/clients/cli/trace-text.ts'
import {widthOf} from '../../../../src/clients/cli/width.ts'

const node = (id: number, depth: number, more: Partial<TreeNode>): TreeNode =>
  ({
    id,
    depth,
    call: {number: 10 + id, marks: [], status: 200},
    from: 'orders',
    to: 'stock',
    what: 'POST /reserve/pen',
    outcome: '200',
    isFailed: false,
    startMs: 0,
    totalMs: 87,
    waitedMs: 0,
    count: 1,
    failure: '',
    link: null,
    ...more
  }) as unknown as TreeNode

const TREE = {
  nodes: [
    node(1, 0, {from: 'web', to: 'orders', what: 'POST /orders', outcome: '500', isFailed: true}),
    node(2, 1, {startMs: 10, totalMs: 16}),
    node(3, 1, {to: 'payments', what: 'POST /charge', outcome: '500', isFailed: true, startMs: 30, totalMs: 50})
  ],
  failedAt: 3,
  leftOut: 0,
  lines: [{node: 3, others: 0, line: {app: 'payments', line: 'Error: card declined', level: 'error'}}],
  linesLeftOut: 0
} as unknown as RequestTree

t.test('at 80 columns the bars have what is left, children name their callee, notes stand below', async t => {
  t.same(traceText(TREE, {width: 80}).split('\n'), [
    'CALL  FROM → TO     REQUEST            STATUS   TOOK  0                    87 ms',
    '  11  web → orders  POST /orders       500 ✕   87 ms  ██████████████████████████',
    '  12  ├ stock       POST /reserve/pen  200     16 ms    █████',
    '  13  └ payments    POST /charge       500 ✕   50 ms          ███████████████',
    '           ← the failure began here',
    '           payments: Error: card declined',
    ''
  ])
})

t.test('frames of libraries are left out below a call, so that its exception and causes are there', async t => {
  const trace = [
    'java.lang.IllegalStateException: no stock',
    ...Array.from({length: 30}, (_, at) => `\tat org.apache.catalina.core.Chain.next(Chain.java:${at})`),
    '\tat shop.Stock.take(Stock.java:7)',
    'Caused by: java.net.ConnectException: Connection refused',
    '\tat java.base/sun.nio.ch.Net.connect(Net.java:1)',
    '\t... 31 more'
  ]
  const lines = trace.map(line => ({node: 3, others: 0, line: {app: 'payments', line, level: 'error'}}))
  const text = traceText({...TREE, lines} as unknown as RequestTree, {width: Infinity})
  t.same(
    text.split('\n').flatMap(line => /payments: (.*)/.exec(line)?.[1]?.trim() ?? []),
    [trace[0], 'at shop.Stock.take(Stock.java:7)', 'Caused by: java.net.ConnectException: Connection refused']
  )
})

t.test('no row is wider than the terminal; colours change nothing but colours', async t => {
  for (const width of [60, 72, 80, 120, 200]) {
    const text = traceText(TREE, {width})
    t.ok(
      text.split('\n').every(line => widthOf(line) <= width),
      `${width} columns`
    )
    t.match(text, /███/, `${width} columns`)
    const coloured = traceText(TREE, {width, hasColours: true})
    t.match(coloured, '\x1b[31m500 ✕')
    t.equal(stripVTControlCharacters(coloured), text)
  }
})

t.test('at 40 columns names and status stay, without bars; an error is folded, not cut', async t => {
  const error = 'Error: card 4111 was declined by the bank since it has expired'
  const line = {app: 'payments', line: error, level: 'error'}
  const grpc = node(2, 1, {what: 'POST /shop.Stock/Reserve', outcome: 'gRPC 5 NOT_FOUND', isFailed: true})
  const tree = {...TREE, nodes: TREE.nodes.with(1, grpc), lines: [{node: 3, others: 0, line}]} as unknown as RequestTree
  t.same(traceText(tree, {width: 40}).split('\n'), [
    'CALL  FROM → TO     REQUEST    STATUS',
    '  11  web → orders  POST /or…  500 ✕',
    '  12  ├ stock       POST /sh…  gRPC 5 N…',
    '  13  └ payments    POST /ch…  500 ✕',
    '  ← the failure began here',
    '  payments: Error: card 4111 was',
    '      declined by the bank since it has',
    '      expired',
    ''
  ])
})

t.test('a pipe has each call with its caller and the time at which it began', async t => {
  const [head = '', , , failed = ''] = traceText(TREE, {width: Infinity}).split('\n')
  t.match(head, /^CALL {2}FROM → TO +REQUEST +STATUS +BEGAN +TOOK$/)
  t.match(failed, /└ orders → payments +POST \/charge +500 ✕ +\+30 ms +50 ms +█+ +← the failure began here$/)
})
