import t from 'tap'
import {connect} from '../caller.ts'
import {END_HEADERS, END_STREAM, frame, framesOf, HEADERS, headers, PREFACE, request, RST_STREAM} from '../frames.ts'
import {echoClient, grpcApp, openTestGrpcPort} from './rig.ts'

const WITHOUT_ID = {':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc'}
const CALL = {...WITHOUT_ID, 'dapr-app-id': 'b'}

/** What is sent beside a good call, and what comes back: status of HTTP, code, message. */
const CALLS: readonly (readonly [
  what: string,
  fields: Readonly<Record<string, string>>,
  status: number,
  code: number,
  message: string
])[] = [
  [
    'another content-type',
    {'content-type': 'application/json'},
    415,
    3,
    'invalid gRPC request content-type "application/json"'
  ],
  [
    'grpc-web',
    {'content-type': 'application/grpc-web'},
    415,
    3,
    'invalid gRPC request content-type "application/grpc-web"'
  ],
  ['no content-type', {'content-type': ''}, 415, 3, 'invalid gRPC request content-type ""'],
  ['another method', {':method': 'GET'}, 405, 13, 'should be POST'],
  ['one part', {':path': '/x'}, 200, 12, 'malformed method name: "/x"'],
  ['a timeout of words', {'grpc-timeout': 'soon'}, 400, 13, 'malformed grpc-timeout: soon'],
  ['a timeout without a unit', {'grpc-timeout': '5'}, 400, 13, 'malformed grpc-timeout: 5'],
  ['a timeout of 9 digits', {'grpc-timeout': '123456789m'}, 400, 13, 'malformed grpc-timeout: 123456789m'],
  ['a timeout of nothing', {'grpc-timeout': '0m'}, 200, 4, 'context deadline exceeded'],
  ['binary metadata that is no base64', {'x-bin': '\u00ff!'}, 400, 13, 'malformed binary metadata'],
  ['a foreign authority', {':authority': 'evil.example'}, 200, 7, 'names another machine'],
  [
    'a foreign origin, to the sidecar itself',
    {':path': '/dapr.proto.runtime.v1.Dapr/SaveState', origin: 'http://evil.example'},
    403,
    7,
    'web pages from elsewhere'
  ],
  ['baggage that is none', {baggage: '=;'}, 200, 3, 'invalid baggage header: ']
]

t.test('calls that are none: the status of HTTP, the code and why', async t => {
  const {port, records, warnings} = await openTestGrpcPort(t)
  const caller = await connect(t, port)
  caller.send(PREFACE)
  for (const [index, [what, fields, status, code, message]] of CALLS.entries()) {
    const stream = 2 * index + 1
    const head = (text: string): string | undefined =>
      framesOf(text).frames.find(each => each.type === HEADERS && each.stream === stream)?.payload
    caller.send(request(stream, {...CALL, ...fields}))
    await caller.until(text => head(text) !== undefined)
    const answer = head(caller.text) ?? ''
    t.ok(status === 200 ? answer.startsWith('\x88') : answer.includes(status.toString()), `${what}: ${status}`)
    t.ok(answer.includes(`grpc-status${String.fromCharCode(code.toString().length)}${code}`), `${what}: code`)
    t.ok(answer.includes(message.replaceAll('%', '%25')), `${what}: ${message}`)
    t.match(records.at(-1), {grpcStatus: code, status})
  }
  t.strictSame(warnings, [])
})

t.test('application/grpc with anything behind it is taken, and answered in kind', async t => {
  const {port} = await openTestGrpcPort(t)
  for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;x=y']) {
    const caller = await connect(t, port)
    caller.send(PREFACE + request(1, {...CALL, 'dapr-app-id': 'nobody', 'content-type': type}))
    await caller.until(text => text.includes('nobody (why)'))
    t.ok(caller.text.includes(type))
    caller.socket.destroy()
  }
})

/** What breaks the rules of HTTP/2 for one call, and for no other. */
const BROKEN_HEADS: Readonly<Record<string, string>> = {
  'a name in capitals': request(1, {...CALL, 'X-A': '1'}),
  'a field of a connection': request(1, {...CALL, connection: 'close'}),
  'an unknown pseudo field': request(1, {...CALL, ':x': '1'}),
  'a pseudo field behind others': headers(1, {...CALL, ':scheme': 'http'}),
  'no path': headers(1, {':method': 'POST', ':scheme': 'http', 'content-type': 'application/grpc'}),
  'a name with a blank': request(1, {...CALL, 'x a': '1'}),
  'more bytes than are taken': request(1, {
    ...CALL,
    ...Object.fromEntries(Array.from({length: 50}, (_, n) => [`x-${n}`, 'x'.repeat(90)]))
  })
}

t.test('a head that breaks the rules: its stream is reset, the next call goes on', async t => {
  const {port} = await openTestGrpcPort(t)
  for (const [what, broken] of Object.entries(BROKEN_HEADS)) {
    const caller = await connect(t, port)
    caller.send(PREFACE + broken + request(3, {...CALL, 'dapr-app-id': 'nobody'}))
    await caller.until(text => text.includes('nobody (why)'))
    const {frames} = framesOf(caller.text)
    t.ok(
      frames.some(({type, stream}) => type === RST_STREAM && stream === 1),
      what
    )
    t.notOk(
      frames.some(({type, stream}) => type === HEADERS && stream === 1),
      what
    )
    caller.socket.destroy()
  }
})

t.test('DAPR_API_TOKEN: every call needs it, and it never reaches the app', async t => {
  const seen: unknown[] = []
  const appPort = await grpcApp(t, {
    unary: (call, done) => {
      seen.push(call.metadata.get('dapr-api-token'))
      done(null, call.request)
    }
  })
  const client = echoClient(t, (await openTestGrpcPort(t, {appPort, apiToken: 'secret'})).port)
  const details = async (token: Parameters<typeof client.call>[0]): Promise<string> => {
    const {code, message, trailers} = await client.call(token)
    t.match({code, message}, {code: 16, message: 'Unauthorized'})
    return String(trailers.get('grpc-status-details-bin')[0])
  }
  t.match(
    await details({}),
    /google\.rpc\.ErrorInfo.*Unauthorized.*dapr\.io.*http\.code.*401.*missing api token in request metadata/s
  )
  t.match(await details({'dapr-api-token': 'wrong'}), /authentication error: api token mismatch/)
  t.match(await details({'dapr-api-token': ['', 'secret']}), /api token mismatch/, 'the first one counts')
  t.match(await client.call({'dapr-api-token': 'secret'}), {code: 0})
  t.strictSame(seen, [[]])
})

/** `dapr-app-id: nobody`, which goes into the table of the connection (RFC 7541 §6.2.1), and later as its latest entry. */
const ADDED = '\x40\x0bdapr-app-id\x06nobody'
const LATEST = '\xbe'

t.test('fields that nobody reads count for the table of their connection', async t => {
  const {port} = await openTestGrpcPort(t, {appPort: await grpcApp(t)})
  for (const path of ['/test.Echo/Both', '/dapr.proto.runtime.v1.Dapr/GetMetadata']) {
    const caller = await connect(t, port)
    const open = request(1, {...CALL, ':path': path}, 0)
    const trailers = frame(HEADERS, {stream: 1, flags: END_HEADERS | END_STREAM, payload: ADDED})
    const {payload = ''} = framesOf(request(3, WITHOUT_ID)).frames[0] ?? {}
    const again = frame(HEADERS, {stream: 3, flags: END_HEADERS | END_STREAM, payload: payload + LATEST})
    caller.send(PREFACE + open + trailers + again)
    await caller.until(text => text.includes('nobody (why)'))
    t.match(caller.text, /nobody \(why\)/, path)
    caller.socket.destroy()
  }
})
