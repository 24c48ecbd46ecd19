import type {Test} from 'tap'
import {ask, request, type Answer} from './caller.ts'
import {
  echoApp,
  onBothPaths,
  onRequest,
  openTestSidecar,
  rawApp,
  valuesOf,
  type SidecarSettings,
  type Seen
} from './rig.ts'

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/

/** What the app sees of a request with these lines, and what the caller gets. */
const seenOf = async (
  t: Test,
  lines: string,
  {callee = 'b', path = '/x', ...settings}: SidecarSettings & {callee?: string; path?: string} = {}
): Promise<{readonly seen: Seen; readonly answer: Answer | undefined}> => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {...settings, appPort})
  const text = `POST /v1.0/invoke/${callee}/method${path} HTTP/1.1\r\nHost: localhost\r\n${lines}Content-Length: 2\r\n\r\nok`
  const answer = await ask(t, port, text)
  return {seen: seen[0] ?? {method: '', url: '', headers: [], body: ''}, answer}
}

/** An answer of an app with these lines, as the caller sees it. */
const answerOf = async (t: Test, status: number, lines: string, text = request()): Promise<Answer | undefined> => {
  const appPort = await rawApp(t, socket => {
    onRequest(socket, () => {
      socket.write(`HTTP/1.1 ${status} X\r\n${lines}Content-Length: 2\r\n\r\nok`)
    })
  })
  const {port} = await openTestSidecar(t, {appPort})
  return ask(t, port, text)
}

onBothPaths('another app gets the ids of caller and callee, and the caller’s address', async t => {
  const {seen} = await seenOf(t, '')
  t.strictSame(valuesOf(seen, 'dapr-caller-app-id'), ['a'])
  t.strictSame(valuesOf(seen, 'dapr-caller-namespace'), ['default'])
  t.strictSame(valuesOf(seen, 'dapr-callee-app-id'), ['b'])
  t.strictSame(valuesOf(seen, 'x-forwarded-for'), ['10.1.2.3'])
  t.strictSame(valuesOf(seen, 'x-forwarded-host'), ['laptop'])
  t.strictSame(valuesOf(seen, 'forwarded'), ['for=10.1.2.3;by=10.1.2.3;host=laptop'])
  t.match(valuesOf(seen, 'host')[0], /^127\.0\.0\.1:\d+$/)
  t.equal(valuesOf(seen, 'host').length, 1)
})

onBothPaths('the sidecar’s own app gets no forwarding headers', async t => {
  const {seen} = await seenOf(t, '', {callee: 'a'})
  t.strictSame(valuesOf(seen, 'dapr-caller-app-id'), ['a'])
  t.strictSame(valuesOf(seen, 'dapr-callee-app-id'), ['a'])
  for (const name of ['x-forwarded-for', 'x-forwarded-host', 'forwarded']) t.strictSame(valuesOf(seen, name), [])
})

onBothPaths('an IPv6 address is quoted and in brackets', async t => {
  const identity = {namespace: 'shop', address: 'fd00::1', hostName: 'laptop'}
  const {seen} = await seenOf(t, '', {identity})
  t.strictSame(valuesOf(seen, 'forwarded'), ['for="[fd00::1]";by="[fd00::1]";host=laptop'])
  t.strictSame(valuesOf(seen, 'x-forwarded-for'), ['fd00::1'])
  t.strictSame(valuesOf(seen, 'dapr-caller-namespace'), ['shop'])
})

onBothPaths('caller headers cannot be spoofed in any case, and forwarding headers are only extended', async t => {
  const spoofed = ['dapr-caller-app-id', 'Dapr-Caller-App-Id', 'DAPR-CALLEE-APP-ID', 'dapr-caller-NAMESPACE']
  const {seen} = await seenOf(t, `${spoofed.map(name => `${name}: evil\r\n`).join('')}X-Forwarded-For: 1.2.3.4\r\n`)
  t.notMatch(seen.headers.join(' '), /evil/)
  t.strictSame(valuesOf(seen, 'dapr-caller-app-id'), ['a'])
  t.strictSame(valuesOf(seen, 'x-forwarded-for'), ['1.2.3.4', '10.1.2.3'])
})

onBothPaths('hop-by-hop headers are not passed on', async t => {
  const lines =
    'Connection: keep-alive, X-Named, x-other\r\nX-Named: 1\r\nX-OTHER: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n' +
    'Trailer: x\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: a\r\nProxy-Authenticate: b\r\n' +
    'Upgrade: h2c\r\nHTTP2-Settings: AAA\r\nX-Kept: 1\r\n'
  const {seen, answer} = await seenOf(t, lines)
  t.equal(answer?.status, 200)
  const gone = ['connection', 'x-named', 'x-other', 'keep-alive', 'te', 'trailer', 'proxy-connection']
  for (const name of [...gone, 'proxy-authorization', 'proxy-authenticate', 'upgrade', 'http2-settings'])
    t.strictSame(valuesOf(seen, name), [], name)
  t.strictSame(valuesOf(seen, 'x-kept'), ['1'])
})

onBothPaths('gRPC headers get a prefix, and binary ones are dropped', async t => {
  const lines = 'grpc-timeout: 1S\r\nGRPC-Encoding: gzip\r\ngrpc-trace-bin: AA\r\nX-Data-Bin: AA\r\nX-Binary: b\r\n'
  const {seen} = await seenOf(t, lines)
  t.strictSame(valuesOf(seen, 'dapr-grpc-timeout'), ['1S'])
  t.strictSame(valuesOf(seen, 'dapr-grpc-encoding'), ['gzip'])
  t.strictSame(valuesOf(seen, 'x-binary'), ['b'])
  for (const name of ['grpc-timeout', 'grpc-encoding', 'grpc-trace-bin', 'dapr-grpc-trace-bin', 'x-data-bin'])
    t.strictSame(valuesOf(seen, name), [], name)
  const answer = await answerOf(t, 200, 'Grpc-Status: 0\r\nX-Data-Bin: AA\r\nX-A: 1\r\n')
  t.equal(answer?.headers['dapr-grpc-status'], '0')
  t.equal(answer?.headers['x-a'], '1')
  t.equal(answer?.headers['grpc-status'], undefined)
  t.equal(answer?.headers['x-data-bin'], undefined)
})

onBothPaths('other headers are passed on unchanged, repeated ones repeatedly', async t => {
  const lines =
    'authorization: Bearer x\r\nCookie: a=b\r\nX-Twice: 1\r\nx-twice: 2\r\nUser-Agent: me\r\nOrigin: http://x\r\n' +
    'Accept: a/b;q=1, "c,d"\r\ndestination-app-id: c\r\n'
  const {seen} = await seenOf(t, lines)
  t.strictSame(valuesOf(seen, 'authorization'), ['Bearer x'])
  t.strictSame(valuesOf(seen, 'cookie'), ['a=b'])
  t.strictSame(valuesOf(seen, 'x-twice'), ['1', '2'])
  t.strictSame(valuesOf(seen, 'user-agent'), ['me'])
  t.strictSame(valuesOf(seen, 'origin'), ['http://x'])
  t.strictSame(valuesOf(seen, 'accept'), ['a/b;q=1, "c,d"'])
  t.strictSame(valuesOf(seen, 'destination-app-id'), [])
})

onBothPaths('a call without a trace gets one, which the response contains', async t => {
  for (const lines of ['', 'traceparent: nonsense\r\n', `tracestate: a=b\r\n`]) {
    const {seen, answer} = await seenOf(t, lines)
    const [trace = ''] = valuesOf(seen, 'traceparent')
    t.match(trace, TRACEPARENT)
    t.equal(valuesOf(seen, 'traceparent').length, 1)
    t.equal(answer?.headers['traceparent'], trace)
    t.strictSame(valuesOf(seen, 'tracestate'), [])
  }
})

onBothPaths('a valid trace is passed on unchanged in both directions', async t => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const {seen, answer} = await seenOf(t, `TraceParent: ${trace}\r\nTraceState: a=b\r\n`)
  t.strictSame([valuesOf(seen, 'traceparent'), valuesOf(seen, 'tracestate')], [[trace], ['a=b']])
  t.equal(answer?.headers['traceparent'], trace)
  t.equal(answer?.headers['tracestate'], 'a=b')
})

onBothPaths('a trace in the app’s response is kept', async t => {
  const answer = await answerOf(t, 200, 'TraceParent: 00-aa\r\n')
  t.equal(answer?.headers['traceparent'], '00-aa')
})

onBothPaths('health checks of an app have no span, but a trace', async t => {
  const sent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  for (const [lines, expected] of [
    [`traceparent: ${sent}\r\n`, sent],
    ['traceparent: x\r\n', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/],
    ['', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/]
  ] as const) {
    const {seen, answer} = await seenOf(t, lines, {path: '/healthz'})
    t.match(valuesOf(seen, 'traceparent'), [expected], lines)
    t.equal(answer?.headers['traceparent'], undefined)
  }
})

onBothPaths('baggage is passed on and echoed; invalid baggage is refused', async t => {
  const {seen, answer} = await seenOf(t, 'baggage: a=b%20c;p\r\nbaggage: d=e\r\n')
  t.strictSame(valuesOf(seen, 'baggage'), ['a=b%20c;p'])
  t.equal(answer?.headers['baggage'], 'a=b%20c;p,d=e')
  const refused = await seenOf(t, 'baggage: no pair\r\n')
  t.match(refused.answer, {
    status: 400,
    headers: {'content-type': 'text/plain; charset=utf-8'},
    body: 'invalid baggage header: invalid baggage list-member: "no pair"\n'
  })
})

onBothPaths('hop-by-hop headers of a response are not passed on, including those named in Connection', async t => {
  const lines =
    'Connection: X-Named\r\nX-Named: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nTrailer: a\r\nTE: x\r\n' +
    'Upgrade: h2c\r\nHTTP2-Settings: A\r\nProxy-Connection: x\r\nX-Kept: 1\r\n'
  const answer = await answerOf(t, 200, lines)
  t.strictSame(Object.keys(answer?.headers ?? {}).toSorted(), ['content-length', 'traceparent', 'x-kept'])
})

onBothPaths('an error without a content type gets application/json, if Dapr would have read its body', async t => {
  t.equal((await answerOf(t, 404, ''))?.headers['content-type'], 'application/json')
  t.equal((await answerOf(t, 404, 'content-type: text/x\r\n'))?.headers['content-type'], 'text/x')
  t.equal((await answerOf(t, 200, ''))?.headers['content-type'], undefined)
})

onBothPaths("tokens: the sidecar's is checked and removed, the callee's is set", async t => {
  const open = await seenOf(t, 'dapr-api-token: mine\r\n')
  t.strictSame(valuesOf(open.seen, 'dapr-api-token'), ['mine'], 'passed on where no sidecar asks for one')
  const tokens = {api: 'secret', app: 'inner'}
  const remote = await seenOf(t, 'dapr-api-token: secret\r\n', {tokens})
  t.strictSame(valuesOf(remote.seen, 'dapr-api-token'), [])
  const local = await seenOf(t, 'Dapr-Api-Token: secret\r\n', {tokens, callee: 'a'})
  t.strictSame(valuesOf(local.seen, 'dapr-api-token'), ['inner'])
  for (const lines of ['', 'dapr-api-token: wrong\r\n']) {
    const {answer} = await seenOf(t, lines, {tokens})
    t.match(answer, {
      status: 401,
      headers: {'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff'},
      body: 'invalid api token\n'
    })
  }
})

onBothPaths('headers keep their order', async t => {
  const {seen} = await seenOf(t, 'X-C: 1\r\nX-A: 2\r\nX-B: 3\r\n')
  t.strictSame(
    seen.headers.filter(each => /^x-[abc]$/i.test(each)),
    ['X-C', 'X-A', 'X-B']
  )
  const answer = await answerOf(t, 200, 'X-C: 1\r\nX-A: 2\r\nX-B: 3\r\n')
  t.match(answer?.head, /X-C: 1\r\nX-A: 2\r\nX-B: 3\r\n/)
})

onBothPaths('without tracing, traces are passed on unchanged and none is created', async t => {
  const none = await seenOf(t, '', {tracing: {isTracing: false, tracer: undefined}})
  t.strictSame(valuesOf(none.seen, 'traceparent'), [])
  t.equal(none.answer?.headers['traceparent'], undefined)
  const some = await seenOf(t, 'traceparent: x\r\ntracestate: y\r\nbaggage: no pair\r\n', {
    tracing: {isTracing: false, tracer: undefined}
  })
  t.strictSame([valuesOf(some.seen, 'traceparent'), valuesOf(some.seen, 'tracestate')], [['x'], ['y']])
  t.strictSame(valuesOf(some.seen, 'baggage'), ['no pair'])
  t.equal(some.answer?.headers['traceparent'], undefined)
  t.equal(some.answer?.headers['baggage'], undefined)
})

onBothPaths('an empty User-Agent is not passed on, any other is', async t => {
  const {port: appPort, seen} = await echoApp(t)
  const {port} = await openTestSidecar(t, {appPort})
  for (const [line, expected] of [
    ['User-Agent:\r\n', []],
    ['user-agent: \t \r\n', []],
    ['User-Agent: x\r\n', ['x']],
    ['User-Agent:x y\r\n', ['x y']]
  ] as const) {
    for (const more of ['', 'Baggage: a=b\r\n']) {
      t.match(await ask(t, port, request({method: 'GET', lines: `X-A: 1\r\n${line}${more}X-B: 2\r\n`})), {status: 200})
      const last = seen.at(-1)
      t.strictSame(last && valuesOf(last, 'user-agent'), expected, JSON.stringify(line))
      t.strictSame(last && [...valuesOf(last, 'x-a'), ...valuesOf(last, 'x-b')], ['1', '2'])
    }
  }
})

onBothPaths('304 has neither Content-Type nor Content-Length, and all other headers', async t => {
  const appPort = await rawApp(t, socket =>
    onRequest(socket, () =>
      socket.write(
        'HTTP/1.1 304 X\r\nETag: "a"\r\ncontent-type: text/x\r\nContent-Length: 5\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n'
      )
    )
  )
  const {port} = await openTestSidecar(t, {appPort})
  for (const method of ['GET', 'HEAD']) {
    const answer = await ask(t, port, request({method}))
    t.match(answer, {status: 304, headers: {etag: '"a"', date: 'Mon, 01 Jan 2024 00:00:00 GMT'}})
    t.notMatch(answer?.head, /content-(?:type|length)/i)
  }
})
