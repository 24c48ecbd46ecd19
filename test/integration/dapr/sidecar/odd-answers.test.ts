import {once} from 'node:events'
import http2 from 'node:http2'
import type net from 'node:net'
import t, {type Test} from 'tap'
import {ask, request} from './caller.ts'
import {isCut, LENGTH, READ, UPGRADE} from './odd-answers.ts'
import {onRequest, openTestSidecar, rawApp} from './rig.ts'

interface Got {
  readonly status: number
  readonly body: string
  /** Header lines where the caller reads text, names and values else. */
  readonly headers: string
}

const asked = async (t: Test, port: number, text: string): Promise<Got | undefined> => {
  const answer = await ask(t, port, text)
  return answer && {...answer, headers: answer.head}
}

/** Takes a request off the fast path. */
const NOT_PLAIN = 'Baggage: a=b\r\n'

/** The same call by each way through a sidecar. */
const WAYS: Readonly<Record<string, (t: Test, port: number) => Promise<Got | undefined>>> = {
  'fast path': async (t, port) => asked(t, port, request({body: 'x'})),
  'node:http': async (t, port) => asked(t, port, request({lines: NOT_PLAIN, body: 'x'})),
  h2c: async (t, port) => {
    const session = http2.connect(`http://127.0.0.1:${port}`).on('error', () => undefined)
    t.teardown(() => session.destroy())
    const stream = session
      .request({':method': 'POST', ':path': '/v1.0/invoke/b/method/echo', 'content-length': 1})
      .end('x')
    let body = ''
    stream.setEncoding('latin1').on('data', piece => (body += piece))
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & {':status': number}]
    await once(stream, 'end')
    session.close()
    return {status: headers[':status'], body, headers: JSON.stringify(headers)}
  },
  upgrade: async (t, port) => asked(t, port, request({method: 'GET', lines: UPGRADE}))
}

/** An app that answers each request by these bytes, and stays: whoever waits for more waits for ever. */
const answering = async (t: Test, bytes: string, write = whole): Promise<number> =>
  rawApp(t, socket => onRequest(socket, () => write(socket, bytes)))

const whole = (socket: net.Socket, bytes: string): void => void socket.write(bytes, 'latin1')

const byteByByte = (socket: net.Socket, bytes: string): void => {
  if (bytes === '' || socket.destroyed) return
  socket.write(bytes.slice(0, 1), 'latin1', () => setImmediate(() => byteByByte(socket, bytes.slice(1))))
}

for (const [what, bytes, status = 200, fields = /./] of READ) {
  t.test(`an answer with ${what} is read as Go reads it`, async t => {
    for (const write of [whole, byteByByte]) {
      const {port, underWay} = await openTestSidecar(t, {appPort: await answering(t, bytes, write)})
      for (const [way, call] of Object.entries(WAYS)) {
        const got = await call(t, port)
        t.match(got, {status, body: 'ok'}, `${way}, ${write.name}`)
        t.match(got?.headers, fields)
        t.notMatch(got?.headers, /[^\r]\n/, 'what goes on is as the RFC writes it')
      }
      t.equal(underWay(), 0)
    }
  })
}

/** What is no answer, and the caller is told so. The app stays, and says no more. */
const REFUSED: readonly (readonly [what: string, bytes: string, why: string | RegExp])[] = [
  ['another protocol', '220 hello\n', /malformed HTTP response \\"220 hello\\"/],
  ['another protocol, without the end of a line', '220 hello', /malformed HTTP response/],
  ['a word', 'garbage', /malformed HTTP response \\"garbage\\"/],
  ['a single byte', '\0', /malformed HTTP response/],
  ['an empty line', '\n', /malformed HTTP response/],
  ['TLS', '\x15\x03\x01\x00\x02\x02\x46', /malformed HTTP response/],
  ['a greeting of MySQL', 'J\x00\x00\x00\x0a8.0.31\x00', /malformed HTTP response/],
  ['HTTP/0.9', '<html>\n', /malformed HTTP response/],
  ['HTTP in small letters', 'http/1.1 200 OK\n', /malformed HTTP response/],
  ['a version of no meaning', 'HTTP/x.y 200 OK\n', /malformed HTTP response/],
  ['no status', 'HTTP/1.1\n', /malformed HTTP response/],
  ['a sign', 'HTTP/1.1 +20 OK\n', /malformed HTTP response/],
  ['a field without a colon', 'HTTP/1.1 200 OK\nhello\n', /malformed MIME header line: \\"hello\\"/],
  ['a field without a name', 'HTTP/1.1 200 OK\n: a\n', /malformed MIME header line/],
  ['a first field that is folded', 'HTTP/1.1 200 OK\n a: b\n', /malformed MIME header line/],
  ['a control character in a field', 'HTTP/1.1 200 OK\nX-A: \0\n', /malformed MIME header line/],
  ['a bare CR in a field', 'HTTP/1.1 200 OK\nX-A: a\rb\n', /malformed MIME header line/],
  ['two lengths', 'HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\nab', /Content-Length/],
  ['a length that is none', 'HTTP/1.1 200 OK\nContent-Length: +1\n\na', /bad Content-Length \\"\+1\\"/],
  ['an empty length', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n', /Content-Length/],
  ['a coding of no meaning', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', /unsupported transfer encoding: \\"gzip, chunked\\"/],
  ['two codings', 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n', /unsupported transfer encoding/],
  ['no end to its head', `HTTP/1.1 200 OK\nX-A: ${'a'.repeat(70_000)}`, /malformed HTTP response/],
  ['no end to its fields', `HTTP/1.1 200 OK\n${'X-A: b\n'.repeat(10_000)}`, /malformed HTTP response/],
  ['six interim answers', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(6), /too many 1xx informational responses/],
  ['interim answers without end', 'HTTP/1.1 100 Continue\n\n'.repeat(500), /too many 1xx informational responses/]
] // prettier-ignore

for (const [what, bytes, why] of REFUSED) {
  t.test(`an answer with ${what} is an error at once`, async t => {
    const {port, underWay} = await openTestSidecar(t, {appPort: await answering(t, bytes)})
    for (const [way, call] of Object.entries(WAYS)) {
      const got = await call(t, port)
      t.match(got, {status: 500, body: /"errorCode":"ERR_DIRECT_INVOKE"/}, way)
      t.match(got?.body, why, way)
    }
    t.equal(underWay(), 0)
  })
}

t.test('an app that hangs up within such an answer: its callers hear of it, and never take it for whole', async t =>
  isCut(t, at => at % 12 === 0)
)

t.test('an app that hangs up behind an interim answer has not been silent: nothing is sent again', async t => {
  let calls = 0
  const appPort = await rawApp(t, socket =>
    onRequest(socket, () => {
      if (++calls === 1) return void socket.write(`HTTP/1.1 200 OK\r\n${LENGTH}\r\nok`)
      socket.end('HTTP/1.1 102 Processing\r\n\r\n')
    })
  )
  const {port} = await openTestSidecar(t, {appPort})
  t.match(await ask(t, port, request({method: 'GET'})), {status: 200})
  t.match(await ask(t, port, request({method: 'GET'})), {status: 500, body: /unexpected EOF/})
  t.equal(calls, 2)
})
