import t from 'tap'
import {framed} from '../../../../../src/proxy/net/grpc/message-gauge.ts'
import type {GrpcStatus} from '../../../../../src/proxy/net/grpc/status.ts'
import type {FrameConnection} from '../../../../../src/packages/h2-frames/frame-connection.ts'
import {FrameStream, type Data, type StreamHandler} from '../../../../../src/packages/h2-frames/frame-stream.ts'
import type {ReceivedCall, RequestHead} from '../../../../../src/dapr/sidecar/grpc/request-head.ts'
import {ServerStream} from '../../../../../src/dapr/sidecar/grpc/server-stream.ts'

const MIB = 1 << 20
const nothing = (): void => undefined
const NOBODY: StreamHandler = {head: nothing, data: nothing, sent: nothing, reset: nothing, lost: nothing}

/** A stream whose caller takes so many bytes; what went out, what may come again, and how it ended. */
const streamOf = (window: number) => {
  const told = {data: 0, fields: '', credited: 0, ends: [] as GrpcStatus[], wantsBytes: false, skipped: ''}
  const connection = {
    send: nothing,
    sendFields: (text: string) => (told.fields += text),
    sendData: (_: string, {length}: Data) => (told.data += length),
    sentFields: {encode: (_: string, fields: string) => fields},
    room: Infinity,
    localDone: nothing,
    walker: {skip: (block: string) => void (told.skipped += block)},
    forget: nothing,
    wantBytes: () => (told.wantsBytes = true)
  }
  const caller = new FrameStream(connection as unknown as FrameConnection, 1, window, NOBODY)
  caller.credit = bytes => void (told.credited += bytes)
  const head = {contentType: 'application/grpc', encoding: ''} as RequestHead
  const received = {caller, head, sidecar: {maxBodyBytes: 0}} as ReceivedCall
  const stream = new ServerStream(received, '', new AbortController().signal, status => told.ends.push(status))
  caller.handler = stream
  return {stream, caller, told}
}

t.test('a reader that is far behind: the stream ends, in words, and nothing waits for it any more', async t => {
  const {stream, caller, told} = streamOf(MIB)
  const message = Buffer.alloc(MIB, 'x')
  for (let n = 0; n < 100; n++) stream.send(message)
  t.match(told.ends, [{code: 8, message: 'the reader of this stream is 16 MiB behind'}])
  t.match(told.fields, 'grpc-status')
  caller.window += 100 * MIB
  caller.push()
  t.ok(told.data <= 2 * MIB, `${told.data} bytes went out`)
})

t.test('one message may be larger than what may wait for a reader', async t => {
  const {stream, caller, told} = streamOf(MIB)
  stream.send(Buffer.alloc(20 * MIB, 'x'))
  t.ok(stream.isBehind)
  caller.window += 20 * MIB
  caller.push()
  await stream.room()
  t.notOk(stream.isBehind)
  t.strictSame([told.data, told.ends], [20 * MIB + 5, []])
})

t.test('a reader that keeps up may get any number of bytes', async t => {
  const {stream, caller, told} = streamOf(MIB)
  const message = Buffer.alloc(MIB, 'x')
  for (let n = 0; n < 100; n++) {
    stream.send(message)
    caller.window += message.length + 5
    caller.push()
  }
  t.strictSame(told.ends, [])
  t.equal(told.data, 100 * (MIB + 5))
})

t.test('large messages that come together are sent one after the other; one that is given up is left out', async t => {
  const {stream, caller, told} = streamOf(MIB)
  const message = Buffer.alloc(3 * MIB, 'x')
  const sent = Array.from({length: 10}, async (_, n) => stream.sendInTurn(message, () => n !== 7))
  for (let n = 0; n < 10; n++) {
    caller.window += 3 * MIB + 5
    caller.push()
    await new Promise(setImmediate)
  }
  await Promise.all(sent)
  t.strictSame(told.ends, [])
  t.equal(told.data, 9 * (3 * MIB + 5))
})

t.test('who waits for a reader that leaves waits no longer', async t => {
  const {stream, caller} = streamOf(MIB)
  const message = Buffer.alloc(3 * MIB, 'x')
  const sent = [1, 2, 3].map(async () => stream.sendInTurn(message, () => true))
  stream.reset()
  await Promise.all(sent)
  t.equal(caller.isOver, false)
})

t.test('messages that nobody takes: the caller may send no more until they are taken', async t => {
  const {stream, caller, told} = streamOf(MIB)
  const message = framed(Buffer.alloc(1000, 'x'))
  let sent = 0
  for (let n = 0; n < 500; n++) {
    caller.receive(message.length)
    stream.data(caller, message, false)
    sent += message.length
  }
  t.ok(told.credited < 2000, `${told.credited} bytes may come again`)
  for (let n = 0; n < 500; n++) t.equal((await stream.next())?.length, 1000)
  t.equal(told.credited, sent)
})

t.test('a message that is larger than the window comes whole', async t => {
  const {stream, caller, told} = streamOf(MIB)
  const message = framed(Buffer.alloc(3 * MIB, 'x'))
  for (let at = 0; at < message.length; at += 16_384) stream.data(caller, message.slice(at, at + 16_384), false)
  t.ok(told.credited > 2 * MIB)
  t.equal((await stream.next())?.length, 3 * MIB)
  t.equal(told.credited, message.length)
})

t.test('large messages come as bytes, also one whose begin came as text', async t => {
  const {stream, caller, told} = streamOf(MIB)
  const message = framed(Buffer.from(Array.from({length: 100_000}, (_, n) => n)))
  stream.data(caller, message.slice(0, 3), false)
  stream.expectLarge()
  stream.expectLarge()
  t.ok(told.wantsBytes && caller.takesBytes)
  const rest = Buffer.from(message.slice(3) + message, 'latin1')
  for (let at = 0; at < rest.length; at += 16_383)
    stream.bytes(caller, rest.subarray(at, at + 16_383), at + 16_383 >= rest.length)
  for (let n = 0; n < 2; n++) t.equal((await stream.next())?.toString('latin1'), message.slice(5))
  t.equal(await stream.next(), undefined)
  t.equal(told.credited, 2 * message.length)
})

t.test('trailers of a caller end its messages, and the table of its connection stays in step', async t => {
  const {stream, caller, told} = streamOf(MIB)
  stream.head(caller, 'trailers', true)
  t.equal(await stream.next(), undefined)
  t.equal(told.skipped, 'trailers')
})
