import t, {type Test} from 'tap'
import {connect} from './caller.ts'
import {DATA, frame, HEADERS, PREFACE, request, reset, SETTINGS} from './frames.ts'
import {openTestGrpcPort} from './grpc/rig.ts'
import {openTestSidecar} from './rig.ts'

const PRIORITY = 2
const PING = 6
const WINDOW_UPDATE = 8
const CONTINUATION = 9
const UNKNOWN = 200

/** Requests that nobody serves to their end: one that is refused by its head, and one whose message never comes. */
const REFUSED = {':method': 'POST', ':path': '/a.B/C', 'content-type': 'text/plain'}
const UNFINISHED = {
  ':method': 'POST',
  ':path': '/dapr.proto.runtime.v1.Dapr/SaveState',
  'content-type': 'application/grpc',
  te: 'trailers'
}

/** The nth frames of one who sends nothing else; the first stream is open. */
const FLOODS: Readonly<Record<string, (stream: number, n: number) => string>> = {
  'rapid resets of refused requests': stream => request(stream, REFUSED, 0) + reset(stream, 8),
  'rapid resets': stream => request(stream, UNFINISHED, 0) + reset(stream, 8),
  'refused streams that never end': stream => request(stream, REFUSED, 0),
  'streams that never end': stream => request(stream, UNFINISHED, 0),
  'empty data': () => frame(DATA, {stream: 1}),
  'empty continuations': (_, n) => (n === 0 ? frame(HEADERS, {stream: 3}) : frame(CONTINUATION, {stream: 3})),
  'resets of one stream': () => reset(1, 8),
  priorities: () => frame(PRIORITY, {stream: 1, payload: '\0\0\0\0\0'}),
  pings: () => frame(PING, {payload: '\0'.repeat(8)}),
  settings: () => frame(SETTINGS),
  'frames of no known type': () => frame(UNKNOWN)
}

t.setTimeout(30_000)

/** More than a burst that is tolerated, in pieces. */
const PIECES = 400
const PER_PIECE = 200

/** Sends a flood; settles when the connection is cut. */
async function untilCut(t: Test, port: number, make: (stream: number, n: number) => string): Promise<void> {
  const caller = await connect(t, port)
  caller.send(PREFACE + request(1, UNFINISHED, 0))
  for (let piece = 0; piece < PIECES && !caller.isClosed; piece++) {
    let text = ''
    for (let n = piece * PER_PIECE; n < (piece + 1) * PER_PIECE; n++) text += make(2 * n + 3, n)
    caller.send(text)
    await new Promise(setImmediate)
  }
  await caller.closed()
}

const PORTS: Readonly<Record<string, (t: Test) => Promise<number>>> = {
  HTTP: async t => (await openTestSidecar(t, {})).port,
  gRPC: async t => (await openTestGrpcPort(t, {})).port
}

for (const [name, open] of Object.entries(PORTS))
  for (const [what, make] of Object.entries(FLOODS))
    t.test(`${name}: ${what} without end are cut`, async t => {
      await untilCut(t, await open(t), make)
    })

const BY_A_BYTE = '\0\0\0\x01'

/** At a port of HTTP nghttp2 reads them, some millions in a second, and nothing comes of them. */
const WINDOWS: Readonly<Record<string, () => string>> = {
  'windows of the connection that grow by a byte': () => frame(WINDOW_UPDATE, {payload: BY_A_BYTE}),
  'windows of a stream that grow by a byte': () => frame(WINDOW_UPDATE, {stream: 1, payload: BY_A_BYTE})
}

for (const [what, make] of Object.entries(WINDOWS))
  t.test(`gRPC: ${what} without end are cut`, async t => {
    await untilCut(t, (await openTestGrpcPort(t, {})).port, make)
  })
