import type {Answer} from './answers.ts'
import {controlClient} from './control.ts'
import {http1Client} from './http1-requests.ts'
import {block, bytesOf, DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS} from './http2-frames.ts'
import {http2Client} from './http2-requests.ts'
import type {Random} from './random.ts'
import type {Script} from './script.ts'

/** More than that stays in larger pieces: each is written in a turn of its own. */
const MOST = 2000

/** The same script, byte by byte. */
export function byteByByte({pieces, end}: Script): Script {
  const bytes = Buffer.concat(pieces)
  const single = Array.from({length: Math.min(MOST, bytes.length)}, (_, at) => bytes.subarray(at, at + 1))
  return {pieces: bytes.length > MOST ? [...single, bytes.subarray(MOST)] : single, end}
}

export const answeredByteByByte = (answer: Answer): Answer => ({...answer, script: byteByByte(answer.script)})

/** A body in chunks of one byte: what is read as a whole, and what is passed on. */
function chunks(random: Random): Script {
  const path = random.pick([
    '/v1.0/publish/pubsub/orders',
    '/v1.0/publish/bulk/pubsub/orders',
    '/v1.0/state/statestore',
    '/v1.0/bindings/x',
    '/v1.0/invoke/echo/method/x',
    '/v1.0/shutdown/x',
    '/services/~create'
  ])
  const body = random.pick(['[]', '{"a":1}', '[{"key":"k","value":1}]', 'x'.repeat(500), '"\\ud800"'])
  const chunked = body.replaceAll(/[^]/g, '1\r\n$&\r\n')
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
  return {pieces: [Buffer.from(`${head}${chunked}0\r\n\r\n`)], end: 'fin'}
}

/** A call of gRPC whose message comes in frames of one byte. */
function message(random: Random): Script {
  const path = `/dapr.proto.runtime.v1.Dapr/${random.pick(['PublishEvent', 'GetState', 'SaveState', 'SubscribeTopicEventsAlpha1', 'SubscribeConfiguration'])}`
  const fields: readonly (readonly [string, string])[] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers']
  ]
  const payload = random.bytes(random.below(60))
  const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, payload.length]), payload])
  const data = Array.from(framed, (byte, at) =>
    bytesOf({type: DATA, flags: at === framed.length - 1 ? END_STREAM : 0, stream: 1, payload: Buffer.from([byte])})
  )
  const head = bytesOf({type: HEADERS, flags: END_HEADERS, stream: 1, payload: block(fields)})
  return {pieces: [PREFACE, bytesOf({type: SETTINGS}), head, ...data], end: 'fin'}
}

const SCRIPTS = [http1Client, http2Client, chunks, message]

/** What callers send, a byte at a time. */
export const oneByteClient = (random: Random): Script => byteByByte(random.pick(SCRIPTS)(random))
/** What other terminals send, a byte at a time. */
export const oneByteControl = (random: Random): Script => byteByByte(controlClient(random))
