import {queryObjects} from 'node:v8'
import t, {type Test} from 'tap'
import {FrameWriter} from '../../src/packages/h2-frames/frame-writer.ts'
import {connect} from '../integration/dapr/sidecar/caller.ts'
import {data, frame, goAway, PREFACE, request} from '../integration/dapr/sidecar/frames.ts'
import {openTestGrpcPort} from '../integration/dapr/sidecar/grpc/rig.ts'
import {openTestSidecar, rawApp} from '../integration/dapr/sidecar/rig.ts'

const WAITING = request(1, {':path': '/v1.0/invoke/b/method/waits'})
const UPLOAD = request(1, {':method': 'POST', ':path': '/v1.0/invoke/b/method/waits'}, 0) + data(1, 'half')

/** What a caller has under way. */
const CALLS: Readonly<Record<string, string>> = {
  nothing: '',
  'an answer': request(1, {':path': '/v1.0/healthz'}),
  'a call that waits': WAITING,
  'half an upload': UPLOAD,
  'half a frame': UPLOAD.slice(0, -2)
}

/** What he sends before his FIN. */
const TAILS: Readonly<Record<string, string>> = {
  nothing: '',
  'GOAWAY 0': goAway(0, 0),
  'GOAWAY 1': goAway(0, 1),
  'a broken frame': frame(0, {payload: 'abc'}),
  'no frame': '\xff'.repeat(40),
  'GOAWAY 0, a broken frame': goAway(0, 0) + frame(0, {payload: 'abc'}),
  'GOAWAY 0, no frame': goAway(0, 0) + '\xff'.repeat(40),
  'GOAWAY 1, a broken frame': goAway(0, 1) + frame(0, {payload: 'abc'}),
  'GOAWAY 0, broken settings': goAway(0, 0) + frame(4, {payload: 'abc'}),
  'a promise, which only servers make': frame(5, {flags: 4, stream: 1, payload: '\0\0\0\x02'}),
  'GOAWAY 0 twice, half a frame': goAway(0, 0) + goAway(0, 0) + UPLOAD.slice(0, 20)
}

const UPGRADE =
  'GET /v1.0/invoke/b/method/waits HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n'

/** An app that answers nobody. */
const opened = async (t: Test) => openTestSidecar(t, {appPort: await rawApp(t, socket => void socket.resume())})

/** Sends a text, in one write or two, and FIN; settles when the other side has closed. */
const leave = async (t: Test, port: number, texts: readonly string[]): Promise<void> => {
  const caller = await connect(t, port)
  for (const text of texts) {
    caller.send(text)
    await new Promise(setImmediate)
  }
  caller.socket.end()
  await caller.closed()
  caller.socket.destroy()
}

for (const [call, text] of Object.entries(CALLS)) {
  t.test(`callers of HTTP/2 who have ${call} under way and leave anyhow: their connections are closed`, async t => {
    const {port, underWay} = await opened(t)
    const inEachWay = async (tail: string): Promise<void> => {
      await leave(t, port, [PREFACE + text + tail])
      await leave(t, port, [PREFACE + text, tail])
      // Stream 1 is that of the request that asked.
      await leave(t, port, [UPGRADE + PREFACE + text.replaceAll('\0\0\0\x01', '\0\0\0\x03') + tail])
      await leave(t, port, [UPGRADE, PREFACE, tail])
    }
    await Promise.all(Object.values(TAILS).map(inEachWay))
    t.equal(underWay(), 0)
  })
}

for (const [what, text] of [
  ['directly', PREFACE + WAITING + goAway(0, 0) + UPLOAD],
  ['by an upgrade', UPGRADE + PREFACE + goAway(0, 0) + UPLOAD]
] as const) {
  t.test(`callers of HTTP/2, ${what}, who leave behind any byte: their connections are closed`, async t => {
    const {port, underWay} = await opened(t)
    await Promise.all(Array.from(text, async (_, at) => leave(t, port, [text.slice(0, at + 1)])))
    t.equal(underWay(), 0)
  })
}

t.test('callers of gRPC who leave, in any way: their connections are closed', async t => {
  const {port} = await openTestGrpcPort(t)
  for (const text of Object.values(CALLS)) {
    const inEachWay = async (tail: string): Promise<void> => {
      await leave(t, port, [PREFACE + text + tail])
      await leave(t, port, [PREFACE + text, tail])
    }
    await Promise.all(Object.values(TAILS).map(inEachWay))
  }
})

for (const [how, begin] of [
  ['', ''],
  [' after an upgrade', UPGRADE]
] as const)
  t.test(`nothing is kept of a connection that broke the protocol${how}`, async t => {
    const {port} = await opened(t)
    const ask = request(3, {':path': '/v1.0/healthz'})
    for (const tail of Object.values(TAILS)) await leave(t, port, [begin + PREFACE + ask + tail])
    // no settings
    await leave(t, port, [begin + PREFACE.slice(0, -9) + ask])
    // the last one may still be closing
    for (let turns = 0; turns < 10 && queryObjects(FrameWriter, {format: 'count'}) > 0; turns++)
      await new Promise(setImmediate)
    t.equal(queryObjects(FrameWriter, {format: 'count'}), 0)
  })
