import {getEventListeners} from 'node:events'
import t from 'tap'
import {readEdit} from '../../../../src/observe/replay/edit.ts'
import {FLAG} from '../../../../src/observe/telemetry/recorder/call-lines.ts'
import {openSidecar} from './sidecar.ts'

const GET = 'GET /items?id=7 HTTP/1.1\r\nHost: localhost:3500\r\nX-A: 1\r\nx-a: 2\r\n\r\n'
const POST_JSON = 'POST /v1.0/invoke/stock/method/x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n'
const ASKED = {isUnsafe: false}

t.test('the request is what the caller has sent, but for headers about the connection', async t => {
  const bodies: string[] = []
  const {replayer, made, heads} = await openSidecar(t, (_request, body) => (bodies.push(body), {}))
  const head =
    'POST /v1.0/invoke/stock/method/a%2Fb?q=%20 HTTP/1.1\r\nhost: localhost\r\nX-A: 1\r\nx-a: \xe4\r\nPillion-Replay: 3\r\n' +
    'Transfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: keep-alive\r\nDapr-Api-Token: abc\r\n\r\n'
  const call = made(head, 'body \xff')
  await replayer.replay(call, {isUnsafe: true})
  t.equal(
    heads[0],
    'POST /v1.0/invoke/stock/method/a%2Fb?q=%20 HTTP/1.1\r\nhost: localhost\r\nX-A: 1\r\nx-a: \xe4\r\nDapr-Api-Token: abc\r\n' +
      `Pillion-Replay: ${call.number}\r\nContent-Length: 6\r\nConnection: close\r\n\r\n`
  )
  t.same(bodies, ['body \xff'])
  await replayer.replay(made('GET /of-http2 HTTP/1.1\r\naccept: a\r\n\r\n'), ASKED)
  t.match(heads[1], /^GET \/of-http2 HTTP\/1\.1\r\naccept: a\r\nPillion-Replay: 3\r\nHost: 127\.0\.0\.1:\d+\r\n/)
})

t.test('a mask that an edit has left stands for what was masked; an empty one is sent to nobody', async t => {
  const bodies: string[] = []
  const {replayer, made} = await openSidecar(t, (_request, body) => (bodies.push(body), {}))
  const call = made(
    POST_JSON,
    '{"n":1,"users":[{"name":"ann","pin":1234,"keys":["a","b"]}],"url":"http://me:S3cr3t@db/"}'
  )
  const shown =
    '{"n":2,"users":[{"name":"bob","pin":"<masked, 4 characters>","keys":"<masked, 9 characters>"}],"url":"http://me:<masked, 6 characters>@db/"}'
  await replayer.replay(call, {isUnsafe: true, edit: {body: shown}})
  t.same(bodies, ['{"n":2,"users":[{"name":"bob","pin":1234,"keys":["a","b"]}],"url":"http://me:S3cr3t@db/"}'])
  const fewer = '{"users":[{"pin":"<masked, 4 characters>"},{}]}'
  for (const body of ['{"pin":"<masked, 4 characters>"}', 'pin=<masked, 4 characters>', fewer])
    await t.rejects(replayer.replay(call, {isUnsafe: true, edit: {body}}), /edit\.body has a mask/)
  t.equal(bodies.length, 1)
  t.throws(() => readEdit({path: '/?token=<masked, 3 characters>'}), /edit\.path/)
  t.throws(() => readEdit({headers: {'x-token': '<masked, 3 characters>'}}), /edit\.headers\.x-token has a mask/)
})

t.test('a request that offers HTTP/2, as those of Java do, is an ordinary one where that was not taken', async t => {
  const {replayer, made, heads} = await openSidecar(t, () => ({}))
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\nX-A: 1\r\n'
  await replayer.replay(made(`GET /items HTTP/1.1\r\nHost: localhost\r\n${offer}\r\n`), ASKED)
  t.match(heads[0], /^GET \/items HTTP\/1\.1\r\nHost: localhost\r\nX-A: 1\r\nPillion-Replay: /)
})

t.test('an item of a list keeps what was masked in it where it is known which item it is', async t => {
  const bodies: string[] = []
  const {replayer, made} = await openSidecar(t, (_request, body) => (bodies.push(body), {}))
  const call = made(POST_JSON, '{"users":[{"name":"ann","pin":1234},{"name":"bob","pin":5678}]}')
  const [ann, bob, eve] = ['ann', 'bob', 'eve'].map(name => `{"name":"${name}","pin":"<masked, 4 characters>"}`)
  await replayer.replay(call, {isUnsafe: true, edit: {body: `{"users":[${ann},${eve}],"page":2}`}})
  t.same(bodies, ['{"users":[{"name":"ann","pin":1234},{"name":"eve","pin":5678}],"page":2}'])
  // what has moved to the place of another one, also where that place, or its own, has no mask now
  const others = [`${bob},{"name":"eve"}`, `${bob},${bob}`]
  for (const users of [`${bob},${ann}`, `${bob}`, `${eve},${ann},${bob}`, ...others])
    await t.rejects(replayer.replay(call, {isUnsafe: true, edit: {body: `{"users":[${users}]}`}}), /body has a mask/)
  t.equal(bodies.length, 1, 'nobody is sent the secret of another')
})

t.test('a body that is one text of JSON stays one', async t => {
  const bodies: string[] = []
  const {replayer, made} = await openSidecar(t, (_request, body) => (bodies.push(body), {}))
  const call = made(POST_JSON, '"http://me:S3cr3t@db/"')
  const edit = {body: '"http://me:<masked, 6 characters>@db/"'}
  for (const body of [edit.body, ` ${edit.body}`]) await replayer.replay(call, {isUnsafe: true, edit: {body}})
  t.same(bodies, ['"http://me:S3cr3t@db/"', '"http://me:S3cr3t@db/"'])
})

t.test('an edited request is sent so; what is not edited stays as it was, and the call itself, too', async t => {
  const bodies: string[] = []
  const {replayer, made, heads, recorder} = await openSidecar(
    t,
    (_request, body) => (bodies.push(body), {body: '{"ok":false}'})
  )
  const call = made(
    'POST /v1.0/invoke/stock/method/orders/7?full=1 HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nDapr-Api-Token: abc\r\n\r\n',
    '{"item":"pen"}'
  )
  const edit = {path: '/orders/8', headers: {'x-user': null, 'x-new': 'ä'}, body: '{"item":"ink"}'}
  const {comparison, number} = await replayer.replay(call, {isUnsafe: true, edit})
  t.equal(
    heads[0],
    `POST /v1.0/invoke/stock/method/orders/8 HTTP/1.1\r\nHost: x\r\nDapr-Api-Token: abc\r\nx-new: \xe4\r\nPillion-Replay: ${call.number}\r\nContent-Length: 14\r\nConnection: close\r\n\r\n`
  )
  t.same(bodies, ['{"item":"ink"}'])
  t.match(
    comparison.differences,
    [{path: 'ok', before: 'true', after: 'false'}],
    'it is compared with the recorded answer'
  )
  t.match(recorder.call(number)?.flags, FLAG.replay | FLAG.admitted)
  await replayer.replay(call, {isUnsafe: false, edit: {method: 'GET', body: ''}})
  t.match(heads[1], /^GET \/v1\.0\/invoke\/stock\/method\/orders\/7\?full=1 HTTP\/1\.1\r\nHost: x\r\nX-User: ann/)
  t.equal(bodies[1], '')
  await t.rejects(replayer.replay(made(GET), {isUnsafe: false, edit: {method: 'DELETE'}}), /DELETE may change data/)
  const bare = made('GET /v1.0/invoke/stock/method?a=1 HTTP/1.1\r\nHost: x\r\n\r\n')
  await replayer.replay(bare, {isUnsafe: false, edit: {path: '/b?c=2'}})
  t.match(heads[2], /^GET \/v1\.0\/invoke\/stock\/method\/b\?c=2 /)
})

t.test('a replay is a call of its own, and counts in no edge', async t => {
  const {replayer, made, recorder} = await openSidecar(t, () => ({body: '{"ok":false}'}))
  const call = made(GET)
  const {number, after, comparison} = await replayer.replay(call, ASKED)
  t.equal(number, 2)
  t.match(recorder.line(2), {flags: FLAG.replay | FLAG.admitted})
  t.equal(recorder.edges.between('shop', 'stock').calls, 1)
  t.match(after, {status: 200, type: 'application/json', failure: ''})
  t.match(comparison.differences, [{path: 'ok', before: 'true', after: 'false'}])
  t.equal(recorder.replays, undefined, 'nothing is looked for any more')
  made('GET /other HTTP/1.1\r\nPillion-Replay: 1\r\n\r\n')
  t.match(recorder.line(3), {flags: FLAG.admitted}, 'the header alone makes no replay')
})

t.test('a replay of which no record is kept is over with its answer', {timeout: 20_000}, async t => {
  const {replayer, made} = await openSidecar(t, () => ({isDropped: true, status: 202}))
  t.match(await replayer.replay(made(GET), ASKED), {after: {status: 202}})
  t.equal(replayer.context.recorder.replays, undefined)
})

t.test('no answer, a broken one, one of the sidecar alone', async t => {
  const {replayer, made} = await openSidecar(t, () => ({isCut: true}))
  t.match(await replayer.replay(made(GET), ASKED), {number: 2, after: {status: 0, failure: 'the callee has left'}})
  t.match(await replayer.replay(made('GET /refused HTTP/1.1\r\nHost: x\r\n\r\n'), ASKED), {
    number: 0,
    after: {status: 401},
    comparison: {differences: [{what: 'status', before: '200', after: '401'}, {}, {}]}
  })
  const nobody = await openSidecar(t, () => ({}), {placeOf: () => ({host: '127.0.0.1', port: 1})})
  t.match(await nobody.replayer.replay(nobody.made(GET), ASKED), {
    number: 0,
    after: {status: 0, failure: /ECONNREFUSED/}
  })
  const odd = made('GET /items HTTP/1.1\r\nHost: x\r\nx-odd: a\x01b\r\n\r\n')
  t.match(await replayer.replay(odd, ASKED), {number: 0, after: {status: 0, failure: /Invalid character in header/}})
})

t.test('of a stream without end the head alone is waited for, and compared', {timeout: 10_000}, async t => {
  const types = ['text/event-stream; charset=utf-8', 'application/x-ndjson', 'text/event-stream']
  const {replayer, made} = await openSidecar(t, ({url}) => {
    const [, at = '', status = '200'] = (url ?? '').split('/')
    return {isEndless: true, type: types[Number(at)] ?? '', status: Number(status), body: 'data: 2\n\n'}
  })
  const answered = async (path: string, type = types[Number(path[1])]): Promise<unknown> =>
    (await replayer.replay(made(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, '', 'data: 1\n\n', type), ASKED)).comparison
  t.match(await answered('/0'), {count: 0})
  t.match(await answered('/1'), {count: 0})
  t.match(await answered('/2/404'), {differences: [{what: 'status', before: '200', after: '404'}], count: 1})
})

t.test('two replays of one call take turns; the end of the run ends them', async t => {
  const waiting: (() => void)[] = []
  const came = Promise.withResolvers<void>()
  const {replayer, made, heads} = await openSidecar(t, async () => {
    came.resolve()
    await new Promise<void>(resolve => waiting.push(resolve))
    return {}
  })
  const call = made(GET)
  const first = replayer.replay(call, ASKED)
  const second = replayer.replay(call, ASKED)
  await came.promise
  t.equal(heads.length, 1)
  waiting.shift()?.()
  t.match(await first, {number: 2, after: {status: 200}})
  while (waiting.length === 0) await new Promise(setImmediate)
  t.equal(heads.length, 2)
  replayer.close()
  waiting.shift()?.()
  t.match(await second, {number: 3})
})

t.test('what is not sent again', async t => {
  const {replayer, made, recorder} = await openSidecar(t, () => ({}))
  const refused = async (call: Parameters<typeof replayer.replay>[0]): Promise<string> => {
    const {refusal, after} = await replayer.tryReplay(call, ASKED)
    t.equal(after, undefined)
    return refusal?.message ?? ''
  }
  const call = made(GET)
  t.match(await refused({...call, flags: call.flags | FLAG.grpc}), 'it is a call of gRPC')
  const own = {
    ...call,
    edgeOf: recorder.edges.between(call.edgeOf.callee, call.edgeOf.callee),
    flags: call.flags | FLAG.own
  }
  t.match(await refused(own), 'the sidecar made it itself')
  t.match(await refused({...call, flags: call.flags | FLAG.own | FLAG.grpc}), 'it is an event over gRPC')
  t.match(await refused({...call, flags: call.flags | FLAG.shadow}), 'it is a copy for a shadow')
  t.match(await refused({...call, flags: call.flags | FLAG.open}), 'it is under way')
  t.match(await refused({...call, pieces: []}), 'its bytes are no longer kept')
  t.match(await refused({...call, requestBytes: 7}), 'its body is kept in part only')
  t.match(
    await refused(made('GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')),
    'it opened a websocket'
  )
  t.match(await refused(made('POST / HTTP/1.1\r\n\r\n')), 'POST may change data')
  t.match(await refused(made('PURGE / HTTP/1.1\r\n\r\n')), 'PURGE may change data')
  const gone = await openSidecar(t, () => ({}), {placeOf: () => undefined})
  const outside = {...call, edgeOf: recorder.edges.between('external', 'stock')}
  t.match((await gone.replayer.tryReplay(outside, ASKED)).refusal?.message, 'it came from outside to the manager')
  t.match((await gone.replayer.tryReplay(gone.made(GET), ASKED)).refusal?.message, 'shop has no sidecar in this run')
  t.equal(recorder.last, 4, 'nothing was sent')
})

t.test('a replay that is over leaves no listener at the signal of the run', {timeout: 8000}, async t => {
  const {replayer, made} = await openSidecar(t, () => ({}))
  const any = AbortSignal.any.bind(AbortSignal)
  t.teardown(() => (AbortSignal.any = any))
  const given: AbortSignal[] = []
  AbortSignal.any = signals => {
    const signal = any(signals)
    given.push(signal)
    return signal
  }
  await replayer.replay(made('GET /items HTTP/1.1\r\n\r\n'), {isUnsafe: false})
  const [signal] = given
  if (signal === undefined) throw new Error('there is no signal')
  // that of the request goes once its connection is closed
  while (getEventListeners(signal, 'abort').length > 0) await new Promise(resolve => setImmediate(resolve))
})
