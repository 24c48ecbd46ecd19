import type * as Api from '../../src/model/api.generated.ts'
import {call, madeUp, treeNode, type MadeUp} from './made-up.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

/** A call that waited for a reload. */
export const detail = (number: number, more: Partial<Api.CallDetail> = {}): Api.CallDetail => ({
  ...call(number),
  waitedMs: 400,
  waitedFor: ['"payments" is being reloaded'],
  connectMs: 0.4,
  firstByteMs: 411,
  totalMs: 412,
  traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
  target: '/v1.0/invoke/payments/method/orders/7',
  request: {
    line: 'GET /orders/7 HTTP/1.1',
    headers: [['authorization', '<masked, 10 characters>']],
    body: '',
    encoding: 'utf8'
  },
  response: {
    line: 'HTTP/1.1 200 OK',
    headers: [['content-type', 'application/json']],
    body: '{"order":{"total":12.5,"note":"<img src=x onerror=alert(1)>"},"items":[1,2]}',
    encoding: 'utf8'
  },
  isTruncated: false,
  ...more
})

/** What came of it when it was sent again. */
export const replayed = (more: Partial<Api.Replay> = {}): Readonly<Record<string, unknown>> => ({
  call: 7,
  from: 'checkout',
  to: 'payments',
  method: 'GET',
  path: '/orders/7',
  replay: 9,
  before: {status: 500, type: '', bytes: 0, ms: 18, failure: ''},
  after: {status: 200, type: 'application/json', bytes: 10, ms: 4, failure: ''},
  differences: [
    {what: 'status', path: '', before: '500', after: '200'},
    {what: 'body', path: 'order.total', before: '12.5', after: '25'}
  ],
  differ: 2,
  leftOut: ['at'],
  refusal: '',
  hint: '',
  ...more
})

const lineOf = (app: string, line: string): Api.Line => ({
  time: '2026-01-31T14:46:45.978Z',
  app,
  stream: 'stdout',
  line
})

/** A run with three calls, of which number 7 can be opened. */
export async function runWithCalls(test: Parameters<typeof madeUp>[0]): Promise<MadeUp> {
  const run = await madeUp(test)
  run.answers['GET /calls'] = (_body, query) => {
    const q = query.get('q') ?? ''
    if (q.includes('colour:')) return {calls: []}
    const all = [
      call(8, {
        method: 'PUT',
        path: '/refunds',
        status: 500,
        isFailed: true,
        marks: ['fault'],
        traceparent: `00-${TRACE}-1-01`
      }),
      call(7, {waitedMs: 400, waitedFor: ['"payments" is being reloaded'], totalMs: 412}),
      call(6, {from: 'payments', to: 'order-processor', path: '/<b>\u202e', at: '2026-01-31T14:46:45.978Z'})
    ]
    return {last: 8, calls: q.includes('is:failed') ? all.slice(0, 1) : all}
  }
  run.answers['GET /calls/7'] = {...detail(7)}
  run.answers['GET /trace'] = {
    asked: 7,
    failedAt: 8,
    nodes: [
      treeNode(call(7), {totalMs: 400}),
      treeNode(call(8, {status: 500, isFailed: true}), {
        depth: 1,
        startMs: 100,
        link: {parent: 7, reason: 'trace', chance: 1, candidates: 1}
      }),
      treeNode(call(6, {path: '/<b>\u202e'}), {
        depth: 2,
        startMs: 150,
        link: {parent: 8, reason: 'guess', chance: 0.5, candidates: 2}
      })
    ],
    lines: [
      {node: 7, others: 0, line: lineOf('checkout', 'got an order')},
      {node: 8, others: 2, line: {...lineOf('payments', 'no <money>'), level: 'error'}}
    ],
    leftOut: 0,
    linesLeftOut: 0
  } satisfies Api.RequestTree
  run.answers['GET /pins'] = {pins: [], rounds: []}
  run.answers['GET /workflows'] = {workflows: [], next: null}
  return run
}
