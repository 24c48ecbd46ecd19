import net from 'node:net'
import t, {type Test} from 'tap'
import {connect, type Caller} from '../caller.ts'
import {data, frame, framesOf, headers, PREFACE, request, reset, RST_STREAM, type Frame} from '../frames.ts'
import {openTestSidecar, rawApp} from '../rig.ts'
import {echoClient, grpcApp, openTestGrpcPort} from './rig.ts'

const GOAWAY = 7
const CALL = {':method': 'POST', ':path': '/test.Echo/Both', 'content-type': 'application/grpc', 'dapr-app-id': 'b'}
const OPEN = request(1, CALL, 0)

/** The code of the GOAWAY that ends a connection, -1: none came. */
const endOf = async (caller: Caller): Promise<number> => {
  await caller.closed()
  const end = framesOf(caller.text).frames.find(({type}) => type === GOAWAY)
  return end === undefined ? -1 : end.payload.charCodeAt(7)
}

/** What breaks the protocol for a whole connection, and with which code it ends (RFC 9113). */
const BROKEN: Readonly<Record<string, readonly [text: string, code: number]>> = {
  'an even stream': [request(2, CALL), 1],
  'fields of no stream': [frame(1, {flags: 4, payload: '\x83'}), 1],
  'data of no stream': [data(0, 'x'), 1],
  'data on a stream that was never opened': [data(5, 'x'), 1],
  'a reset of a stream that was never opened': [reset(5, 8), 1],
  'a reset of another length': [OPEN + frame(3, {stream: 1, payload: 'x'}), 6],
  'a window of a stream that was never opened': [frame(8, {stream: 5, payload: '\0\0\0\x01'}), 1],
  'a window of nothing': [frame(8, {payload: '\0\0\0\0'}), 1],
  'a window that is too large': [frame(8, {payload: '\x7f\xff\xff\xff'}), 3],
  'a first window that is too large': [frame(4, {payload: '\0\x04\xff\xff\xff\xff'}), 3],
  'settings of another length': [frame(4, {payload: 'abc'}), 6],
  'settings of a stream': [frame(4, {stream: 1}), 1],
  'a ping of another length': [frame(6, {payload: 'abc'}), 6],
  'a ping of a stream': [frame(6, {stream: 1, payload: '12345678'}), 1],
  'a push': [frame(5, {stream: 1, flags: 4}), 1],
  'a frame that is too large': ['\0\x40\x01\0\0\0\0\0\x01', 6],
  'padding that is longer than its frame': [OPEN + frame(0, {flags: 8, stream: 1, payload: '\xffx'}), 1],
  'padding without a byte': [OPEN + frame(0, {flags: 8, stream: 1}), 1],
  'a head that another frame interrupts': [frame(1, {stream: 1, payload: '\x83'}) + frame(6, {payload: '12345678'}), 1],
  'a continuation of nothing': [frame(9, {stream: 1, flags: 4}), 1],
  'fields that are none': [frame(1, {flags: 4, stream: 1, payload: '\xff\xff\xff\xff\xff\xff'}), 9],
  'GOAWAY of another length': [frame(7, {payload: 'abc'}), 6]
}

t.test('what breaks the protocol ends its own connection, with the code that HTTP/2 has for it', async t => {
  const appPort = await grpcApp(t)
  const {port, underWay, warnings} = await openTestGrpcPort(t, {appPort})
  const client = echoClient(t, port)
  const other = client.both()
  for (const [what, [text, code]] of Object.entries(BROKEN)) {
    const caller = await connect(t, port)
    caller.send(PREFACE + text)
    t.equal(await endOf(caller), code, what)
    caller.socket.destroy()
  }
  other.end(Buffer.from('still here'))
  for await (const message of other) t.equal(String(message), 'still here')
  while (underWay() > 0) await new Promise(setImmediate)
  t.strictSame(warnings, [])
})

/** What a peer may send without end. */
const FLOODS: Readonly<Record<string, (n: number) => string>> = {
  'streams that are reset': n => request(2 * n + 1, CALL, 0) + reset(2 * n + 1, 8),
  pings: () => frame(6, {payload: '12345678'}),
  settings: () => frame(4),
  'acknowledged settings': () => frame(4, {flags: 1}),
  'empty data': n => (n === 0 ? OPEN : data(1, '')),
  priorities: () => frame(2, {stream: 1, payload: '\0\0\0\0\0'}),
  'frames that nobody knows': () => frame(99, {payload: 'x'}),
  'a head without end': n => (n === 0 ? frame(1, {stream: 1, payload: '\x83'}) : frame(9, {stream: 1}).repeat(100)),
  'a head that grows': n =>
    n === 0 ? frame(1, {stream: 1, payload: '\x83'}) : frame(9, {stream: 1, payload: '\0\x01x\x01y'.repeat(100)})
}

/** So many frames without use are let pass at once, fewer by a hundred, all of the kind that costs least. */
const ALLOWED = frame(4, {flags: 1}).repeat(400)
const PING = '12345678'

for (const [what, piece] of Object.entries(FLOODS)) {
  t.test(`${what}, without end: the connection is cut with ENHANCE_YOUR_CALM`, async t => {
    // no time passes: what is too much in a second is that also on a machine that takes longer for it
    const now = performance.now()
    // t.intercept would keep the stack of every call
    performance.now = () => now
    t.teardown(() => Reflect.deleteProperty(performance, 'now'))
    const appPort = await grpcApp(t)
    const {port, underWay} = await openTestGrpcPort(t, {appPort})
    const caller = await connect(t, port)
    caller.send(PREFACE + ALLOWED + frame(6, {payload: PING}))
    await caller.until(text => text.includes(PING))
    t.equal(caller.isClosed, false)
    for (let n = 0; !caller.socket.closed && n < 5000; n += 100) {
      let text = ''
      for (let k = n; k < n + 100; k++) text += piece(k)
      if (!caller.socket.write(text, 'latin1'))
        await new Promise(resolve => {
          caller.socket.once('drain', resolve)
          caller.socket.once('close', resolve)
        })
      await new Promise(setImmediate)
    }
    t.equal(caller.socket.closed, true)
    const end = framesOf(caller.text).frames.find(({type}) => type === GOAWAY)
    if (end !== undefined) t.equal(end.payload.charCodeAt(7), 11)
    while (underWay() > 0) await new Promise(setImmediate)
  })
}

t.test('streams that are reset at once cost more than other frames: the connection is cut after a hundred', async t => {
  const now = performance.now()
  performance.now = () => now
  t.teardown(() => Reflect.deleteProperty(performance, 'now'))
  let calls = 0
  const {port} = await openTestGrpcPort(t, {
    admitGrpc: () => {
      calls++
      return {admitted: new Promise(() => undefined), cancel: () => undefined}
    }
  })
  const caller = await connect(t, port)
  let text = PREFACE
  for (let n = 0; n < 1000; n++) text += request(2 * n + 1, CALL, 0) + reset(2 * n + 1, 8)
  caller.send(text)
  t.equal(await endOf(caller), 11)
  t.ok(calls > 90 && calls <= 101, `${calls} calls`)
})

/** The value of SETTINGS_MAX_CONCURRENT_STREAMS in what a server has said first. */
const limitIn = (text: string): number | undefined => {
  const payload = Buffer.from(framesOf(text).frames.find(({type}) => type === 4)?.payload ?? '', 'latin1')
  for (let at = 0; at < payload.length; at += 6) if (payload.readUInt16BE(at) === 3) return payload.readUInt32BE(at + 2)
  return undefined
}

/** Has somebody cut at an HTTP port. */
const cutOne = async (t: Test, port: number): Promise<void> => {
  const flooder = await connect(t, port)
  flooder.send(PREFACE + frame(6, {payload: PING}).repeat(1000))
  await flooder.closed()
}

t.test('a connection may have 250 streams, as at Go’s servers; more are refused, the others go on', async t => {
  const {port: httpPort} = await openTestSidecar(t, {appPort: await rawApp(t, socket => void socket.resume())})
  const {port} = await openTestGrpcPort(t, {
    admitGrpc: () => ({admitted: new Promise(() => undefined), cancel: () => undefined})
  })
  const hanging = {':path': '/v1.0/invoke/b/method/x'}
  const cases = [
    ['gRPC', port, CALL, 1],
    ['gRPC', port, CALL, 400],
    ['HTTP', httpPort, hanging, 1],
    ['HTTP', httpPort, hanging, 150]
  ] as const
  for (const [what, at, fields, beyond] of cases) {
    // an earlier test may have had one cut, too: in the second after, each new connection is suspected
    await cutOne(t, httpPort)
    const caller = await connect(t, at)
    let text = PREFACE + frame(4)
    for (let n = 0; n < 250 + beyond; n++) text += request(2 * n + 1, fields)
    caller.send(text + frame(6, {payload: PING}))
    const resets = (): readonly Frame[] => framesOf(caller.text).frames.filter(({type}) => type === RST_STREAM)
    await caller.until(told => told.includes(PING) && resets().length >= beyond)
    t.equal(limitIn(caller.text), 250, `${what}, ${beyond} beyond`)
    t.strictSame(
      resets().map(({stream, payload}) => [stream, payload.charCodeAt(3)]),
      Array.from({length: beyond}, (_, n) => [501 + 2 * n, 7])
    )
    t.equal(caller.isClosed, false)
    caller.socket.destroy()
  }
})

t.test('a peer that sends more than its window takes: its stream is reset', async t => {
  const silent = await openTestGrpcPort(t, {
    admitGrpc: () => ({admitted: new Promise(() => undefined), cancel: () => undefined})
  })
  const caller = await connect(t, silent.port)
  caller.send(PREFACE + OPEN + data(1, '\0\0\x3f\xff\xff'))
  for (let n = 0; n < 70; n++) caller.send(data(1, 'x'.repeat(16_384)))
  await caller.until(text =>
    framesOf(text).frames.some(({type, payload}) => type === RST_STREAM && payload.charCodeAt(3) === 3)
  )
  t.pass()
})

t.test('a peer that never reads: what it makes us keep is bounded', async t => {
  const {port} = await openTestGrpcPort(t, {appPort: await grpcApp(t)})
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined)
  t.teardown(() => socket.destroy())
  const window = frame(4, {payload: '\0\x04\x7f\xff\xff\xff'}) + frame(8, {payload: '\x7f\x00\x00\x00'})
  socket.write(PREFACE + window + OPEN, 'latin1')
  socket.pause()
  // the app sends back what it gets
  const message = `\0\0\0\x3f\xfb${'x'.repeat(16_379)}`
  for (let sent = 0; sent < 64 << 20; sent += 16_384)
    if (!socket.write(data(1, message), 'latin1')) await new Promise(resolve => socket.once('drain', resolve))
  socket.write(frame(6, {payload: PING}), 'latin1')
  // all that was kept for it comes now
  let came = 0
  let text = ''
  const pinged = Promise.withResolvers<void>()
  socket.on('data', (bytes: Buffer) => {
    came += bytes.length
    text = text.slice(-PING.length) + bytes.toString('latin1')
    if (text.includes(PING)) pinged.resolve()
  })
  socket.resume()
  await pinged.promise
  t.ok(came < 16 << 20, `${came} bytes were kept`)
})

t.test('of calls that wait 64 MiB are kept: one that sends more is refused', async t => {
  const never = Promise.withResolvers<never>()
  const {port} = await openTestGrpcPort(t, {admitGrpc: () => ({admitted: never.promise, cancel: () => undefined})})
  const caller = await connect(t, port)
  caller.send(PREFACE)
  const piece = 'x'.repeat(1 << 14)
  const begin = `\0\0\x0f\xff\xfb${piece.slice(5)}`
  for (let id = 1; id < 2 * 66; id += 2) {
    caller.send(request(id, CALL, 0) + data(id, begin))
    for (let n = 1; n < 64; n++)
      if (!caller.socket.write(data(id, piece), 'latin1'))
        await new Promise(resolve => caller.socket.once('drain', resolve))
  }
  await caller.until(text => text.split('exceed the limit').length > 2)
  caller.send(frame(6, {payload: PING}))
  await caller.until(text => text.includes(PING))
  t.equal(caller.text.split('exceed the limit').length - 1, 2)
})

t.test('no client of HTTP/2: the connection is closed without a word', async t => {
  const {port} = await openTestGrpcPort(t)
  for (const text of ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nXX', '\x16\x03\x01']) {
    const caller = await connect(t, port)
    caller.send(text)
    await caller.closed()
    t.ok(framesOf(caller.text).frames.every(({type}) => type === 4 || type === 8))
  }
})

t.test('settings come at once, before a byte was sent', async t => {
  const {port} = await openTestGrpcPort(t)
  const caller = await connect(t, port)
  await caller.until(text => framesOf(text).frames.some(({type}) => type === 4))
  t.equal(framesOf(caller.text).frames[0]?.type, 4)
})

t.test('the preface and a call, cut at each byte', async t => {
  const {port} = await openTestGrpcPort(t)
  const text = PREFACE + headers(1, {':scheme': 'http', ...CALL, 'dapr-app-id': 'nobody'})
  for (let cut = 1; cut < text.length; cut++) {
    const caller = await connect(t, port)
    caller.send(text.slice(0, cut))
    await new Promise(setImmediate)
    caller.send(text.slice(cut))
    await caller.until(told => told.includes('nobody (why)'))
    caller.socket.destroy()
  }
  t.pass()
})
