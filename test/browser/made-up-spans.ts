/** The tree of a request with what the SDKs of its apps say: for the test of the page, and for the pictures of the manual. */
import type * as Api from '../../src/model/api.generated.ts'
import {call, treeNode} from './made-up.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

/** A request that began then, in ms since 1970. */
export interface MadeRequest {
  readonly tree: Api.RequestTree
  /** The same before its last spans have come. */
  readonly early: Api.RequestTree
  readonly order: Api.Call
}

const span = (app: string, kind: Api.Span['kind'], name: string, more: Partial<Api.Span> = {}): Api.Span => ({
  traceId: TRACE,
  spanId: Buffer.from(`${name}${app}        `).toString('hex', 0, 8),
  parentId: '',
  app,
  name,
  kind,
  scope: '',
  startMs: 0,
  totalMs: 0,
  isFailed: false,
  summary: '',
  message: '',
  exception: null,
  attributes: {},
  events: [],
  ...more
})

export function madeRequest(began: number): MadeRequest {
  const at = (ms: number): string => new Date(began + ms).toISOString()
  const order = call(41, {
    at: at(0),
    from: 'user',
    to: 'shop',
    path: '/orders/13',
    status: 502,
    isFailed: true,
    totalMs: 86
  })
  const item = call(42, {
    at: at(11),
    from: 'shop',
    to: 'stock',
    path: '/items/13',
    status: 500,
    isFailed: true,
    totalMs: 71
  })
  const proof = {parent: 41, reason: 'trace', chance: 1, candidates: 1} as const
  /** Numbers of what is no call begin anew with each answer. */
  const row = (
    id: number,
    {
      app,
      spans,
      ...more
    }: Partial<Api.TreeNode> & {readonly app: string; readonly startMs: number; readonly spans: readonly Api.Span[]}
  ): Api.TreeNode => ({
    ...treeNode(call(0, {at: at(more.startMs), from: app})),
    id,
    kind: 'span',
    to: '',
    call: null,
    outcome: '',
    spans,
    ...more
  })
  const statement = span('stock', 'client', 'SELECT', {
    summary: 'SELECT name, price FROM items WHERE id = $1 FOR UPDATE',
    isFailed: true,
    exception: {
      type: 'LockTimeout',
      message: 'another order holds item 13',
      stack: '    at find (stock.js:31:9)\n    at serve (stock.js:12:3)'
    },
    attributes: {
      'db.system.name': 'postgresql',
      'db.query.text': 'SELECT name, price FROM items WHERE id = $1 FOR UPDATE',
      'server.port': '5432',
      note: '<img src=x onerror=alert(1)>'
    }
  })
  const prices = span('stock', 'client', 'GET', {summary: 'GET https://prices.example/items/13 200'})
  const late = [
    row(-1, {
      app: 'shop',
      depth: 1,
      startMs: 2,
      totalMs: 6,
      what: 'check basket',
      spans: [span('shop', 'internal', 'check basket')]
    }),
    row(-2, {
      app: 'stock',
      depth: 2,
      startMs: 14,
      totalMs: 9,
      what: 'GET https://prices.example/items/13 200',
      spans: [prices]
    })
  ] as const
  const failed = (id: number) =>
    row(id, {
      app: 'stock',
      depth: 2,
      startMs: 24,
      totalMs: 54,
      isFailed: true,
      outcome: 'failed',
      spans: [statement],
      what: 'SELECT name, price FROM items WHERE id = $1 FOR UPDATE',
      failure: 'LockTimeout: another order holds item 13'
    })
  const calls = [
    treeNode(order, {id: 41, spans: [span('shop', 'server', 'GET /orders/:id', {summary: 'GET /orders/13 502'})]}),
    treeNode(item, {
      id: 42,
      depth: 1,
      startMs: 11,
      link: proof,
      spans: [
        span('shop', 'client', 'GET', {summary: 'GET http://localhost/v1.0/invoke/stock/method/items/13 500'}),
        span('stock', 'server', 'GET /items/:id', {summary: 'GET /items/13 500'})
      ]
    })
  ] as const
  const treeOf = (nodes: readonly Api.TreeNode[], failedAt: number): Api.RequestTree => ({
    asked: 41,
    failedAt,
    nodes,
    lines: [
      {
        node: failedAt,
        others: 0,
        line: {time: at(25), app: 'stock', stream: 'stdout', line: 'item 13: waiting for a lock', level: 'warn'}
      }
    ],
    leftOut: 0,
    linesLeftOut: 0
  })
  return {
    order,
    early: treeOf([calls[0], calls[1], failed(-1)], -1),
    tree: treeOf([calls[0], late[0], calls[1], late[1], failed(-3)], -3)
  }
}
