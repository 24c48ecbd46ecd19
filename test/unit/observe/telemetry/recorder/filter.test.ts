import {gzipSync} from 'node:zlib'
import t from 'tap'
import {isoTime} from '../../../../../src/observe/api/call-view.ts'
import {PIECE} from '../../../../../src/observe/telemetry/recorder/byte-tape.ts'
import {CallLines, FLAG} from '../../../../../src/observe/telemetry/recorder/call-lines.ts'
import {contentOf, type CallContent} from '../../../../../src/observe/telemetry/recorder/call-content.ts'
import {readFilter} from '../../../../../src/observe/telemetry/recorder/filter.ts'
import {Edges} from '../../../../../src/observe/telemetry/recorder/edges.ts'
import {aCall, aRequest} from '../../../../rig/made-call.ts'

const unread = (): CallContent => {
  throw new Error('the bytes are not asked for')
}

t.test('slower:, faster: and waited: know how long a call under way has taken and waited so far', async t => {
  const lines = new CallLines(8)
  const edgeOf = new Edges(() => 0).between('shop', 'stock')
  const number = lines.begin(performance.now() - 2000, edgeOf.index, aRequest(aCall({method: 'GET'})), 0)
  const found = (): readonly boolean[] =>
    ['slower:1s', 'slower:1m', 'waited:1s', 'waited:1m', 'faster:1m'].map(words =>
      readFilter(words)({...lines.read(number), edgeOf}, unread)
    )
  t.strictSame(found(), [true, false, true, false, false], 'it waits for its callee')
  lines.admit(number, {pid: 77, protocol: 'HTTP/1.1'}, 90_000)
  t.strictSame(found(), [true, false, true, true, false], 'it was admitted: it waits no longer, however long it takes')
  lines.end(number, 0, 200, {
    attempts: 1, startedAt: 0, admittedAt: 0, connectedAt: 0, firstByteAt: 0, endedAt: 500, responseBytes: 0
  } as Parameters<CallLines['end']>[3])
  t.strictSame(found(), [false, false, true, true, true], 'it is over')
}) // prettier-ignore

t.test('is: finds calls by each mark that the API gives them', async t => {
  const lines = new CallLines(16)
  const edgeOf = new Edges(() => 0).between('shop', 'stock')
  const marks = {
    grpc: FLAG.grpc,
    resent: FLAG.resent,
    replay: FLAG.replay,
    shadow: FLAG.shadow,
    fault: FLAG.fault,
    woke: FLAG.woke,
    own: FLAG.own,
    ours: FLAG.ours
  }
  for (const [mark, flag] of Object.entries(marks)) {
    const found = [flag, 0].map(flags =>
      readFilter(`is:${mark}`)(
        {...lines.read(lines.begin(0, edgeOf.index, aRequest(aCall({method: 'GET'})), flags)), edgeOf},
        unread
      )
    )
    t.strictSame(found, [true, false], mark)
  }
})

t.test('signs of other tools are no words to search for', async t => {
  const refused = {'to=orders': 'to:orders', 'status=503': 'status:503', '>1s': 'slower:1s', '<=20ms': 'faster:20ms'}
  for (const [word, meant] of Object.entries(refused))
    t.throws(() => readFilter(word), {message: `the filter ${word} is written ${meant}`})
  for (const word of ['a=b', '=', '>', 'path:/x?to=orders', '>1']) t.doesNotThrow(() => readFilter(word), word)
})

t.test('a method beyond HTTP is found by its name, and a call of gRPC that succeeds has a response', async t => {
  const lines = new CallLines(8)
  const edgeOf = new Edges(() => 0).between('shop', 'stock')
  const is = (words: string, {method = 'GET', flags = 0}): boolean => {
    const line = {...lines.read(lines.begin(0, edgeOf.index, aRequest(aCall({method})), 0)), flags}
    const head = Buffer.from(`${method} /files HTTP/1.1\r\n`)
    const content = contentOf({pieces: [{kind: PIECE.requestHead, bytes: head}]})
    return readFilter(words)({...line, edgeOf}, () => content)
  }
  t.equal(is('method:propfind', {method: 'PROPFIND'}), true)
  t.equal(is('method:PROPFIND|GET', {method: 'MKCOL'}), false)
  t.equal(is('method:get', {}), true)
  t.equal(is('status:0', {}), true)
  t.equal(is('status:0', {flags: FLAG.grpc}), false)
  t.equal(is('status:0', {flags: FLAG.grpc | FLAG.open}), true, 'it has none yet')
  t.equal(is('status:0', {flags: FLAG.grpc | FLAG.failed}), true, 'it was reset, or its caller has left')
})

t.test('body: finds what a compressed body says, as it is shown', async t => {
  const edgeOf = new Edges(() => 0).between('shop', 'stock')
  const lines = new CallLines(8)
  const line = {...lines.read(lines.begin(0, edgeOf.index, aRequest(aCall({method: 'GET'})), 0)), edgeOf}
  const head = Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n')
  const body = gzipSync(`{"order":"no 17"}${' '.repeat(500)}`)
  const content = contentOf({
    pieces: [
      {kind: PIECE.responseHead, bytes: head},
      {kind: PIECE.responseBody, bytes: body}
    ]
  })
  const found = (words: string): boolean => readFilter(words)(line, () => content)
  t.strictSame(['body:"no 17"', 'body:18', '-body:17'].map(found), [true, false, false])
})

t.test('double quotes keep a text together; those of JSON are part of it', async t => {
  const edgeOf = new Edges(() => 0).between('shop', 'stock')
  const lines = new CallLines(8)
  const line = {...lines.read(lines.begin(0, edgeOf.index, aRequest(aCall({method: 'GET'})), 0)), edgeOf}
  const head = Buffer.from('HTTP/1.1 200 OK\r\nX-Kind: a|b\r\n\r\n')
  const pieces = [
    {kind: PIECE.responseHead, bytes: head},
    {kind: PIECE.responseBody, bytes: Buffer.from('{"id":17,"state":"sold out", "n": 1}')}
  ]
  const found = (words: string): boolean => readFilter(words)(line, () => contentOf({pieces}))
  for (const words of [
    'body:{"id":17',
    'body:"id":17',
    'body:"state":"sold out"',
    'body:"id"',
    'body:"sold out"|returned',
    'body:"in stock"|"sold out"',
    'header:"a|b"',
    '"body:sold out"',
    String.raw`"body:\"sold out\", \"n\": 1"`,
    String.raw`-"-body:\"n\": 1"`,
    String.raw`body:"\"n\": 1"`,
    '"to:stock"',
    'to:"stock"',
    '-"to:shop"',
    '!body:"in stock"'
  ])
    t.ok(found(words), words)
  for (const words of ['body:{"id":18', 'body:"state":"sold"', 'header:"a|c"', '-"to:stock"', '-body:"sold out"'])
    t.notOk(found(words), words)
  for (const words of ['body:', 'body:""'])
    t.throws(() => readFilter(words), {message: 'the filter body: lacks a value'})
})

t.test('since: and until: take a time, and no number that a Date would take for one', async t => {
  for (const time of ['2026-01-31', '2026-01-31T14:46:28Z', '2026-01-31T14:46'])
    t.doesNotThrow(() => readFilter(`since:${time} until:${time}`), time)
  for (const time of ['10', '5', 'x-1', '2026-02-30', '2026-13-01', '14:46'])
    t.throws(() => readFilter(`since:${time}`), {message: `the filter since:${time} names no time`}, time)
})

t.test('actor: finds the calls of one actor, and not of those whose names contain its name', async t => {
  const lines = new CallLines(8)
  const edgeOf = new Edges(() => 0).between('shop', 'stock')
  const line = {...lines.read(lines.begin(0, edgeOf.index, aRequest(aCall({method: 'PUT'})), 0)), edgeOf}
  const found = (filter: string): readonly string[] =>
    ['Cart/1', 'Cart/17', 'OldCart/1'].filter(actor => {
      const head = `PUT /v1.0/actors/${actor}/method/add HTTP/1.1\r\n\r\n`
      return readFilter(filter)(line, () => contentOf({pieces: [{kind: PIECE.requestHead, bytes: Buffer.from(head)}]}))
    })
  t.strictSame(found('actor:Cart/1'), ['Cart/1'])
  t.strictSame(found('actor:Cart'), ['Cart/1', 'Cart/17'])
  t.strictSame(found('actor:*Cart/1'), ['Cart/1', 'OldCart/1'])
})

t.test('until: finds the call that began at that time, as it is shown', async t => {
  const lines = new CallLines(8)
  const edgeOf = new Edges(() => 0).between('shop', 'stock')
  for (const startedAt of [0.25, 0.5, 0.75]) {
    const line = {...lines.read(lines.begin(startedAt, edgeOf.index, aRequest(aCall({method: 'GET'})), 0)), edgeOf}
    const found = (filter: string): boolean => readFilter(filter)(line, unread)
    t.ok(found(`since:${isoTime(startedAt)} until:${isoTime(startedAt)}`), `${startedAt}`)
    t.notOk(found(`until:${isoTime(startedAt - 1)}`))
  }
})

t.test('protocol: finds a call by the protocol of either end, however that is written', async t => {
  const lines = new CallLines(8)
  const edgeOf = new Edges(() => 0).between('shop', 'stock')
  const number = lines.begin(0, edgeOf.index, aRequest(aCall(), {protocol: 'HTTP/2'}), 0)
  const found = (filter: string): boolean => readFilter(filter)({...lines.read(number), edgeOf}, unread)
  t.notOk(found('protocol:gRPC'), 'its callee has not admitted it')
  lines.admit(number, {pid: 77, protocol: 'gRPC'}, 0)
  for (const filter of ['protocol:gRPC', 'protocol:grpc', 'protocol:http2', 'protocol:HTTP/2', 'pid:77', '!pid:78'])
    t.ok(found(filter), filter)
  t.notOk(found('protocol:HTTP/1.1|websocket'))
  t.throws(() => readFilter('protocol:grcp'), {
    message: 'the filter protocol:grcp is not known: did you mean protocol:gRPC?'
  })
})
