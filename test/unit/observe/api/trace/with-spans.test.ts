import t from 'tap'
import type {TreeNode} from '../../../../../src/model/api.generated.ts'
import {requestTree} from '../../../../../src/observe/api/trace/request-tree.ts'
import {RunLog} from '../../../../../src/observe/logging/run-log.ts'
import {KIND} from '../../../../../src/observe/telemetry/otlp/received.ts'
import {SpanStore} from '../../../../../src/observe/telemetry/otlp/span-store.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {wallTime} from '../../../../../src/platform/wall-time.ts'
import {CallJournal} from '../../../../../src/proxy/net/call-journal.ts'
import {countFromNow, madeSpan, moment} from '../../../../rig/made-span.ts'
import {cpuMs} from '../../../../rig/cpu-ms.ts'
import {aRequest} from '../../../../rig/made-call.ts'

interface Made {
  readonly edge: string
  readonly path: string
  readonly traceparent: string
  readonly times: readonly [number, number]
  readonly isShadow?: boolean
}

/** A call that was answered. */
function made(observer: CallRecorder, {edge, path, traceparent, times: [from, until], isShadow = false}: Made): void {
  const [caller = '', callee = ''] = edge.split(' ')
  const lines = traceparent === '' ? '' : `traceparent: ${traceparent}\r\n`
  const request = {...aRequest(), method: 'GET', path, lines}
  const call = {caller, callee, method: 'GET', path, isShadow}
  const journal = new CallJournal(call, request, observer, undefined)
  journal.begun(moment(from))
  journal.admitted(true, {pid: 0, protocol: 'HTTP/1.1'}, undefined)
  Object.assign(journal, {status: 200, firstByteAt: moment(until), isWhole: true})
  journal.ended()
}

const parent = (trace: string, span: string, flags = '01'): string =>
  `00-${trace.padEnd(32, '0')}-${span.padEnd(16, '0')}-${flags}`

function openTree() {
  countFromNow()
  const recorder = new CallRecorder(() => 100)
  const store = new SpanStore({isRecorded: () => true})
  recorder.spans = store
  const facts = {recorder, runLog: () => new RunLog(), masked: () => ['Card'], work: {openWorkflows: () => undefined}}
  return {recorder, store, tree: async (q: string) => requestTree(facts, q)}
}

const rows = (nodes: readonly TreeNode[]): readonly string[] =>
  nodes.map(({depth, from, to, what}) => `${'  '.repeat(depth)}${to === '' ? from : `${from} → ${to}`} ${what}`)

t.test('two calls to one app at once in one trace: spans prove what each has led to', async t => {
  const {recorder, store, tree} = openTree()
  made(recorder, {edge: 'web shop', path: '/go', traceparent: parent('a', '1'), times: [1000, 1100]})
  made(recorder, {edge: 'shop bank', path: '/a', traceparent: parent('a', 'c1'), times: [1010, 1080]})
  made(recorder, {edge: 'shop bank', path: '/b', traceparent: parent('a', 'c2'), times: [1011, 1081]})
  made(recorder, {edge: 'bank vault', path: '/of-b', traceparent: parent('a', 'd2'), times: [1030, 1040]})
  store.addSpan(madeSpan('a 5 1', [1001, 1099], {kind: KIND.server}), '')
  store.addSpan(madeSpan('a c1 5', [1009, 1082], {kind: KIND.client}), '')
  store.addSpan(madeSpan('a c2 5', [1009, 1082], {kind: KIND.client}), '')
  store.addSpan(madeSpan('a b1 c1', [1012, 1079], {kind: KIND.server, app: 'bank'}), '')
  store.addSpan(madeSpan('a b2 c2', [1012, 1079], {kind: KIND.server, app: 'bank'}), '')
  store.addSpan(madeSpan('a d2 b2', [1029, 1041], {kind: KIND.client, app: 'bank'}), '')
  const {nodes} = await tree('to:shop')
  t.strictSame(rows(nodes), [
    'web → shop GET /go',
    '  shop → bank GET /a',
    '  shop → bank GET /b',
    '    bank → vault GET /of-b'
  ])
  t.match(nodes[3]?.link, {reason: 'trace', chance: 1, candidates: 1})
  t.strictSame(
    nodes.map(({spans}) => spans.length),
    [1, 2, 2, 1]
  )
})

t.test('the spans of the main version are not those of a copy for a shadow, which has the same trace', async t => {
  const {recorder, store, tree} = openTree()
  const [traceparent, path] = [parent('a', '1'), '/go']
  made(recorder, {edge: 'mirror shop@2.0.0', path, traceparent, times: [1000, 1100], isShadow: true})
  made(recorder, {edge: 'web shop', path, traceparent, times: [1001, 1100]})
  made(recorder, {edge: 'shop bank', path: '/a', traceparent: parent('a', 'c1'), times: [1010, 1080]})
  store.addSpan(madeSpan('a 5 1', [1002, 1099], {kind: KIND.server}), '')
  store.addSpan(madeSpan('a c1 5', [1009, 1082], {kind: KIND.client}), '')
  t.strictSame(rows((await tree('is:shadow')).nodes), ['mirror → shop@2.0.0 GET /go'])
  const {nodes} = await tree('to:shop')
  t.strictSame(rows(nodes), ['web → shop GET /go', '  shop → bank GET /a'])
  t.equal(nodes[0]?.spans.length, 1)
})

t.test('a span hangs below its parent whenever that comes, and below the open call of its app until then', async t => {
  const {recorder, store, tree} = openTree()
  made(recorder, {edge: 'web shop', path: '/go', traceparent: parent('a', '1', '03'), times: [1000, 1100]})
  store.addSpan(madeSpan('a e 9', [1020, 1030], {name: 'inner'}), '')
  t.strictSame(rows((await tree('to:shop')).nodes), ['web → shop GET /go', '  shop inner'])
  store.addSpan(madeSpan('a 9 5', [1010, 1090], {name: 'handler'}), '')
  store.addSpan(madeSpan('a 5 1', [1001, 1099], {kind: KIND.server, name: 'GET /go'}), '')
  t.strictSame(rows((await tree('to:shop')).nodes), ['web → shop GET /go', '  shop handler', '    shop inner'])
})

const server = (id: string, path: string) =>
  madeSpan(`a ${id} 1`, [1015, 1020], {
    app: 'bank',
    kind: KIND.server,
    details: {
      attributes: [
        ['http.request.method', 'GET'],
        ['url.path', path]
      ]
    }
  })

t.test('of callers without an SDK that hand on one trace each call gets the spans of its own callee', async t => {
  const {recorder, store, tree} = openTree()
  made(recorder, {edge: 'web shop', path: '/go', traceparent: parent('a', '1'), times: [1000, 1100]})
  made(recorder, {edge: 'shop bank', path: '/x', traceparent: parent('a', '1'), times: [1010, 1030]})
  made(recorder, {edge: 'shop bank', path: '/y', traceparent: parent('a', '1'), times: [1011, 1031]})
  store.addSpan(server('b2', '/y'), '')
  store.addSpan(server('b1', '/x'), '')
  const {nodes} = await tree('to:shop')
  t.strictSame(
    nodes.map(({what, spans}) => [what, spans.map(({spanId}) => spanId.slice(0, 2))]),
    [
      ['GET /go', []],
      ['GET /x', ['b1']],
      ['GET /y', ['b2']]
    ]
  )
})

t.test('a call that an app makes on its own stands below the span in which it was made', async t => {
  const {recorder, store, tree} = openTree()
  store.addSpan(madeSpan('a 1', [1000, 1100], {name: 'every night'}), '')
  store.addSpan(madeSpan('a 2 1', [1005, 1095], {kind: KIND.client, name: 'GET'}), '')
  made(recorder, {edge: 'shop bank', path: '/x', traceparent: parent('a', '2'), times: [1010, 1090]})
  t.strictSame(rows((await tree('to:bank')).nodes), ['shop every night', '  shop → bank GET /x'])
})

t.test('spans that stand below themselves or each other end no tree', async t => {
  const {recorder, store, tree} = openTree()
  made(recorder, {edge: 'web shop', path: '/go', traceparent: parent('a', '1'), times: [1000, 1100]})
  store.addSpan(madeSpan('a 2 3', [1001, 1002]), '')
  store.addSpan(madeSpan('a 3 2', [1001, 1002]), '')
  store.addSpan(madeSpan('a 4 4', [1003, 1004]), '')
  const {nodes} = await tree('to:shop')
  t.equal(nodes.length, 4)
  t.equal(new Set(nodes.map(({id}) => id)).size, 4)
})

const id = (number: number): string => (number + 0x100000).toString(16)

t.test('a deep trace and a wide one are laid out', async t => {
  const {store, tree} = openTree()
  store.addSpan(madeSpan(`a ${id(0)}`, [0, 1]), '')
  for (let number = 1; number < 15_000; number++)
    store.addSpan(madeSpan(`a ${id(number)} ${id(number - 1)}`, [0, 1]), '')
  const deep = await tree(`trace:${'a'.padEnd(8, '0')}`)
  t.equal(deep.nodes.length + deep.leftOut, 15_000)
  for (let number = 1; number < 5000; number++)
    store.addSpan(madeSpan(`b ${id(number)} ${id(0)}`, [0, 1], {name: 'SELECT'}), '')
  store.addSpan(madeSpan(`b ${id(0)}`, [0, 1]), '')
  const wide = await tree(`trace:${'b'.padEnd(8, '0')}`)
  t.equal(wide.nodes.at(-1)?.count, 4999 - 10, 'what is alike is one row')
})

const thrown = (message: string) => ({details: {exception: {type: 'E', message, stack: ''}}})

t.test('an exception is shown at the deepest span that has it, each time that it was thrown', async t => {
  const {store, tree} = openTree()
  for (const [ids, message] of [
    ['a 1', 'x'],
    ['a 2 1', 'y'],
    ['a 3 2', 'x'],
    ['a 4 1', 'x'],
    ['a 5 1', 'y']
  ] as const)
    store.addSpan(madeSpan(ids, [Number(ids[2]), 10], {...thrown(message), isFailed: true}), '')
  const {nodes} = await tree(`trace:${'a'.padEnd(8, '0')}`)
  t.strictSame(
    nodes.map(({what, failure}) => `${what.slice(0, 1)} ${failure}`),
    ['1 ', '2 E: y', '3 E: x', '4 E: x', '5 E: y']
  )
})

const record = (number: number) => ({
  app: 'shop',
  isApp: true,
  traceId: 'a'.padEnd(32, '0'),
  spanId: id(number).padEnd(16, '0'),
  at: wallTime.of(moment(number)),
  severity: 13,
  text: `line ${number}`,
  exception: ''
})

t.test('of ten thousand log records of a trace the latest stand at their spans', async t => {
  const {store, tree} = openTree()
  for (let number = 0; number < 9000; number++) {
    store.addSpan(madeSpan(`a ${id(number)}`, [number, number + 1], thrown(`${number % 7}`)), '')
    store.addLog(record(number))
  }
  const {nodes, lines, linesLeftOut} = await tree(`trace:${'a'.padEnd(8, '0')}`)
  t.equal(nodes.length, 1000)
  t.equal(lines.length + linesLeftOut, 9000)
  t.ok(lines.length > 0 && lines.length <= 1000)
  t.ok(lines.every(({line}, index) => index === 0 || (line.time ?? '') >= (lines[index - 1]?.line.time ?? '')))
})

t.test('secret attributes are masked: by what their names say, by `record.mask`, and in addresses', async t => {
  const {store, tree} = openTree()
  const attributes = [
    ['http.request.header.authorization', 'Bearer zyxwvu'],
    ['app.card', 'c4rd of Ada'],
    ['url.full', 'http://x/y?token=s3cret&a=1'],
    ['url.query', 'password=hunter2'],
    ['gen_ai.usage.input_tokens', '12'],
    ['db.query.text', 'SELECT 1']
  ] as const
  const exception = {type: 'E', message: 'GET http://x/?api_key=k3y failed', stack: ''}
  store.addSpan(madeSpan('a 1', [0, 1], {details: {attributes, exception}}), '')
  const {nodes} = await tree(`trace:${'a'.padEnd(8, '0')}`)
  t.notMatch(JSON.stringify(nodes), /zyxwvu|c4rd|s3cret|hunter2|api_key=k3y/)
  t.match(nodes[0]?.spans[0]?.attributes, {'gen_ai.usage.input_tokens': '12', 'db.query.text': 'SELECT 1'})
})

t.test('a trace of a whole run, whose first span does not end, takes no longer than it has calls', async t => {
  const msOf = async (count: number): Promise<number> => {
    const {recorder, store, tree} = openTree()
    for (let number = 1; number <= count; number++) {
      const [id, at] = [`${number}`.padStart(16, '0'), 1000 + number * 5]
      made(recorder, {edge: 'shop bank', path: '/pay', traceparent: parent('a', id), times: [at, at + 2]})
      store.addSpan(madeSpan(`a ${id} ${'f'.repeat(16)}`, [at, at + 3], {kind: KIND.client}), '')
    }
    const begin = cpuMs()
    const {nodes, leftOut} = await tree(count.toString())
    t.equal(nodes.length + leftOut, count)
    return cpuMs() - begin
  }
  await msOf(500)
  const [few, many] = [await msOf(500), await msOf(10_000)]
  t.ok(many < 60 * few + 200, `${few} ms and ${many} ms`)
})
