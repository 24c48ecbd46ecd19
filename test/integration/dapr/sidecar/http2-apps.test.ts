import http2, {type ServerHttp2Stream} from 'node:http2'
import net from 'node:net'
import t from 'tap'
import {http2Dial} from '../../../../src/proxy/gateway/app-channel.ts'
import {ask, connect, overHttp2, request} from './caller.ts'
import {data, END_STREAM, frame, goAway, headers, onStream, reset} from './frames.ts'
import {
  BEHIND_TRAILERS,
  BROKEN,
  brokenWith,
  end,
  head,
  isBrokenOff,
  isSeen,
  isSeenOverHttp2,
  opened,
  refuseTrailers,
  type Way
} from './http2-ways.ts'
import {listen, onBothPaths, openTestSidecar, rawApp} from './rig.ts'

const WHOLE: Readonly<Record<string, Way>> = {
  'ends with its data': {text: id => head(id) + data(id, 'abc', END_STREAM)},
  'ends with an empty frame': {text: id => head(id) + data(id, 'abc') + data(id, '', END_STREAM)},
  'ends with trailers': {text: id => head(id) + data(id, 'abc') + headers(id, {'x-trailer': '1'})},
  'ends with its length': {text: id => head(id, {'content-length': '3'}) + data(id, 'abc', END_STREAM)},
  'ends, and resets': {text: id => head(id) + data(id, 'abc', END_STREAM) + reset(id, 0)},
  'ends, and leaves': {text: id => head(id) + data(id, 'abc', END_STREAM), after: end},
  'ends, says GOAWAY and leaves': {text: id => head(id) + data(id, 'abc', END_STREAM) + goAway(id, 0), after: end}
}

/** No error, and that of a call that was cancelled; `test/long/http2-codes.test.ts` has all codes. */
const SOME = {...BROKEN, ...brokenWith([0, 8])}

onBothPaths('an app of HTTP/2 that breaks off its answer, in any way: the caller sees it', async t => isSeen(t, SOME))

t.test('an app of HTTP/2 that breaks off its answer, in any way: a caller of HTTP/2 sees it', async t =>
  isSeenOverHttp2(t, SOME)
)

onBothPaths('an app of HTTP/2 that ends its answer, in any way: the caller has it', async t => {
  for (const [what, way] of Object.entries(WHOLE)) {
    const {port, underWay} = await opened(t, way)
    const caller = await connect(t, port)
    for (const _ of [1, 2]) {
      caller.send(request({method: 'GET'}))
      t.match(await caller.answer(), {status: 200, body: 'abc'}, what)
    }
    t.equal(underWay(), 0, what)
  }
})

t.test('an app of HTTP/2 that ends its answer, in any way: a caller of HTTP/2 has it', async t => {
  for (const [what, way] of Object.entries(WHOLE)) {
    const {port, underWay} = await opened(t, way)
    for (const _ of [1, 2]) t.match(await overHttp2(t, port), {status: 200, body: 'abc', rst: 0}, what)
    t.equal(underWay(), 0, what)
  }
})

const echoed = (payload: string): string => head(1) + data(1, payload, END_STREAM)

for (const [method, body] of [
  ['GET', ''],
  ['POST', 'all of it']
] as const)
  onBothPaths(`a ${method} that meets the GOAWAY of an app of HTTP/2 is sent once more, whole, elsewhere`, async t => {
    const seen: number[] = []
    const appPort = await rawApp(t, socket =>
      onStream(
        socket,
        stream => {
          seen.push(stream)
          if (stream > 1) socket.end(goAway(1, 0), 'latin1')
          else if (method === 'GET') socket.write(echoed(''), 'latin1')
        },
        (stream, payload) => stream === 1 && payload !== '' && socket.write(echoed(payload), 'latin1')
      )
    )
    const {port, underWay} = await openTestSidecar(t, {appPort, dial: http2Dial})
    const caller = await connect(t, port)
    for (const _ of [1, 2]) {
      caller.send(request({method, body}))
      t.match(await caller.answer(), {status: 200, body})
    }
    t.strictSame(seen, [1, 3, 1])
    t.equal(underWay(), 0)
  })

onBothPaths('a POST whose app of HTTP/2 has closed its connection before it was sent goes to another one', async t => {
  const sockets: net.Socket[] = []
  const appPort = await rawApp(t, socket => {
    sockets.push(socket)
    onStream(socket, stream => void socket.write(head(stream) + data(stream, 'abc', END_STREAM), 'latin1'))
  })
  const {port, underWay} = await openTestSidecar(t, {appPort, dial: http2Dial})
  const caller = await connect(t, port)
  for (let round = 0; round < 20; round++) {
    // its end and the request come to the sidecar in one turn of the event loop
    sockets.at(-1)?.end()
    caller.send(request({body: 'x'}))
    t.match(await caller.answer(), {status: 200, body: 'abc'})
  }
  t.equal(underWay(), 0)
})

onBothPaths('an app of HTTP/2 that says GOAWAY and keeps its side open gets the next POST at another one', async t => {
  const gone = Promise.withResolvers<void>()
  const app = net.createServer({allowHalfOpen: true, noDelay: true}, socket => {
    socket.on('end', gone.resolve)
    onStream(socket, id => socket.write(head(id) + data(id, 'abc', END_STREAM) + goAway(id, 0), 'latin1'))
  })
  const {port, underWay} = await openTestSidecar(t, {appPort: await listen(t, app), dial: http2Dial})
  const caller = await connect(t, port)
  for (const _ of [1, 2]) {
    caller.send(request({body: 'x'}))
    t.match(await caller.answer(), {status: 200, body: 'abc'})
    await gone.promise
  }
  t.equal(underWay(), 0)
})

for (const [what, answer] of [
  ['counted', (id: number) => head(id, {'content-length': '3'}) + data(id, 'abc')],
  ['empty', (id: number) => headers(id, {':status': '204'}, 0)]
] as const)
  onBothPaths(
    `an app of HTTP/2 that says GOAWAY before it ends a stream whose answer is ${what}: the next POST`,
    async t => {
      const seen: number[] = []
      const appPort = await rawApp(t, socket =>
        onStream(socket, id => {
          seen.push(id)
          socket.write(answer(id) + goAway(id, 0), 'latin1')
        })
      )
      const {port, underWay} = await openTestSidecar(t, {appPort, dial: http2Dial})
      const caller = await connect(t, port)
      for (const _ of [1, 2]) {
        caller.send(request({body: 'x'}))
        t.match(await caller.answer(), {status: what === 'empty' ? 204 : 200})
      }
      t.strictSame(seen, [1, 1])
      t.equal(underWay(), 0)
    }
  )

for (const [when, answer] of [
  ['before', (id: number) => goAway(id, 0) + head(id) + data(id, 'abc', END_STREAM)],
  ['behind', (id: number) => head(id, {'content-length': '3'}) + data(id, 'abc', END_STREAM) + goAway(id, 0)]
] as const)
  onBothPaths(`an app of HTTP/2 that says GOAWAY ${when} its answer: a POST that waits for that`, async t => {
    const seen: number[] = []
    const appPort = await rawApp(t, socket =>
      onStream(socket, id => {
        seen.push(id)
        socket.write(answer(id), 'latin1')
      })
    )
    const {port, underWay} = await openTestSidecar(t, {appPort, dial: http2Dial})
    const caller = await connect(t, port)
    caller.send(request({body: 'x'}).repeat(3))
    for (const _ of [1, 2, 3]) t.match(await caller.answer(), {status: 200, body: 'abc'})
    t.strictSame(seen, [1, 1, 1])
    t.equal(underWay(), 0)
  })

t.test('an app that ends a counted answer late: the next call is its own', async t => {
  const ends: (() => void)[] = []
  const appPort = await rawApp(t, socket =>
    onStream(socket, stream => {
      for (const end of ends.splice(0)) end()
      if (stream === 1) socket.write(head(1, {'content-length': '3'}) + data(1, 'abc'), 'latin1')
      else socket.write(head(stream) + data(stream, 'def'), 'latin1', () => socket.write(reset(stream, 8), 'latin1'))
      ends.push(() => void socket.write(data(stream, '', END_STREAM), 'latin1'))
    })
  )
  const {port, underWay} = await openTestSidecar(t, {appPort, dial: http2Dial})
  const caller = await connect(t, port)
  caller.send(request({body: 'x'}))
  t.match(await caller.answer(), {status: 200, body: 'abc'})
  caller.send(request({body: 'x'}))
  const answer = await caller.answer()
  t.ok(isBrokenOff(answer), JSON.stringify(answer))
  t.equal(underWay(), 0)
})

t.test('calls to an app of HTTP/2 share its connection, as far as it takes them at once', async t => {
  let [connections, open, most] = [0, 0, 0]
  const app = http2.createServer({settings: {maxConcurrentStreams: 3}})
  app.on('session', () => connections++)
  app.on('stream', (stream: ServerHttp2Stream) => {
    most = Math.max(most, ++open)
    stream.once('close', () => open--)
    setImmediate(() => {
      stream.respond({':status': 200})
      stream.end('abc')
    })
  })
  const {port, underWay} = await openTestSidecar(t, {appPort: await listen(t, app), dial: http2Dial})
  const answers = await Promise.all(
    Array.from({length: 30}, async () => {
      const caller = await connect(t, port)
      caller.send(request({body: 'x'}))
      return caller.answer()
    })
  )
  for (const answer of answers) t.match(answer, {status: 200, body: 'abc'})
  t.ok(most <= 3 * connections && connections < 15, `${most} at once, ${connections} connections`)
  t.equal(underWay(), 0)
})

t.test('a request that an app of HTTP/2 has not begun is sent once more, as long as its body is kept', async t => {
  let refusals = 2
  const appPort = await rawApp(t, socket =>
    onStream(socket, id => {
      const isRefused = refusals-- > 0
      socket.write(isRefused ? reset(id, 7) : head(id) + data(id, 'abc', END_STREAM), 'latin1')
    })
  )
  const {port, underWay} = await openTestSidecar(t, {appPort, dial: http2Dial})
  const caller = await connect(t, port)
  caller.send(request({method: 'DELETE'}))
  t.match(await caller.answer(), {status: 500, body: /REFUSED_STREAM/}, 'twice is enough')
  refusals = 1
  caller.send(request({method: 'DELETE'}))
  t.match(await caller.answer(), {status: 200, body: 'abc'})
  refusals = 1
  caller.send(request({body: 'x'}))
  t.match(await caller.answer(), {status: 200, body: 'abc'})
  refusals = 1
  caller.send(request({body: 'x'.repeat(100_000)}))
  t.match(await caller.answer(), {status: 500, body: /REFUSED_STREAM/})
  t.equal(underWay(), 0)
})

const padded = (stream: number): string => frame(0, {flags: 8 | END_STREAM, stream, payload: '\x05abc\0\0\0\0\0'})

t.test('an app of HTTP/2 that pads its data, and one that reads late', async t => {
  const appPort = await rawApp(t, socket => onStream(socket, id => socket.write(head(id) + padded(id), 'latin1')))
  const {port} = await openTestSidecar(t, {appPort, dial: http2Dial})
  t.match(await ask(t, port, request({method: 'GET'})), {status: 200, body: 'abc'})

  const bytes = 32 << 20
  const late = http2.createServer()
  const begun = Promise.withResolvers<ServerHttp2Stream>()
  late.on('stream', (stream: ServerHttp2Stream) => begun.resolve(stream))
  const appOfLate = {appPort: await listen(t, late), dial: http2Dial}
  const limits = {maxBodyBytes: 0, readBufferBytes: 4096}
  const {port: other, underWay} = await openTestSidecar(t, {...appOfLate, limits})
  const caller = await connect(t, other)
  caller.send(`POST /v1.0/invoke/b/method/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n\r\n`)
  const pieces = Array.from({length: bytes >> 20}, () => Buffer.alloc(1 << 20))
  let taken = 0
  for (const piece of pieces) caller.socket.write(piece, () => taken++)
  const stream = await begun.promise
  // what the app does not read stays with the caller, but for windows and buffers
  for (let before = -1; before !== taken;) {
    before = taken
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  t.ok(taken < 16, `${taken} of ${pieces.length} MiB`)
  let got = 0
  stream.on('data', (piece: Buffer) => (got += piece.length))
  stream.on('end', () => {
    stream.respond({':status': 200})
    stream.end(got.toString())
  })
  t.match(await caller.answer(), {status: 200, body: bytes.toString()})
  t.equal(underWay(), 0)
})

for (const [what, ending] of BEHIND_TRAILERS)
  t.test(`an app whose trailers are refused, with ${what} behind: its calls end`, async t =>
    refuseTrailers(t, ending, 1)
  )
