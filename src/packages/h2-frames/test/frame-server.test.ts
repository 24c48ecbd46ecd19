import {once} from 'node:events'
import http2 from 'node:http2'
import net, {type AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {encodeField} from '../field-text.ts'
import {DISCARDED, FrameServer} from '../frame-server.ts'
import {DATA, END_STREAM, frameHead, headersFrames, MAX_WINDOW, SETTINGS, uint32, windowFrame} from '../frames.ts'
import {CONNECTION_WINDOW, PREFACE, SERVER_GREETING, STREAM_WINDOW} from '../greeting.ts'
import type {FrameStream, StreamHandler} from '../frame-stream.ts'

const nothing = (): void => undefined

/** A server whose connections serve their calls in this way: its port, and the connections. */
async function serving(t: Test, accept: (connection: FrameServer) => StreamHandler) {
  const servers: FrameServer[] = []
  const server = net.createServer(socket => {
    socket.write(SERVER_GREETING, 'latin1')
    servers.push(new FrameServer(socket, text => t.fail(text), accept, nothing))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => void server.close())
  return {server, servers, port: (server.address() as AddressInfo).port}
}

/** A client of such a server. */
function sessionTo(t: Test, port: number, settings: http2.Settings = {}): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${port}`, {settings})
  t.teardown(() => session.destroy())
  return session
}

/** Number of full streams that fill the first window of a connection, and the id of the stream after them. */
const UNREAD = CONNECTION_WINDOW / STREAM_WINDOW
const LAST = 2 * UNREAD + 1

t.test('a connection has one taker of calls, which may know what its caller said before', async t => {
  const takers: StreamHandler[] = []
  const {servers, port} = await serving(t, () => {
    const taker = {...DISCARDED, head: (stream: FrameStream) => stream.writeHead('\u0088', true)}
    takers.push(taker)
    return taker
  })
  const session = sessionTo(t, port)
  for (let call = 0; call < 3; call++) {
    const stream = session.request({':path': '/'})
    const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader]
    t.equal(head[':status'], 200)
    stream.close()
  }
  t.equal(servers.length, 1)
  t.equal(takers.length, 1)
})

t.test('a long answer leaves room for others, also where its window is wider than that of the connection', async t => {
  const piece = 'x'.repeat(50_000)
  const calls: StreamHandler = {
    head: (stream, block) => {
      stream.skipFields(block)
      stream.writeHead('\u0088', false)
      stream.writeData(piece, stream.id > 1)
    },
    data: nothing,
    sent: stream => stream.id === 1 && setImmediate(() => stream.writeData(piece, false)),
    reset: nothing,
    lost: nothing
  }
  const {port} = await serving(t, () => calls)
  const session = sessionTo(t, port, {initialWindowSize: STREAM_WINDOW})
  const long = session.request({':path': '/long'}).on('error', nothing)
  let came = 0
  const cameOf = async (bytes: number): Promise<string> =>
    new Promise(resolve => long.on('data', () => came > bytes && resolve('the long one alone')))
  long.on('data', ({length}: Buffer) => (came += length))
  await cameOf(STREAM_WINDOW)
  const short = session.request({':path': '/short'})
  const whole = once(short.resume(), 'end').then(() => 'the short one')
  t.equal(await Promise.race([whole, cameOf(64 * STREAM_WINDOW)]), 'the short one')
})

t.test('a stream that takes bytes, and one that does not, on one connection', async t => {
  const texts = new Map<number, string>()
  const kinds = new Set<string>()
  const take = (stream: FrameStream, bytes: Buffer | string, isLast: boolean): void => {
    kinds.add(`${stream.id === 1 ? 'large' : 'small'}: ${typeof bytes}`)
    texts.set(stream.id, (texts.get(stream.id) ?? '') + bytes.toString('latin1'))
    stream.credit(bytes.length)
    if (isLast) stream.writeHead('\u0088', true)
  }
  const {servers, port} = await serving(t, () => ({
    ...DISCARDED,
    head: stream => {
      if (stream.id === 1) stream.takeBytes()
    },
    data: take,
    bytes: take
  }))
  const session = sessionTo(t, port)
  const large = session.request({':path': '/', ':method': 'POST'})
  const small = session.request({':path': '/', ':method': 'POST'})
  const text = 'ä'.repeat(3_000_000)
  for (let n = 0; n < 50; n++) small.write('ping')
  large.end(text, 'latin1')
  await once(large, 'response')
  t.ok(texts.get(1) === text)
  small.end('last')
  await once(small, 'response')
  t.equal(texts.get(3), `${'ping'.repeat(50)}last`)
  const next = session.request({':path': '/', ':method': 'POST'})
  next.end('and so on')
  await once(next, 'response')
  t.equal(texts.get(5), 'and so on')
  t.equal(servers.length, 1)
  t.ok(kinds.has('large: object') && kinds.has('small: string') && !kinds.has('small: object'), [...kinds].join())
})

const readLast = (stream: FrameStream, bytes: string, isLast: boolean): void => {
  if (stream.id === LAST) stream.credit(bytes.length)
  if (isLast) stream.writeHead('\u0088', true)
}

t.test('streams that nobody reads stop no other stream of their connection', {timeout: 10_000}, async t => {
  const {servers, port} = await serving(t, () => ({...DISCARDED, data: readLast}))
  const session = sessionTo(t, port)
  await once(session, 'remoteSettings')
  for (let n = 0; n < UNREAD; n++)
    session.request({':path': '/', ':method': 'POST'}).end(Buffer.alloc(STREAM_WINDOW + 1))
  const read = session.request({':path': '/', ':method': 'POST'})
  read.end(Buffer.alloc(3 * STREAM_WINDOW))
  const [head] = (await once(read, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader]
  t.equal(head[':status'], 200)
  t.equal(servers.length, 1)
})

/** A server whose connections have one taker of calls, and a client that reads nothing until it is resumed. */
const pausedClient = async (
  t: Test,
  head: (stream: FrameStream, block: string, server: FrameServer) => void
): Promise<{readonly client: net.Socket; readonly socket: net.Socket}> => {
  const {server, port} = await serving(t, frames => ({
    ...DISCARDED,
    head: (stream, block) => head(stream, block, frames)
  }))
  const client = net.connect(port, '127.0.0.1').pause().on('error', nothing)
  t.teardown(() => client.destroy())
  const [socket] = (await once(server, 'connection')) as [net.Socket]
  client.write(PREFACE + frameHead(0, SETTINGS, 0, 0), 'latin1')
  return {client, socket}
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

t.test('a client that reads no answers is not read from either, however many streams it opens at once', async t => {
  const COUNT = 40_000
  const MIB = 1 << 20
  const served: number[] = []
  const all = Promise.withResolvers<void>()
  const {client, socket} = await pausedClient(t, (stream, block, server) => {
    server.walker.skip(block)
    if (served.push(stream.id) === COUNT) all.resolve()
    stream.writeHead(`\u0088${encodeField('x', 'y'.repeat(1000))}`, true)
  })
  const ids = Array.from({length: COUNT}, (_, at) => 2 * at + 1)
  client.write(ids.map(id => headersFrames(id, '\u0082\u0084\u0086', true)).join(''), 'latin1')
  while (socket.writableLength < MIB) await turns(1)
  await turns(10)
  const read = socket.bytesRead
  await turns(50)
  t.equal(socket.bytesRead, read)
  t.ok(served.length < COUNT)
  client.resume()
  await all.promise
})

t.test('a peer that breaks the protocol and does not read why is cut all the same', async t => {
  const {client, socket} = await pausedClient(t, (stream, block, server) => {
    server.walker.skip(block)
    stream.writeHead('\u0088', false)
    const more = (): void => {
      if (socket.writableLength > 0) return void client.write('x'.repeat(100))
      stream.writeData('y'.repeat(100_000), false)
      void turns(2).then(more)
    }
    more()
  })
  const windows = `${frameHead(6, SETTINGS, 0, 0)}\0\u0004${uint32(MAX_WINDOW)}${windowFrame(0, MAX_WINDOW - 65_535)}`
  client.write(windows + headersFrames(1, '\u0082\u0084\u0086', true), 'latin1')
  await once(socket, 'close')
})

/** Types and streams of the frames that a server sends, but for its first ones, until `last` has come with what was written together with it. */
async function framesFor(t: Test, calls: StreamHandler, sent: string, last: string): Promise<string[]> {
  const {port} = await serving(t, () => calls)
  const client = net.connect(port, '127.0.0.1')
  t.teardown(() => client.destroy())
  client.write(PREFACE + sent, 'latin1')
  const frames: string[] = []
  let text = ''
  while (!frames.includes(last)) {
    const [bytes] = (await once(client, 'data')) as [Buffer]
    text += bytes.toString('latin1')
    frames.length = 0
    for (let at = 0; at < text.length;) {
      const size = text.charCodeAt(at + 1) * 256 + text.charCodeAt(at + 2)
      frames.push(`${text.charCodeAt(at + 3)} of ${text.charCodeAt(at + 8)}`)
      at += 9 + size
    }
  }
  return frames.slice(2)
}

const window = (bytes: number): string => `${frameHead(6, SETTINGS, 0, 0)}\0\u0004${uint32(bytes)}`

t.test('what a wider window lets go follows the acknowledgement of the settings that widen it', async t => {
  const calls: StreamHandler = {
    head: (stream, block) => {
      stream.skipFields(block)
      stream.writeHead('\u0088', false)
      stream.writeData('x', true)
    },
    data: nothing,
    sent: nothing,
    reset: nothing,
    lost: nothing
  }
  const asked = headersFrames(1, encodeField(':method', 'GET'), true)
  const frames = await framesFor(t, calls, window(0) + asked + window(1), '0 of 1')
  t.strictSame(frames, ['4 of 0', '1 of 1', '4 of 0', '0 of 1'])
})

const answerTo = (stream: FrameStream, isLast: boolean): void => {
  if (isLast) stream.writeHead('\u0088', true)
}

t.test('an answer at once to a whole request is followed by no reset', async t => {
  const calls: StreamHandler = {
    head: (stream, block, isLast) => {
      stream.skipFields(block)
      answerTo(stream, isLast)
    },
    data: (stream, _, isLast) => answerTo(stream, isLast),
    sent: nothing,
    reset: nothing,
    lost: nothing
  }
  const head = encodeField(':method', 'POST')
  const body = `${frameHead(1, DATA, END_STREAM, 3)}x`
  const asked = headersFrames(1, head, true) + headersFrames(3, head, false) + body
  t.strictSame(await framesFor(t, calls, window(1) + asked, '1 of 3'), ['4 of 0', '1 of 1', '1 of 3'])
})
