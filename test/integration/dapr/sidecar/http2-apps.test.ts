import net from 'node:net'
import t from 'tap'
import {http2Dial} from '../../../../src/proxy/gateway/app-channel.ts'
import {connect, overHttp2, request} from './caller.ts'
import {data, END_STREAM, goAway, headers, onStream, reset} from './frames.ts'
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

onBothPaths('a GET that meets the GOAWAY of an app of HTTP/2 is sent once more, to another connection', async t => {
  const seen: number[] = []
  const appPort = await rawApp(t, socket =>
    onStream(socket, stream => {
      seen.push(stream)
      if (stream === 1) socket.write(head(1) + data(1, 'abc', END_STREAM), 'latin1')
      else socket.end(goAway(1, 0), 'latin1')
    })
  )
  const {port, underWay} = await openTestSidecar(t, {appPort, dial: http2Dial})
  const caller = await connect(t, port)
  for (const _ of [1, 2]) {
    caller.send(request({method: 'GET'}))
    t.match(await caller.answer(), {status: 200, body: 'abc'})
  }
  t.strictSame(seen, [1, 3, 1])
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

for (const [what, ending] of BEHIND_TRAILERS)
  t.test(`an app whose trailers are refused, with ${what} behind: its calls end`, async t =>
    refuseTrailers(t, ending, 1)
  )
