import {once} from 'node:events'
import http2 from 'node:http2'
import type {AddressInfo} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import type grpc from '@grpc/grpc-js'
import t, {type Test} from 'tap'
import type {Admit} from '../../../../../src/proxy/gateway/admission.ts'
import {AdmissionQueue} from '../../../../../src/proxy/gateway/admission-queue.ts'
import {Pool} from '../../../../../src/proxy/net/pool.ts'
import {echoClient, grpcApp, openTestGrpcPort} from './rig.ts'

/** Longer than a call may look like a stream. */
const LONGER_MS = 300

/** The gRPC port of `a`, whose calls to the app at `appPort` are admitted by the queue. */
async function openQueued(t: Test, appPort: number): Promise<{queue: AdmissionQueue; port: number}> {
  const queue = new AdmissionQueue({timeoutMs: 10_000})
  queue.open()
  const pool = new Pool({hosts: ['127.0.0.1'], port: appPort, protocol: 'grpc'})
  t.teardown(() => pool.cut())
  const admitGrpc: Admit = call => {
    const permit = queue.admit(call)
    if (typeof permit === 'string' || 'outcome' in permit) throw new Error('it is not open')
    return {ok: true, pool, isLocal: false, token: '', pathPrefix: '', leave: permit.leave}
  }
  const {port} = await openTestGrpcPort(t, {admitGrpc})
  return {queue, port}
}

t.test('a stream whose first message comes while its app is replaced is ended, too', {timeout: 20_000}, async t => {
  const called = Promise.withResolvers<grpc.ServerDuplexStream<Buffer, Buffer>>()
  const both = (call: grpc.ServerDuplexStream<Buffer, Buffer>): void => {
    call.on('data', () => undefined).on('end', () => called.resolve(call))
  }
  const {queue, port} = await openQueued(t, await grpcApp(t, {both}))
  const stream = echoClient(t, port).both({'dapr-app-id': 'b'})
  const ended = new Promise<string>(resolve => stream.on('error', (error: Error) => resolve(error.message)))
  stream.on('data', () => undefined).end()
  const call = await called.promise
  const drained = queue.drained()
  call.write(Buffer.from('first'))
  t.equal(await drained, true)
  t.match(await ended, /open the stream again/)
})

/** An app that answers a call of gRPC in two parts: its message, and then what ends it. */
async function openSlow(t: Test): Promise<{port: number; called: Promise<http2.ServerHttp2Stream>}> {
  const called = Promise.withResolvers<http2.ServerHttp2Stream>()
  const app = http2.createServer().on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})
    stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'})).resume()
    called.resolve(stream)
  })
  await once(app.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => app.close())
  return {port: (app.address() as AddressInfo).port, called: called.promise}
}

const MESSAGE = Buffer.from('\0\0\0\0\u0008answered')
const HEAD = {
  ':method': 'POST',
  ':path': '/x.Y/Z',
  'content-type': 'application/grpc',
  te: 'trailers',
  'dapr-app-id': 'b'
}

t.test('a call whose message comes slowly is no stream: neither the request nor the answer', async t => {
  const app = await openSlow(t)
  const {queue, port} = await openQueued(t, app.port)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  const stream = session.request(HEAD)
  const trailers = once(stream, 'trailers')
  let answer = ''
  stream.on('data', (bytes: Buffer) => (answer += bytes.toString('latin1'))).write(MESSAGE.subarray(0, 9))
  const atApp = await app.called
  const drained = queue.drained()
  await pause(LONGER_MS)
  stream.end(MESSAGE.subarray(9))
  await once(atApp, 'end')
  atApp.write(MESSAGE.subarray(0, 9))
  await once(stream, 'data')
  await pause(LONGER_MS)
  atApp.end(MESSAGE.subarray(9))
  t.match(await trailers, [{'grpc-status': '0'}])
  t.equal(answer, MESSAGE.toString('latin1'))
  t.equal(await drained, true)
})
