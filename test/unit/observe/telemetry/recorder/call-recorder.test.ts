import t from 'tap'
import type {Call, CallRecord} from '../../../../../src/model/call.ts'
import {PIECE} from '../../../../../src/observe/telemetry/recorder/byte-tape.ts'
import {contentOf} from '../../../../../src/observe/telemetry/recorder/call-content.ts'
import {FLAG} from '../../../../../src/observe/telemetry/recorder/call-lines.ts'
import {withoutWords} from '../../../../../src/observe/telemetry/recorder/callee-kinds.ts'
import {CallRecorder} from '../../../../../src/observe/telemetry/recorder/call-recorder.ts'
import {aCall, aRecord, aRequest} from '../../../../rig/made-call.ts'

const callOf = (callee = 'stock', more: Partial<Call> = {}): Call =>
  aCall({callee, method: 'POST', path: '/items?id=7', ...more})

const request = {...aRequest(), method: 'POST', path: '/v1.0/invoke/stock/method/items', lines: 'Host: x\r\n'}

const recordOf = (call: Call, more: Partial<CallRecord> = {}): CallRecord =>
  aRecord({
    call,
    request,
    startedAt: 1000,
    admittedAt: 1002,
    connectedAt: 1003,
    firstByteAt: 1010,
    endedAt: 1020,
    requestBytes: 5,
    responseBytes: 2,
    ...more
  })

const piecesOf = (recorder: CallRecorder, number = 0): readonly string[] =>
  (recorder.call(number)?.pieces ?? []).map(({kind, bytes}) => `${kind} ${bytes.toString('latin1')}`)

/** One call from its start to its end. */
function make(recorder: CallRecorder, call: Call, more: Partial<CallRecord> = {}): number {
  recorder.started(call, request, 1000)
  recorder.admitted(call, {pid: 77, protocol: 'HTTP/1.1'}, 2)
  recorder.ended(recordOf(call, more))
  return call.number ?? 0
}

t.test('a call is kept with its numbers and its bytes', async t => {
  const recorder = new CallRecorder(() => 1000)
  const call = callOf()
  recorder.started(call, {...request, text: 'POST /x HTTP/1.1\r\n\r\nbody!', size: 20}, 1000)
  t.equal(call.number, 1)
  t.match(recorder.line(1), {flags: FLAG.open, status: 0})
  recorder.held(call, '"stock" is being reloaded')
  recorder.admitted(call, {pid: 77, protocol: 'HTTP/1.1'}, 2)
  recorder.bytes(call, 'request', Buffer.from('..body!..'), 2, 7)
  recorder.responded(call, {text: 'HTTP/1.1 200 OK\r\n\r\nok', size: 19})
  recorder.text(call, 'response', 'ok')
  recorder.ended(recordOf(call, {trace: 'traceparent: 00-1\r\n'}))
  t.match(recorder.call(1), {
    number: 1,
    edgeOf: {caller: 'shop', callee: 'stock', calls: 1, failed: 0, waited: 1},
    method: 'POST',
    status: 200,
    flags: FLAG.waited | FLAG.admitted,
    pid: 77,
    attempts: 1,
    requestBytes: 5,
    responseBytes: 2,
    waitedMs: 2,
    firstByteMs: 10,
    totalMs: 20
  })
  t.same(piecesOf(recorder, 1), [
    `${PIECE.requestHead} POST /x HTTP/1.1\r\n\r\n`,
    `${PIECE.waited} "stock" is being reloaded`,
    `${PIECE.requestBody} body!`,
    `${PIECE.responseHead} HTTP/1.1 200 OK\r\n\r\n`,
    `${PIECE.responseBody} ok`,
    `${PIECE.trace} traceparent: 00-1\r\n`
  ])
})

t.test('what failed is counted and says why; a response of ours is marked', async t => {
  const recorder = new CallRecorder(() => 1000)
  const call = callOf()
  recorder.started(call, request, 1000)
  recorder.replied(call, {head: 'HTTP/1.1 500 …\r\n\r\n', body: '{}'})
  recorder.ended(recordOf(call, {status: 500, attempts: 3, failure: 'nobody is there — “really”'}))
  t.match(recorder.call(1), {flags: FLAG.ours | FLAG.failed | FLAG.resent, edgeOf: {failed: 1}})
  const why = recorder.call(1)?.pieces.at(-1)?.bytes.toString()
  t.equal(why, 'nobody is there — “really”', 'UTF-8')
})

t.test('of a body only the first bytes are kept, all are counted', async t => {
  const recorder = new CallRecorder(app => (app === 'stock' ? 4 : 1000))
  const call = callOf()
  recorder.started(call, request, 1000)
  for (const piece of ['abc', 'def', 'ghi']) recorder.bytes(call, 'request', Buffer.from(piece), 0, 3)
  t.match(recorder.call(1), {flags: FLAG.open | FLAG.truncated, requestBytes: 9})
  t.same(piecesOf(recorder, 1).slice(1), ['2 abc', '2 d'])
})

t.test('of an app with record: false nothing is kept, whoever calls', async t => {
  const recorder = new CallRecorder(app => (app === 'secret' ? -1 : 1000))
  t.equal(make(recorder, callOf('secret')), 0)
  t.equal(make(recorder, callOf('stock', {caller: 'secret'})), 0)
  t.equal(recorder.last, 0)
  t.equal(make(recorder, callOf('stock')), 1)
})

t.test('the latest calls are kept; the line of one under way is never overwritten', async t => {
  const recorder = new CallRecorder(() => 1000, 8, 4096)
  const long = callOf()
  recorder.started(long, request, 1000)
  for (let count = 0; count < 50; count++) make(recorder, callOf())
  t.equal(long.number, 1)
  t.match(recorder.line(1), {flags: FLAG.open})
  const numbers = recorder.numbers()
  t.equal(numbers.length, 8)
  t.equal(numbers.at(-1), 1)
  t.equal(numbers[0], recorder.last)
  t.same(recorder.numbers(numbers[2]), numbers.slice(3))
  t.ok(piecesOf(recorder, 1)[0]?.startsWith('1 POST '), 'its request was saved from the tape')
  recorder.text(long, 'response', 'late')
  recorder.ended(recordOf(long))
  t.equal(piecesOf(recorder, 1).at(-1), '4 late')
  make(recorder, callOf())
})

t.test('a call that took long has its request when it is over, however many others came meanwhile', async t => {
  const recorder = new CallRecorder(() => 1000, 512, 4096)
  const long = callOf()
  recorder.started(long, request, 1000)
  recorder.bytes(long, 'request', Buffer.from('ab'), 0, 2)
  for (let count = 0; count < 80; count++) make(recorder, callOf())
  recorder.bytes(long, 'request', Buffer.from('cd'), 0, 2)
  recorder.responded(long, {text: 'HTTP/1.1 200 OK\r\n\r\nok', size: 19}, 'ok')
  for (let count = 0; count < 10; count++) make(recorder, callOf())
  recorder.ended(recordOf(long, {trace: 'traceparent: 00-1\r\n', requestBytes: 4}))
  const {path, isKept, request: sent, response, traceparent} = contentOf({pieces: recorder.call(1)?.pieces ?? []})
  t.match({path, isKept, traceparent}, {path: '/items', isKept: true, traceparent: '00-1'})
  t.same([sent.body.toString(), response.head, response.body.toString()], ['abcd', 'HTTP/1.1 200 OK', 'ok'])
  for (let count = 0; count < 80; count++) make(recorder, callOf())
  t.same(piecesOf(recorder, 1), [], 'it is overwritten as any other')
})

t.test('a long call has its bytes in their order, also where no more could be put aside', async t => {
  const recorder = new CallRecorder(() => 100_000, 512, 65_536)
  const long = callOf()
  recorder.started(long, request, 1000)
  recorder.bytes(long, 'request', Buffer.from('ab'), 0, 2)
  const large = Buffer.alloc(12_000)
  for (let count = 0; count < 120; count++) {
    const other = callOf()
    recorder.started(other, request, 1000)
    recorder.bytes(other, 'request', large, 0, large.length)
  }
  const rest = Buffer.alloc(20_000, 'c')
  recorder.bytes(long, 'request', rest, 0, rest.length)
  recorder.ended(recordOf(long, {requestBytes: 20_002}))
  const {path, request: sent} = contentOf({pieces: recorder.call(1)?.pieces ?? []})
  t.same([path, sent.body.toString()], ['/items?id=7', `ab${rest.toString()}`])
})

t.test('where every line is a call under way, further calls are carried and not kept', async t => {
  const recorder = new CallRecorder(() => 1000, 4, 4096)
  const calls = Array.from({length: 6}, () => callOf())
  for (const call of calls) recorder.started(call, request, 1000)
  t.same(
    calls.map(({number}) => number),
    [1, 2, 3, 4, 0, 0]
  )
  for (const call of calls) recorder.ended(recordOf(call))
  t.equal(make(recorder, callOf()), 5)
})

t.test('10,000 calls of every size take the memory that was set aside', async t => {
  const recorder = new CallRecorder(() => 16_384, 1024, 64 * 1024)
  const body = Buffer.alloc(20_000, 'x')
  for (let count = 0; count < 10_000; count++) {
    const call = callOf(`callee-${count % 7}`)
    recorder.started(call, request, count)
    recorder.bytes(call, 'request', body, 0, count % body.length)
    recorder.ended(recordOf(call, {startedAt: count, endedAt: count + 1}))
  }
  t.equal(recorder.last, 10_000)
  t.equal(recorder.numbers().length, 1024)
  t.same(
    recorder.edges.all.map(({calls}) => calls > 1400),
    Array.from({length: 7}, () => true)
  )
})

t.test('an edge knows its percentiles and its last minute', async t => {
  const recorder = new CallRecorder(() => 0)
  for (let count = 1; count <= 100; count++)
    make(recorder, callOf(), {startedAt: 1000 * count, endedAt: 1000 * count + count, status: count > 98 ? 500 : 200})
  const [edge] = recorder.edges.all
  const {calls, failed, p95Ms = 0} = edge?.recent(100_500) ?? {}
  t.same([calls, failed], [60, 2])
  t.ok(p95Ms > 90 && p95Ms < 110, p95Ms.toString())
  make(recorder, callOf(), {startedAt: 125_000, endedAt: 125_001, status: 200})
  t.equal(edge?.recent(125_500).p95Ms, 100, 'the half minute before counts')
  t.match(edge?.recent(161_000), {calls: 1, failed: 0, p95Ms: 1})
  t.same(edge?.recent(200_000), {calls: 0, failed: 0, p95Ms: 0})
  const p95 = edge?.latency.percentile(0.95) ?? 0
  t.ok(p95 > 90 && p95 < 120, p95.toString())
})

t.test('what the template says after an edit counts for pairs that have called already', async t => {
  const bytes = new Map<string, number | undefined>([['shop', 1000]])
  const recorder = new CallRecorder(app => bytes.get(app), 64, 64 * 1024)
  const isRecorded = (): boolean => make(recorder, callOf()) > 0
  const say = (stock: number | undefined): void => {
    bytes.set('stock', stock)
    recorder.refresh()
  }
  t.ok(isRecorded())
  const open = callOf()
  recorder.started(open, request, 1000)
  say(-1)
  recorder.bytes(open, 'response', Buffer.from('secret'), 0, 6)
  recorder.ended(recordOf(open))
  t.notOk(isRecorded())
  t.notMatch(piecesOf(recorder, open.number).join(' '), /secret/, 'nor the rest of a call under way')
  say(500)
  t.ok(isRecorded())
  bytes.set('shop', undefined)
  say(undefined)
  t.ok(isRecorded(), 'both have left')
})

t.test('of a call whose caller turns out not to be recorded nothing is kept, under way or over', async t => {
  const recorder = new CallRecorder(app => (app === 'quiet' ? -1 : undefined))
  const open = callOf('stock', {caller: 'outside'})
  recorder.started(open, request, 1000)
  recorder.attributed(Object.assign(open, {caller: 'quiet'}))
  t.same(recorder.unrecorded, {begun: 1, open: 1})
  recorder.ended(recordOf(open))
  const over = callOf('stock', {caller: 'outside'})
  make(recorder, over)
  recorder.attributed(Object.assign(over, {caller: 'quiet'}))
  t.same(recorder.unrecorded, {begun: 2, open: 0})
  t.same([recorder.numbers(), recorder.open()], [[], []])
})

t.test('a call that waits before its caller is known has waited for that caller', async t => {
  const recorder = new CallRecorder(() => 1000)
  const call = callOf('stock', {caller: 'outside'})
  recorder.started(call, request, 1000)
  recorder.held(call, '"stock" has its 1 call')
  recorder.attributed(Object.assign(call, {caller: 'shop'}))
  recorder.ended(recordOf(call))
  const waited = recorder.edges.all.map(({caller, calls, waited: count}) => [caller, calls, count])
  t.strictSame(waited, [['outside', 0, 0], ['shop', 1, 1]]) // prettier-ignore
})

t.test('an app that is not recorded is not when there are too many pairs, either', async t => {
  const recorder = new CallRecorder(app => (app === 'vault' ? -1 : 100))
  const made = (caller: string, callee: string): number => {
    const call = aCall({caller, callee})
    recorder.started(call, aRequest(call), 0)
    return call.number ?? 0
  }
  for (let n = 0; n < 5000; n++) made('shop', `host-${n}`)
  const {last} = recorder
  t.equal(made('shop', 'vault'), 0)
  t.equal(recorder.last, last)
  t.equal(made('shop', 'another'), last + 1)
  t.equal(recorder.line(last + 1)?.edgeOf.callee, '')
})

t.test('the words of a language model stay in the run, also if their request’s head was overwritten', async t => {
  const recorder = new CallRecorder(() => 1_000_000)
  const large = Buffer.alloc(900_000, 'x')
  const begin = (call: Call, path: string): Call => {
    recorder.started(call, {...aRequest(), method: 'POST', path, lines: ''}, 1000)
    recorder.bytes(call, 'request', large, 0, large.length)
    return call
  }
  begin(callOf(), '/upload') // what is put aside has no room for another one
  const question = begin(
    callOf('gpt', {path: '/v1.0-alpha2/conversation/gpt/converse'}),
    '/v1.0-alpha2/conversation/gpt/converse'
  )
  for (let count = 0; count < 12; count++) recorder.ended(recordOf(begin(callOf(), '/items')))
  recorder.responded(question, {text: 'HTTP/1.1 200 OK\r\n\r\n', size: 19}, '')
  recorder.text(question, 'response', 'said')
  recorder.ended(recordOf(question))
  const call = recorder.call(question.number ?? 0)
  t.match(piecesOf(recorder, question.number), [/^3 HTTP/, '4 said'], 'the answer alone is kept')
  t.same(call && withoutWords(call).pieces.map(({kind}) => kind), [PIECE.responseHead])
})
