import t from 'tap'
import {connect} from './caller.ts'
import {data, END_STREAM, framesOf, HEADERS, headers, PREFACE, request, RST_STREAM} from './frames.ts'
import {isAnswered, HEALTH} from './resets.ts'
import {onRequest, openTestSidecar, rawApp} from './rig.ts'

const CALL = {':method': 'POST', ':path': '/v1.0/invoke/b/method/x'}
const PROTOCOL_ERROR = 1

/** Requests that break the rules (RFC 9113 §8): as text of HTTP/1 some of them would be two requests. */
const MALFORMED: Readonly<Record<string, string>> = {
  'a line end in a value': request(1, {...CALL, 'x-a': 'b\r\nContent-Length: 5'}),
  'a line end in a path': request(1, {...CALL, ':path': '/v1.0/invoke/b/method/x HTTP/1.1\r\nX: y'}),
  'a space in a path': request(1, {...CALL, ':path': '/v1.0/invoke/b/method/x y'}),
  'a path that does not begin with a slash': request(1, {...CALL, ':path': 'x'}),
  'a space in a method': request(1, {...CALL, ':method': 'POST /y HTTP/1.1'}),
  'a name with a capital': request(1, {...CALL, 'X-A': 'b'}),
  'a name with a colon': request(1, {...CALL, 'x:a': 'b'}),
  'an unknown pseudo-header': request(1, {...CALL, ':status': '200'}),
  'a pseudo-header behind the others': headers(1, {
    ':scheme': 'http',
    ':path': CALL[':path'],
    'x-a': 'b',
    ':method': 'POST',
    ':authority': 'localhost'
  }),
  'a header of a connection': request(1, {...CALL, 'transfer-encoding': 'chunked'}),
  'TE with more than trailers': request(1, {...CALL, te: 'gzip'}),
  'no scheme': headers(1, {...CALL, ':authority': 'localhost'}),
  'a length that is no number': request(1, {...CALL, 'content-length': '+5'}, 0) + data(1, 'hello', END_STREAM),
  'a length without a body': request(1, {...CALL, 'content-length': '5'}),
  'less than its length': request(1, {...CALL, 'content-length': '5'}, 0) + data(1, 'hell', END_STREAM),
  'more than its length': request(1, {...CALL, 'content-length': '5'}, 0) + data(1, 'hello world', END_STREAM)
}

for (const [what, text] of Object.entries(MALFORMED))
  t.test(`${what}: the stream is reset, no app gets a whole request, and the connection goes on`, async t => {
    const heads: string[] = []
    const appPort = await rawApp(t, socket => onRequest(socket, head => heads.push(head)))
    const {port, underWay} = await openTestSidecar(t, {appPort})
    const caller = await connect(t, port)
    caller.send(PREFACE + text)
    await caller.until(each => framesOf(each).frames.some(({type, stream}) => type === RST_STREAM && stream === 1))
    caller.send(request(3, HEALTH))
    await caller.until(isAnswered)
    const {frames} = framesOf(caller.text)
    t.notOk(frames.some(({type, stream}) => type === HEADERS && stream === 1))
    t.equal(frames.find(({type}) => type === RST_STREAM)?.payload.charCodeAt(3), PROTOCOL_ERROR)
    t.equal(underWay(), 0)
    // its connection ends with the body that is not whole
    if (!what.endsWith('length')) t.strictSame(heads, [])
  })

t.test('a head that is too large is answered by 431, and the connection goes on', async t => {
  const {port} = await openTestSidecar(t, {limits: {maxBodyBytes: 0, readBufferBytes: 1024}})
  const caller = await connect(t, port)
  let fields = {}
  for (let n = 0; n < 120; n++) fields = {...fields, [`x-${n}`]: 'v'.repeat(100)}
  caller.send(PREFACE + request(1, {...HEALTH, ...fields}) + request(3, HEALTH))
  await caller.until(isAnswered)
  const head = framesOf(caller.text).frames.find(({type, stream}) => type === HEADERS && stream === 1)
  t.match(head?.payload, '431')
})
